package org.vmxsim.core.semantics;

import org.vmxsim.core.cpu.CpuState;

/**
 * SDM Vol. 1, "Shift and Rotate Instructions". {@code count} is the count operand, any bits; it is masked here to 5
 * bits, or 6 for quadwords. A masked count of 0 changes no flag. OF, which the manual defines for a count of 1, is
 * computed by the same rule for every count, as processors do.
 */
public final class ShiftRotate {
    private ShiftRotate() {}

    private static int masked(long count, int bits) {
        return (int) count & (bits == 64 ? 63 : 31);
    }

    private static long unsigned(long a, int bits) {
        return a << 64 - bits >>> 64 - bits;
    }

    private static long signed(long a, int bits) {
        return a << 64 - bits >> 64 - bits;
    }

    /**
     * SHL (SAL).
     *
     * @param cpu whose flags
     * @param a the operand
     * @param count the count operand
     * @param bits operand size
     * @return the result, sign-extended
     */
    public static long shl(CpuState cpu, long a, long count, int bits) {
        int n = masked(count, bits);
        if (n == 0) {
            return signed(a, bits);
        }
        long result = signed(a << n, bits);
        long carry = n <= bits ? a >>> bits - n & 1 : 0;
        Flags.result(cpu, result, carry, carry ^ result >>> 63, 0);
        return result;
    }

    /**
     * SHR.
     *
     * @param cpu whose flags
     * @param a the operand
     * @param count the count operand
     * @param bits operand size
     * @return the result, sign-extended
     */
    public static long shr(CpuState cpu, long a, long count, int bits) {
        int n = masked(count, bits);
        long value = unsigned(a, bits);
        if (n == 0) {
            return signed(a, bits);
        }
        long result = signed(value >>> n, bits);
        Flags.result(cpu, result, value >>> n - 1 & 1, value >>> bits - 1, 0);
        return result;
    }

    /**
     * SAR.
     *
     * @param cpu whose flags
     * @param a the operand
     * @param count the count operand
     * @param bits operand size
     * @return the result, sign-extended
     */
    public static long sar(CpuState cpu, long a, long count, int bits) {
        int n = masked(count, bits);
        long value = signed(a, bits);
        if (n == 0) {
            return value;
        }
        long result = value >> n;
        Flags.result(cpu, result, value >> n - 1 & 1, 0, 0);
        return result;
    }

    /**
     * ROL.
     *
     * @param cpu whose flags
     * @param a the operand
     * @param count the count operand
     * @param bits operand size
     * @return the result, zero-extended
     */
    public static long rol(CpuState cpu, long a, long count, int bits) {
        int n = masked(count, bits);
        long value = unsigned(a, bits);
        if (n == 0) {
            return value;
        }
        int by = n & bits - 1;
        long result = by == 0 ? value : unsigned(value << by | value >>> bits - by, bits);
        long carry = result & 1;
        Flags.carryAndOverflow(cpu, carry, carry ^ result >>> bits - 1);
        return result;
    }

    /**
     * ROR.
     *
     * @param cpu whose flags
     * @param a the operand
     * @param count the count operand
     * @param bits operand size
     * @return the result, zero-extended
     */
    public static long ror(CpuState cpu, long a, long count, int bits) {
        int n = masked(count, bits);
        long value = unsigned(a, bits);
        if (n == 0) {
            return value;
        }
        int by = n & bits - 1;
        long result = by == 0 ? value : unsigned(value >>> by | value << bits - by, bits);
        long carry = result >>> bits - 1;
        Flags.carryAndOverflow(cpu, carry, carry ^ result >>> bits - 2 & 1);
        return result;
    }

    /**
     * RCL: rotates through CF.
     *
     * @param cpu whose flags
     * @param a the operand
     * @param count the count operand
     * @param bits operand size
     * @return the result, zero-extended
     */
    public static long rcl(CpuState cpu, long a, long count, int bits) {
        int n = masked(count, bits) % (bits + 1);
        long value = unsigned(a, bits);
        if (n == 0) {
            return value;
        }
        long carryIn = Flags.carry(cpu);
        long wrapped = n == 1 ? 0 : value >>> bits + 1 - n;
        long shifted = n == 64 ? 0 : value << n;
        long result = unsigned(shifted | carryIn << n - 1 | wrapped, bits);
        long carry = value >>> bits - n & 1;
        Flags.carryAndOverflow(cpu, carry, carry ^ result >>> bits - 1);
        return result;
    }

    /**
     * RCR: rotates through CF.
     *
     * @param cpu whose flags
     * @param a the operand
     * @param count the count operand
     * @param bits operand size
     * @return the result, zero-extended
     */
    public static long rcr(CpuState cpu, long a, long count, int bits) {
        int n = masked(count, bits) % (bits + 1);
        long value = unsigned(a, bits);
        if (n == 0) {
            return value;
        }
        long carryIn = Flags.carry(cpu);
        long wrapped = n == 1 ? 0 : value << bits + 1 - n;
        long shifted = n == 64 ? 0 : value >>> n;
        long result = unsigned(shifted | carryIn << bits - n | wrapped, bits);
        long carry = value >>> n - 1 & 1;
        Flags.carryAndOverflow(cpu, carry, (result >>> bits - 1 ^ result >>> bits - 2) & 1);
        return result;
    }

    /**
     * SHLD. A count above the operand size of 16, whose result the manual leaves undefined, shifts the source in a
     * second time, as processors do.
     *
     * @param cpu whose flags
     * @param a destination operand
     * @param b source operand
     * @param count the count operand
     * @param bits operand size, 16, 32 or 64
     * @return the result, sign-extended
     */
    public static long shld(CpuState cpu, long a, long b, long count, int bits) {
        int n = masked(count, bits);
        if (n == 0) {
            return signed(a, bits);
        }
        long x = unsigned(a, bits);
        long y = unsigned(b, bits);
        boolean past = n > bits;
        long high = past ? y : x;
        long low = past ? x : y;
        int by = past ? n - bits : n;
        long result = signed((by == 64 ? 0 : high << by) | low >>> bits - by, bits);
        long carry = high >>> bits - by & 1;
        Flags.result(cpu, result, carry, (x ^ result) >>> bits - 1 & 1, 0);
        return result;
    }

    /**
     * SHRD. A count above the operand size of 16, whose result the manual leaves undefined, shifts the source in a
     * second time, as processors do.
     *
     * @param cpu whose flags
     * @param a destination operand
     * @param b source operand
     * @param count the count operand
     * @param bits operand size, 16, 32 or 64
     * @return the result, sign-extended
     */
    public static long shrd(CpuState cpu, long a, long b, long count, int bits) {
        int n = masked(count, bits);
        if (n == 0) {
            return signed(a, bits);
        }
        long x = unsigned(a, bits);
        long y = unsigned(b, bits);
        boolean past = n > bits;
        long low = past ? y : x;
        long high = past ? x : y;
        int by = past ? n - bits : n;
        long result = signed(low >>> by | high << bits - by, bits);
        long carry = low >>> by - 1 & 1;
        Flags.result(cpu, result, carry, (result >>> bits - 1 ^ result >>> bits - 2) & 1, 0);
        return result;
    }
}
