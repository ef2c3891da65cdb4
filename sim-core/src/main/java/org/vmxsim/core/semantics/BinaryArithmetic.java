package org.vmxsim.core.semantics;

import org.vmxsim.core.cpu.CpuState;

/**
 * SDM Vol. 1, "Binary Arithmetic Instructions". Operands may carry anything above their size; results are sign-extended
 * from it. {@code bits} is the operand size: 8, 16, 32 or 64. Operands are aligned to bit 63 first, so that carries of
 * every size come out in the same place.
 */
public final class BinaryArithmetic {
    private BinaryArithmetic() {}

    /**
     * ADD.
     *
     * @param cpu whose flags
     * @param a destination operand
     * @param b source operand
     * @param bits operand size
     * @return the sum
     */
    public static long add(CpuState cpu, long a, long b, int bits) {
        return addWithCarry(cpu, a, b, 0, bits);
    }

    /**
     * ADC.
     *
     * @param cpu whose flags
     * @param a destination operand
     * @param b source operand
     * @param bits operand size
     * @return the sum with CF
     */
    public static long adc(CpuState cpu, long a, long b, int bits) {
        return addWithCarry(cpu, a, b, Flags.carry(cpu), bits);
    }

    private static long addWithCarry(CpuState cpu, long a, long b, long carry, int bits) {
        int shift = 64 - bits;
        long high = a << shift;
        long addend = b << shift;
        long sum = high + addend + (carry << shift);
        long result = sum >> shift;
        Flags.arithmetic(cpu, result, high & addend | (high | addend) & ~sum, shift);
        return result;
    }

    /**
     * SUB, and CMP, which drops the result.
     *
     * @param cpu whose flags
     * @param a destination operand
     * @param b source operand
     * @param bits operand size
     * @return the difference
     */
    public static long sub(CpuState cpu, long a, long b, int bits) {
        return subtractWithBorrow(cpu, a, b, 0, bits);
    }

    /**
     * SBB.
     *
     * @param cpu whose flags
     * @param a destination operand
     * @param b source operand
     * @param bits operand size
     * @return the difference with CF
     */
    public static long sbb(CpuState cpu, long a, long b, int bits) {
        return subtractWithBorrow(cpu, a, b, Flags.carry(cpu), bits);
    }

    private static long subtractWithBorrow(CpuState cpu, long a, long b, long borrow, int bits) {
        int shift = 64 - bits;
        long high = a << shift;
        long subtrahend = b << shift;
        long difference = high - subtrahend - (borrow << shift);
        long result = difference >> shift;
        Flags.arithmetic(cpu, result, ~high & subtrahend | (~high | subtrahend) & difference, shift);
        return result;
    }

    /**
     * INC: CF is kept.
     *
     * @param cpu whose flags
     * @param a the operand
     * @param bits operand size
     * @return the operand plus 1
     */
    public static long inc(CpuState cpu, long a, int bits) {
        int shift = 64 - bits;
        long result = (a << shift) + (1L << shift) >> shift;
        long overflow = result == Long.MIN_VALUE >> shift ? 1 : 0;
        Flags.result(cpu, result, Flags.carry(cpu), overflow, (result & 15) == 0 ? 1 : 0);
        return result;
    }

    /**
     * DEC: CF is kept.
     *
     * @param cpu whose flags
     * @param a the operand
     * @param bits operand size
     * @return the operand minus 1
     */
    public static long dec(CpuState cpu, long a, int bits) {
        int shift = 64 - bits;
        long result = (a << shift) - (1L << shift) >> shift;
        long overflow = result == Long.MAX_VALUE >> shift ? 1 : 0;
        Flags.result(cpu, result, Flags.carry(cpu), overflow, (result & 15) == 15 ? 1 : 0);
        return result;
    }

    /**
     * NEG.
     *
     * @param cpu whose flags
     * @param a the operand
     * @param bits operand size
     * @return 0 minus the operand
     */
    public static long neg(CpuState cpu, long a, int bits) {
        return sub(cpu, 0, a, bits);
    }

    /**
     * IMUL with two or three operands: CF and OF tell that the product does not fit.
     *
     * @param cpu whose flags
     * @param a first source operand
     * @param b second source operand
     * @param bits operand size, 16, 32 or 64
     * @return the product, truncated and sign-extended
     */
    public static long imul(CpuState cpu, long a, long b, int bits) {
        int shift = 64 - bits;
        long x = a << shift >> shift;
        long y = b << shift >> shift;
        long result = x * y << shift >> shift;
        boolean fits = bits == 64 ? Math.multiplyHigh(x, y) == result >> 63 : result == x * y;
        long carry = fits ? 0 : 1;
        Flags.result(cpu, result, carry, carry, 0);
        return result;
    }

    /**
     * Upper half of the unsigned product of two quadwords.
     *
     * @param a a factor
     * @param b a factor
     * @return bits 127:64
     */
    public static long multiplyHighUnsigned(long a, long b) {
        return Math.multiplyHigh(a, b) + (a >> 63 & b) + (b >> 63 & a);
    }

    /**
     * Flags of MUL and of IMUL with one operand: CF and OF tell that the upper half matters; the others, undefined by
     * the manual, follow the lower half.
     *
     * @param cpu whose flags
     * @param low lower half of the product, sign-extended
     * @param significant whether the upper half is more than an extension of the lower
     */
    public static void multiplied(CpuState cpu, long low, boolean significant) {
        long carry = significant ? 1 : 0;
        Flags.result(cpu, low, carry, carry, 0);
    }

    /**
     * ADCX: adds with CF, changes CF only.
     *
     * @param cpu whose flags
     * @param a destination operand
     * @param b source operand
     * @param bits operand size, 32 or 64
     * @return the sum
     */
    public static long adcx(CpuState cpu, long a, long b, int bits) {
        long sum = a + b + Flags.carry(cpu);
        Flags.carry(cpu, carryOut(a, b, sum, bits));
        return sum;
    }

    /**
     * ADOX: adds with OF, changes OF only.
     *
     * @param cpu whose flags
     * @param a destination operand
     * @param b source operand
     * @param bits operand size, 32 or 64
     * @return the sum
     */
    public static long adox(CpuState cpu, long a, long b, int bits) {
        long sum = a + b + Flags.overflow(cpu);
        Flags.overflow(cpu, carryOut(a, b, sum, bits));
        return sum;
    }

    private static long carryOut(long a, long b, long sum, int bits) {
        return (a & b | (a | b) & ~sum) >>> bits - 1 & 1;
    }
}
