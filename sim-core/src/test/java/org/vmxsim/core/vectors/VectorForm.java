package org.vmxsim.core.vectors;

import java.util.HexFormat;

/**
 * An instruction with what all the vectors have in common that begin with it.
 *
 * @param mnemonic the kind of instruction, as the vectors are grouped
 * @param codeBits 16, 32 or 64: the mode it is executed in
 * @param code the bytes, placed at {@link #start()} among INT3 bytes
 * @param undefinedFlags flags that the manual leaves undefined here: not to be compared
 * @param unrepeatable for each register the bits that differ from run to run: not to be compared
 */
record VectorForm(String mnemonic, int codeBits, byte[] code, int undefinedFlags, long[] unrepeatable) {
    /** Linear address of the page of data; base of the data segment of 16- and 32-bit code. */
    static final long DATA_BASE = 0x1000_0000L;
    /** Linear address of 64 KiB of code; base of the code segment of 16- and 32-bit code. */
    static final long CODE_BASE = 0x2000_0000L;
    /** Where the 256 scratch bytes begin in the page of data, which they end. */
    static final int SCRATCH_OFFSET = 0xf00;

    private static final int STACK_OFFSET = 0xf80;
    private static final int CODE_OFFSET = 0x8000;

    /**
     * RSP of states that do not override it.
     *
     * @param codeBits the mode
     * @return the offset in the stack segment
     */
    static long stack(int codeBits) {
        return STACK_OFFSET + (codeBits == 64 ? DATA_BASE : 0);
    }

    /**
     * Where the instruction begins.
     *
     * @return RIP of its first byte
     */
    long start() {
        return CODE_OFFSET + (codeBits == 64 ? CODE_BASE : 0);
    }

    /**
     * Where the scratch area begins, as the instruction sees it.
     *
     * @return the offset in the data segment
     */
    long scratch() {
        return SCRATCH_OFFSET + (codeBits == 64 ? DATA_BASE : 0);
    }

    @Override
    public String toString() {
        return mnemonic + " [" + HexFormat.of().formatHex(code) + "] " + codeBits + "-bit";
    }
}
