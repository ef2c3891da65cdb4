package org.vmxsim.lab.explain;

/**
 * Which translation to explain.
 *
 * @param gva guest-virtual address
 * @param kind what is done there
 * @param sizeBytes bytes touched, 1 to 64
 * @param user whether at privilege level 3
 * @param afterInstructions retired instructions after which the question is asked; 0: at the guest's begin marker
 * @param warm whether TLBs and caches are as the run left them; otherwise they are empty and there are no
 *     paging-structure caches, so that every level is read
 */
public record Question(long gva, Kind kind, int sizeBytes, boolean user, long afterInstructions, boolean warm) {
    /** What is done at the address. */
    public enum Kind {
        /** A load. */
        READ,
        /** A store. */
        WRITE,
        /** An instruction fetch. */
        FETCH
    }

    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException if one is out of range
     */
    public Question {
        if (sizeBytes < 1 || sizeBytes > 64) {
            throw new IllegalArgumentException("need 1 to 64 bytes, got " + sizeBytes);
        }
        if (afterInstructions < 0) {
            throw new IllegalArgumentException("need at least 0 instructions, got " + afterInstructions);
        }
    }
}
