package org.vmxsim.vmx.ept;

import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.core.paging.Radix;
import org.vmxsim.spp.SppWalk;

/**
 * Where one EPT walk stands: one per processor, overwritten by the next walk. Cumulative rights are the logical AND of
 * whole entries, so that one operation a level gathers rights and accessed flags together.
 */
public final class EptWalk {
    /** Level of the table that the walk began at: 5 or 4, or lower if a paging-structure cache knew the way. */
    public int startLevel;
    /** Host-physical address of the table that the walk began at. */
    public long startTable;
    /** Guest-physical address being translated. */
    public long gpa;
    /** Level of the entry read last, 5 to 1; 0 if none was read. */
    public int level;
    /** The entry read last. */
    public long entry;
    /** Logical AND of the entries above the one read last. */
    public long above;
    /** Whether the entry read last maps a page and no entry was misconfigured or not present. */
    public boolean complete;
    /** Where the walk of the SPPT ended, if {@link #consultedSppt}. */
    public final SppWalk subPages = new SppWalk();
    /** Whether the SPPT has been consulted for this access. */
    public boolean consultedSppt;

    /** An empty cursor. */
    public EptWalk() {}

    /**
     * Logical AND of all entries used.
     *
     * @return the conjunction, bits as in {@link EptEntry}
     */
    public long conjunction() {
        return above & entry;
    }

    /**
     * The host-physical address found.
     *
     * @return the address; meaningful if {@link #complete}
     */
    public long hpa() {
        return EptEntry.translate(entry, level, gpa);
    }

    /**
     * Cumulative rights, as bits of {@link AccessContext#R} and so on.
     *
     * @param modeBasedExecute the control "mode-based execute control for EPT"
     * @return the rights; 0 unless {@link #complete}
     */
    public int rights(boolean modeBasedExecute) {
        if (!complete) {
            return 0;
        }
        long all = conjunction();
        long user = modeBasedExecute ? EptEntry.USER_EXECUTE.get(all) : EptEntry.EXECUTE.get(all);
        return (int) (EptEntry.PERMISSIONS.get(all) | user << 3);
    }

    /**
     * Whether the page is a 4-KiB page whose entry enables sub-page write permissions.
     *
     * @return true if a PTE with bit 61 set has been reached
     */
    public boolean isSubPageProtected() {
        return complete && level == Radix.PT && EptEntry.SPP.isSet(entry);
    }
}
