package org.vmxsim.core.semantics;

import org.vmxsim.core.cpu.CpuState;

/** SDM Vol. 1, "BMI1 and BMI2 Instructions". Operands are zero-extended; {@code bits} is the operand size, 32 or 64. */
public final class BitManipulation {
    private BitManipulation() {}

    private static long signed(long a, int bits) {
        return a << 64 - bits >> 64 - bits;
    }

    /**
     * ANDN.
     *
     * @param cpu whose flags
     * @param a first source operand, which is inverted
     * @param b second source operand
     * @param bits operand size
     * @return the result, sign-extended
     */
    public static long andn(CpuState cpu, long a, long b, int bits) {
        long result = signed(~a & b, bits);
        Flags.logical(cpu, result);
        return result;
    }

    /**
     * BEXTR.
     *
     * @param cpu whose flags
     * @param source the source
     * @param control bits 7:0 start, bits 15:8 length
     * @return the field, zero-extended
     */
    public static long bextr(CpuState cpu, long source, long control) {
        int start = (int) control & 0xff;
        int length = (int) (control >>> 8) & 0xff;
        long field = start > 63 ? 0 : source >>> start;
        long result = length > 63 ? field : field & (1L << length) - 1;
        // SF is undefined by the manual
        Flags.logical(cpu, result);
        return result;
    }

    /**
     * BLSI.
     *
     * @param cpu whose flags
     * @param source the source
     * @param bits operand size
     * @return the lowest set bit alone, sign-extended
     */
    public static long blsi(CpuState cpu, long source, int bits) {
        long result = signed(-source & source, bits);
        Flags.result(cpu, result, source == 0 ? 0 : 1, 0, 0);
        return result;
    }

    /**
     * BLSMSK.
     *
     * @param cpu whose flags
     * @param source the source
     * @param bits operand size
     * @return ones up to the lowest set bit, sign-extended
     */
    public static long blsmsk(CpuState cpu, long source, int bits) {
        long result = signed(source - 1 ^ source, bits);
        Flags.result(cpu, result, source == 0 ? 1 : 0, 0, 0);
        return result;
    }

    /**
     * BLSR.
     *
     * @param cpu whose flags
     * @param source the source
     * @param bits operand size
     * @return the source without its lowest set bit, sign-extended
     */
    public static long blsr(CpuState cpu, long source, int bits) {
        long result = signed(source - 1 & source, bits);
        Flags.result(cpu, result, source == 0 ? 1 : 0, 0, 0);
        return result;
    }

    /**
     * BZHI.
     *
     * @param cpu whose flags
     * @param source the source
     * @param index bits 7:0 are the first bit to clear
     * @param bits operand size
     * @return the source without the bits from there, sign-extended
     */
    public static long bzhi(CpuState cpu, long source, long index, int bits) {
        int n = (int) index & 0xff;
        long result = signed(n < bits ? source & (1L << n) - 1 : source, bits);
        Flags.result(cpu, result, n > bits - 1 ? 1 : 0, 0, 0);
        return result;
    }

    /**
     * PDEP.
     *
     * @param source the source
     * @param mask where its low bits go
     * @return the result
     */
    public static long pdep(long source, long mask) {
        long result = 0;
        long from = source;
        for (long rest = mask; rest != 0; rest &= rest - 1) {
            result |= (from & 1) == 0 ? 0 : rest & -rest;
            from >>>= 1;
        }
        return result;
    }

    /**
     * PEXT.
     *
     * @param source the source
     * @param mask which of its bits are packed
     * @return the result
     */
    public static long pext(long source, long mask) {
        long result = 0;
        int to = 0;
        for (long rest = mask; rest != 0; rest &= rest - 1) {
            result |= (source & rest & -rest) == 0 ? 0 : 1L << to;
            to++;
        }
        return result;
    }

    /**
     * RORX: rotates without flags.
     *
     * @param source the source
     * @param count how far
     * @param bits operand size
     * @return the result, zero-extended
     */
    public static long rorx(long source, int count, int bits) {
        return bits == 64 ? Long.rotateRight(source, count) : Integer.rotateRight((int) source, count) & 0xffff_ffffL;
    }
}
