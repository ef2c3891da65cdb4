package org.vmxsim.mmu.spp.v12;

import java.util.ArrayList;
import java.util.List;
import org.vmxsim.mmu.ept.EptCursor;
import org.vmxsim.mmu.ept.EptMmu;
import org.vmxsim.mmu.ept.Spte;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.memslot.Memslots;
import org.vmxsim.mmu.memslot.SubPageBitmaps;
import org.vmxsim.vmx.ept.EptEntry;

/** What setting permissions does to the mappings of the pages ({@code kvm_spp_set_permission}, second half). */
final class EptRange {
    private static final int LARGEST_DROPPED = 2;

    private final EptMmu mmu;
    private final Memslots slots;
    private final EptCursor cursor = new EptCursor();

    EptRange(EptMmu mmu, Memslots slots) {
        this.mmu = mmu;
        this.slots = slots;
    }

    /** Drops what maps the range, then marks what is mapped still; whether processors must forget something. */
    boolean apply(long rootHpa, long firstGfn, int[] bitmaps) {
        boolean flush = drop(firstGfn, firstGfn + bitmaps.length - 1);
        return walk(rootHpa, firstGfn, bitmaps) || flush;
    }

    /**
     * Drops mappings of 4 KiB and 2 MiB ({@code kvm_spp_flush_rmap}). The memslot of the first page is taken for that
     * of all (T5): of frames beyond it the kernel reads what lies behind the memslot's arrays; here nothing is there.
     */
    private boolean drop(long firstGfn, long lastGfn) {
        Memslot slot = slots.at(firstGfn);
        boolean any = false;
        for (long gfn = firstGfn; gfn <= Math.min(lastGfn, slot.lastGfn()); gfn++) {
            for (int level = 1; level <= LARGEST_DROPPED; level++) {
                any |= drop(slot, gfn, level);
            }
        }
        return any;
    }

    /**
     * Removes entries from the list that is being walked (T5): the last one takes the place of the one removed, and the
     * walk goes on behind it.
     */
    private boolean drop(Memslot slot, long gfn, int level) {
        List<Long> entries = new ArrayList<>();
        for (int number = 0; number < slot.rmap().size(gfn, level); number++) {
            entries.add(slot.rmap().get(gfn, level, number));
        }
        boolean any = !entries.isEmpty();
        for (int position = 0; position < entries.size(); position++) {
            mmu.updates().zapEntry(slot, gfn, level, entries.get(position));
            long last = entries.remove(entries.size() - 1);
            if (position < entries.size()) {
                entries.set(position, last);
            }
        }
        return any;
    }

    /** Marks pages mapped by 4 KiB, zaps larger pages that cover a protected one. */
    private boolean walk(long rootHpa, long firstGfn, int[] bitmaps) {
        long lastGfn = firstGfn + bitmaps.length - 1;
        boolean flush = false;
        long gfn = firstGfn;
        // T3: the frame jumps over the rest of a large page, the index of its bitmap does not.
        for (int i = 0; gfn <= lastGfn; i++, gfn++) {
            mmu.lookup(rootHpa, gfn << 12, cursor);
            boolean isProtected = bitmaps[i] != SubPageBitmaps.FULL;
            if (cursor.isMapped() && cursor.level == 1) {
                mark(gfn, isProtected);
            } else if (cursor.isMapped() && isProtected) {
                long count =
                        Math.min(lastGfn, gfn | PageSize.ofLevel(cursor.level).pages() - 1) - gfn + 1;
                mmu.updates().zapEntry(slots.at(gfn), gfn, cursor.level, cursor.spteHpa);
                flush = true;
                // The kernel's walk goes on below the entry it has cleared: in frame 0, whose zeros end it.
                gfn += count - 1;
            }
        }
        return flush;
    }

    /** Arms or disarms a page ({@code kvm_spp_mark_protection}); it is write-protected either way. */
    private void mark(long gfn, boolean armed) {
        mmu.updates().change(slots.at(gfn), gfn, 1, spte -> marked(spte, armed));
    }

    /** Write-protecting an armed entry saves its bit, so that the next write fault arms a disarmed page again (T8). */
    static long marked(long spte, boolean armed) {
        long protectedSpte = Spte.sppSaved(spte & ~EptEntry.WRITE.mask());
        return armed ? protectedSpte | EptEntry.SPP.mask() : protectedSpte;
    }
}
