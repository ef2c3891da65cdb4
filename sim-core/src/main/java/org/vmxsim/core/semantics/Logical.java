package org.vmxsim.core.semantics;

import org.vmxsim.core.cpu.CpuState;

/** SDM Vol. 1, "Logical Instructions", and TEST. Results are sign-extended from the operand size {@code bits}. */
public final class Logical {
    private Logical() {}

    /**
     * AND, and TEST, which drops the result.
     *
     * @param cpu whose flags
     * @param a destination operand
     * @param b source operand
     * @param bits operand size
     * @return the result
     */
    public static long and(CpuState cpu, long a, long b, int bits) {
        return extended(cpu, a & b, bits);
    }

    /**
     * OR.
     *
     * @param cpu whose flags
     * @param a destination operand
     * @param b source operand
     * @param bits operand size
     * @return the result
     */
    public static long or(CpuState cpu, long a, long b, int bits) {
        return extended(cpu, a | b, bits);
    }

    /**
     * XOR.
     *
     * @param cpu whose flags
     * @param a destination operand
     * @param b source operand
     * @param bits operand size
     * @return the result
     */
    public static long xor(CpuState cpu, long a, long b, int bits) {
        return extended(cpu, a ^ b, bits);
    }

    private static long extended(CpuState cpu, long value, int bits) {
        int shift = 64 - bits;
        long result = value << shift >> shift;
        Flags.logical(cpu, result);
        return result;
    }
}
