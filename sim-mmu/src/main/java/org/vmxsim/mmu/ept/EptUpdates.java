package org.vmxsim.mmu.ept;

import org.vmxsim.mmu.memslot.Memslot;

/** Changes of EPT entries that exist, in all roots: how logs and the host's page tables are followed. */
public final class EptUpdates {
    private final EptTables tables;
    private final MappingRules rules;

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

    EptUpdates(EptTables tables, MappingRules rules) {
        this.tables = tables;
        this.rules = rules;
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
                tables.change(spteHpa, spte, changed);
            }
        });
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
}
