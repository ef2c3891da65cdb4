package org.vmxsim.core.vectors;

/**
 * What one instruction of a user-mode program can see and change.
 *
 * @param gpr RAX to R15 in the manual's numbering
 * @param flags the low 16 bits of RFLAGS
 * @param scratch the 256 bytes from {@link InstructionVector#SCRATCH} on
 */
public record UserState(long[] gpr, int flags, byte[] scratch) {
    /** Size of the scratch area in bytes. */
    public static final int SCRATCH_BYTES = 256;

    private static final int RANDOM_FLAGS = 0xcd5;
    private static final int USER_FLAGS = 0x202;

    /**
     * The edge-biased random state that both the native harness and this reader derive from a seed.
     *
     * @param seed seed of the vector
     * @return a state of its own, free to be changed
     */
    static UserState derive(long seed) {
        SplitMix64 random = new SplitMix64(seed);
        long[] gpr = new long[16];
        for (int i = 0; i < gpr.length; i++) {
            gpr[i] = random.edgeValue();
        }
        gpr[4] = InstructionVector.STACK;
        int flags = (int) random.next() & RANDOM_FLAGS | USER_FLAGS;
        byte[] scratch = new byte[SCRATCH_BYTES];
        for (int i = 0; i < SCRATCH_BYTES; i += 8) {
            putLong(scratch, i, random.edgeValue());
        }
        return new UserState(gpr, flags, scratch);
    }

    /**
     * A copy whose arrays may be changed.
     *
     * @param newFlags its flags
     * @return the copy
     */
    UserState copy(int newFlags) {
        return new UserState(gpr.clone(), newFlags, scratch.clone());
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
