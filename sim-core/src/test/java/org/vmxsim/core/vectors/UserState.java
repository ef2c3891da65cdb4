package org.vmxsim.core.vectors;

/**
 * What one instruction of a user-mode program can see and change.
 *
 * @param gpr RAX to R15 in the manual's numbering
 * @param flags the low 16 bits of RFLAGS
 * @param scratch the 256 bytes at the end of the page of data
 * @param system selectors of ES, CS, SS, DS, FS, GS, then the bases of FS and GS
 */
record UserState(long[] gpr, int flags, byte[] scratch, long[] system) {
    /** Size of the scratch area in bytes. */
    static final int SCRATCH_BYTES = 256;
    /** Flags of every program: bit 1 and IF. */
    static final int USER_FLAGS = 0x202;

    /** How many values there are in {@link #system}. */
    static final int SYSTEM_WORDS = 8;

    private static final int RANDOM_FLAGS = 0xcd5;

    /**
     * The edge-biased random state that both the native harness and this reader derive from a seed.
     *
     * @param seed seed of the vector
     * @param codeBits 16, 32 or 64; the upper halves of RAX to RDI are clear but in 64-bit code
     * @return a state of its own, free to be changed
     */
    static UserState derive(long seed, int codeBits) {
        SplitMix64 random = new SplitMix64(seed);
        long[] gpr = new long[16];
        for (int i = 0; i < gpr.length; i++) {
            long value = random.edgeValue();
            gpr[i] = i < 8 && codeBits != 64 ? value & 0xffff_ffffL : value;
        }
        gpr[4] = VectorForm.stack(codeBits);
        int flags = (int) random.next() & RANDOM_FLAGS | USER_FLAGS;
        byte[] scratch = new byte[SCRATCH_BYTES];
        for (int i = 0; i < SCRATCH_BYTES; i += 8) {
            putLong(scratch, i, random.edgeValue());
        }
        return new UserState(gpr, flags, scratch, systemBefore(codeBits));
    }

    private static long[] systemBefore(int codeBits) {
        return switch (codeBits) {
            case 64 -> new long[] {0, 0x33, 0x2b, 0, 0, 0, 0, 0};
            case 32 -> new long[] {0x17, 0x07, 0x17, 0x17, 0, 0, 0, 0};
            case 16 -> new long[] {0x1f, 0x0f, 0x1f, 0x1f, 0, 0, 0, 0};
            default -> throw new IllegalArgumentException("code has 16, 32 or 64 bits, not " + codeBits);
        };
    }

    /**
     * A copy whose arrays may be changed.
     *
     * @param newFlags its flags
     * @return the copy
     */
    UserState copy(int newFlags) {
        return new UserState(gpr.clone(), newFlags, scratch.clone(), system.clone());
    }

    /**
     * Stores 8 bytes, little endian.
     *
     * @param bytes where
     * @param offset index of the first byte
     * @param value what
     */
    static void putLong(byte[] bytes, int offset, long value) {
        for (int i = 0; i < 8; i++) {
            bytes[offset + i] = (byte) (value >>> 8 * i);
        }
    }
}
