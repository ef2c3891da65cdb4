package org.vmxsim.core.tlb;

import org.vmxsim.core.cache.Replacement;

/**
 * Size and shape of a set-associative structure.
 *
 * @param entries entries in all; 0 if the structure does not exist
 * @param ways entries of a set; equal to {@code entries} if fully associative
 * @param replacement how a way is chosen to be given up
 */
public record TlbGeometry(int entries, int ways, Replacement replacement) {
    /**
     * Checks the shape.
     *
     * @param entries entries in all
     * @param ways entries of a set
     * @param replacement how a way is chosen
     * @throws IllegalArgumentException if the number of sets is not a power of two
     */
    public TlbGeometry {
        boolean fits =
                entries == 0 || ways > 0 && entries > 0 && entries % ways == 0 && Integer.bitCount(entries / ways) == 1;
        if (!fits) {
            throw new IllegalArgumentException("need a power of two of sets, got entries=" + entries + " ways=" + ways);
        }
    }

    /**
     * Number of sets.
     *
     * @return a power of two; 0 if the structure does not exist
     */
    public int sets() {
        return entries == 0 ? 0 : entries / ways;
    }
}
