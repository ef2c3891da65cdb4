package org.vmxsim.mmu.ept;

import java.util.function.LongUnaryOperator;
import org.vmxsim.mmu.host.HostMemory;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.trace.MmuEvent;
import org.vmxsim.mmu.trace.Tracer;

/**
 * Changes of EPT entries that exist, in all roots: how logs, sub-page bitmaps and the host's page tables are followed.
 */
public final class EptUpdates {
    private final EptTables tables;
    private final MappingRules rules;
    private final HostMemory host;
    private final Tracer tracer;
    private final EptCursor cursor = new EptCursor();

    /** A change, asked entry by entry. */
    @FunctionalInterface
    public interface Change {
        /**
         * The new value of an entry.
         *
         * @param gfn first guest frame that it maps
         * @param level its level, 1 to 3
         * @param adDisabled whether processors leave the accessed and dirty flags of its table alone
         * @param spte its value
         * @return the value to write; {@link Spte#NOT_PRESENT} to remove the mapping
         */
        long apply(long gfn, int level, boolean adDisabled, long spte);
    }

    EptUpdates(EptTables tables, MappingRules rules, HostMemory host, Tracer tracer) {
        this.tracer = tracer;
        this.tables = tables;
        this.rules = rules;
        this.host = host;
    }

    /**
     * Changes the entries that map any part of a range. Large pages stay large.
     *
     * @param slot the memslot
     * @param firstGfn first guest frame
     * @param lastGfn last guest frame; both within the memslot
     * @param change gives the new value of each entry
     */
    public void update(Memslot slot, long firstGfn, long lastGfn, Change change) {
        slot.rmap().forEach(firstGfn, lastGfn, (gfn, level, spteHpa) -> {
            long spte = tables.read(spteHpa);
            long changed =
                    change.apply(gfn, level, tables.pageOf(spteHpa).role().adDisabled(), spte);
            if (changed == Spte.NOT_PRESENT) {
                tables.zap(slot, gfn, level, spteHpa);
            } else {
                change(slot, gfn, spteHpa, spte, changed);
            }
        });
    }

    /** An entry that is at another frame's address is made anew by the rules for that address. */
    private void change(Memslot slot, long gfn, long spteHpa, long spte, long changed) {
        if (spte != changed && tables.isSubstitute(spteHpa)) {
            tables.zap(slot, gfn, 1, spteHpa);
        } else {
            tables.change(spteHpa, spte, changed);
        }
    }

    /**
     * An entry without write permission, until a write fault gives it back. Sub-page permissions of a 4-KiB page wait
     * as long, as far as the profile lets them.
     *
     * @param spte an entry that maps a page
     * @param level its level, 1 to 3
     * @return the entry
     */
    public long writeProtected(long spte, int level) {
        return rules.writeProtected(spte, level);
    }

    /**
     * Splits what maps part of a range by larger pages than allowed; where there is no memory for a table, the page is
     * removed instead and the next access maps it anew.
     *
     * @param slot the memslot
     * @param firstGfn first guest frame
     * @param lastGfn last guest frame; both within the memslot
     * @param largestLevel largest level that is left, 1 to 3
     */
    public void split(Memslot slot, long firstGfn, long lastGfn, int largestLevel) {
        for (int level = 3; level > largestLevel; level--) {
            slot.rmap().forEach(level, firstGfn, lastGfn, (gfn, at, spteHpa) -> {
                cursor.level = at;
                cursor.spteHpa = spteHpa;
                cursor.spte = tables.read(spteHpa);
                if (!tables.split(slot, gfn, cursor, null)) {
                    tables.zap(slot, gfn, at, spteHpa);
                }
            });
        }
    }

    /**
     * Removes smaller pages where a larger one is possible; the next access maps it
     * ({@code kvm_mmu_zap_collapsible_sptes}).
     *
     * @param slot the memslot
     * @param firstGfn first guest frame; the whole larger page around it is looked at
     * @param lastGfn last guest frame, likewise
     */
    public void collapse(Memslot slot, long firstGfn, long lastGfn) {
        for (long gfn = firstGfn; gfn <= lastGfn; gfn = (gfn | PageSize.SIZE_2M.pages() - 1) + 1) {
            int possible = rules.levelInAnyView(slot, gfn, host.backing(slot.hvaOf(gfn)));
            long first = EptTables.firstGfn(gfn, possible);
            long last = first + PageSize.ofLevel(possible).pages() - 1;
            for (int level = 1; level < possible; level++) {
                slot.rmap().forEach(level, first, last, (at, own, spteHpa) -> makeWay(slot, at, own, spteHpa));
            }
        }
    }

    private void makeWay(Memslot slot, long gfn, int level, long spteHpa) {
        int view = tables.pageOf(spteHpa).role().view();
        if (rules.level(view, slot, gfn, host.backing(slot.hvaOf(gfn))) > level) {
            if (tracer.isOn()) {
                tracer.emit(new MmuEvent.MakeWay(gfn, level));
            }
            tables.zap(slot, gfn, level, spteHpa);
        }
    }

    /**
     * Changes all entries that map a frame at one level.
     *
     * @param slot the memslot of the frame
     * @param gfn the guest frame
     * @param level the level, 1 to 3
     * @param change gives the new entry for the old one
     */
    public void change(Memslot slot, long gfn, int level, LongUnaryOperator change) {
        slot.rmap().forEach(level, gfn, gfn, (first, at, spteHpa) -> {
            long spte = tables.read(spteHpa);
            change(slot, gfn, spteHpa, spte, change.applyAsLong(spte));
        });
    }

    /**
     * Removes one entry that maps a page ({@code drop_spte}).
     *
     * @param slot the memslot of the frame
     * @param gfn a guest frame that the entry maps
     * @param level level of the entry, 1 to 3
     * @param spteHpa host-physical address of the entry
     */
    public void zapEntry(Memslot slot, long gfn, int level, long spteHpa) {
        tables.zap(slot, gfn, level, spteHpa);
    }
}
