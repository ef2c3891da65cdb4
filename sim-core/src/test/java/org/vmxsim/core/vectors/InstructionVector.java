package org.vmxsim.core.vectors;

import java.util.HexFormat;

/**
 * One instruction with the state before it and what a real processor made of it, in 64-bit mode at CPL 3.
 *
 * @param mnemonic the kind of instruction, as the vectors are grouped
 * @param code the bytes of the instruction, placed at {@link #CODE} among INT3 bytes
 * @param undefinedFlags flags that the manual leaves undefined here: not to be compared
 * @param before state before
 * @param after state after; after a fault as the handler finds it
 * @param fault vector of the exception, or {@link #NO_FAULT}
 * @param errorCode error code of the exception, 0 if it has none
 * @param cr2 CR2 after a page fault
 * @param ripDelta RIP after, less {@link #CODE}; 0 after a fault
 */
public record InstructionVector(
        String mnemonic,
        byte[] code,
        int undefinedFlags,
        UserState before,
        UserState after,
        int fault,
        int errorCode,
        long cr2,
        int ripDelta) {
    /** Linear address of the first of 256 scratch bytes, the end of the only page of data. */
    public static final long SCRATCH = 0x1000_0f00L;
    /** RSP unless the vector says otherwise. */
    public static final long STACK = 0x1000_0f80L;
    /** Linear address of the instruction, in the middle of 64 KiB of INT3. */
    public static final long CODE = 0x2000_8000L;
    /** {@link #fault} of an instruction that completes. */
    public static final int NO_FAULT = 0xff;

    @Override
    public String toString() {
        return mnemonic + " [" + HexFormat.of().formatHex(code) + "]";
    }
}
