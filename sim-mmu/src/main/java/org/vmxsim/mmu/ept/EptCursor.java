package org.vmxsim.mmu.ept;

/** Where a walk of the hypervisor through its own tables ended. Reused; overwritten by the next walk. */
public final class EptCursor {
    /** Level of the entry, 4 to 1. */
    public int level;
    /** Host-physical address of the entry. */
    public long spteHpa;
    /** The entry: one that maps a page, or the first that is not present. */
    public long spte;

    /** An empty cursor. */
    public EptCursor() {}

    /**
     * Whether the walk ended at a page.
     *
     * @return true if the entry is present
     */
    public boolean isMapped() {
        return Spte.isPresent(spte);
    }
}
