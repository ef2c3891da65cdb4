package org.vmxsim.mmu.upkeep;

import java.util.ArrayList;
import java.util.List;
import org.vmxsim.mmu.ept.EptMmu;
import org.vmxsim.mmu.ept.EptUpdates;
import org.vmxsim.mmu.memslot.DirtyBitmap;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.trace.Tracer;
import org.vmxsim.vmx.ept.EptEntry;

/**
 * Makes sure that the next write to a page is noticed after its bit in the dirty bitmap has been cleared. There are two
 * ways. By write protection: the entry loses its write permission, and the EPT violation marks the page. By the
 * page-modification log: the entry loses its dirty flag, and the processor logs the address when it sets the flag
 * again. Either way a memslot that is logged is written through 4-KiB entries only; larger ones are write-protected and
 * make way at the first write. What a fault makes of a logged page is decided where faults are answered.
 */
public final class DirtyLogging {
    private static final long REGION = -512;

    private final EptMmu mmu;
    private final boolean modificationLog;
    private final EptUpdates.Change protect = this::protect;

    /**
     * The log of one virtual machine.
     *
     * @param mmu its EPT
     * @param modificationLog whether processors log writes where they set dirty flags
     */
    public DirtyLogging(EptMmu mmu, boolean modificationLog) {
        this.mmu = mmu;
        this.modificationLog = modificationLog;
    }

    /** Who is told. */
    Tracer tracer() {
        return mmu.tracer();
    }

    private long protect(long gfn, int level, boolean adDisabled, long spte) {
        boolean byProcessor = modificationLog && !adDisabled && level == 1;
        return byProcessor ? spte & ~EptEntry.DIRTY.mask() : mmu.updates().writeProtected(spte, level);
    }

    /**
     * Writes to a memslot are logged from now on.
     *
     * @param slot the memslot
     * @param allDirty whether its log began with every page dirty: then nothing is protected before it is cleared
     */
    public void begin(Memslot slot, boolean allDirty) {
        if (!slot.isReadOnly() && !allDirty) {
            mmu.updates().update(slot, slot.baseGfn(), slot.lastGfn(), protect);
        }
    }

    /**
     * Writes to a memslot are no longer logged: small pages make way where a large page is possible again.
     *
     * @param slot the memslot
     */
    public void end(Memslot slot) {
        if (slot.isReadOnly()) {
            return;
        }
        List<Long> regions = new ArrayList<>();
        slot.rmap().forEach((gfn, level, spteHpa) -> {
            if (level < 3 && (regions.isEmpty() || regions.get(regions.size() - 1) != (gfn & REGION))) {
                regions.add(gfn & REGION);
            }
        });
        for (long gfn : regions) {
            long first = Math.max(gfn, slot.baseGfn());
            mmu.updates().collapse(slot, first, first);
        }
    }

    boolean takeFlushRequest() {
        return mmu.takeFlushRequest();
    }

    /**
     * Clears bits of the log; the next write to each of these pages sets its bit again.
     *
     * @param slot a memslot whose writes are logged
     * @param word which 64 pages: number of the word in its bitmap
     * @param mask which of them
     * @return the bits of the mask that were set
     */
    public long clear(Memslot slot, int word, long mask) {
        long cleared = slot.dirty().clear(word, mask);
        long first = slot.baseGfn() + (long) word * DirtyBitmap.WORD_PAGES;
        for (long left = cleared; left != 0; left &= left - 1) {
            long gfn = first + Long.numberOfTrailingZeros(left);
            mmu.updates().update(slot, gfn, gfn, protect);
        }
        return cleared;
    }
}
