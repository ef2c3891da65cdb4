package org.vmxsim.spp;

/** Where one walk of the SPPT ended: one per processor, overwritten by the next walk. */
public final class SppWalk {
    /** Level of the entry read last: 4 to 1, and 1 for the vector. */
    public int level;
    /** The entry read last; the vector if {@link #level} is 1. */
    public long entry;

    /** An empty cursor. */
    public SppWalk() {}

    /**
     * The permissions found.
     *
     * @return bitmap with bit i set if sub-page i may be written; 0 unless the walk reached a legal vector
     */
    public int writeMask() {
        return level == 1 && (entry & SppVector.RESERVED) == 0 ? SppVector.toBitmap(entry) : 0;
    }
}
