package org.vmxsim.core.x87;

import java.math.BigInteger;

/**
 * The basic operations on two operands that are not empty. SDM Vol. 1, "Basic Arithmetic Instructions", and the tables
 * of results of FADD, FSUB, FMUL, FDIV and FSQRT in Vol. 2A.
 */
final class Arithmetic {
    private static final int LONG_BITS = 64;
    private static final int DOWN = 1;

    private final Rounder result;

    Arithmetic(Rounder result) {
        this.result = result;
    }

    /** Answers NaNs and unsupported encodings; true if there was one. SDM "Rules for Handling NaNs". */
    boolean answersNan(Extended a, Extended b) {
        if (a.kind() == Extended.Kind.UNSUPPORTED || b.kind() == Extended.Kind.UNSUPPORTED) {
            result.invalid();
            return true;
        }
        if (!a.isNan() && !b.isNan()) {
            return false;
        }
        result.flags |= a.isInvalid() || b.isInvalid() ? X87State.IE : 0;
        Extended chosen = chosenNan(a, b);
        result.exact(chosen.signExponent, chosen.significand | Extended.QUIET_BIT);
        return true;
    }

    private static Extended chosenNan(Extended a, Extended b) {
        if (!a.isNan() || !b.isNan()) {
            return a.isNan() ? a : b;
        }
        if (a.isInvalid() != b.isInvalid()) {
            return a.isInvalid() ? b : a;
        }
        int order = Long.compareUnsigned(a.significand, b.significand);
        boolean first = order == 0 ? !a.isNegative() : order > 0;
        return first ? a : b;
    }

    /** Notes denormal operands. */
    void denormals(Extended a, Extended b) {
        result.flags |= a.isDenormal() || b.isDenormal() ? X87State.DE : 0;
    }

    /** a + b, or a - b. */
    void add(Extended a, Extended b, boolean subtract) {
        if (answersNan(a, b)) {
            return;
        }
        boolean negativeB = b.isNegative() != subtract;
        if (a.isInfinity() || b.isInfinity()) {
            if (a.isInfinity() && b.isInfinity() && a.isNegative() != negativeB) {
                result.invalid();
                return;
            }
            denormals(a, b);
            result.infinity(a.isInfinity() ? a.isNegative() : negativeB);
            return;
        }
        denormals(a, b);
        int bits = result.precision();
        if (a.isZero() && b.isZero()) {
            result.zero(a.isNegative() == negativeB ? negativeB : result.mode() == DOWN);
        } else if (b.isZero()) {
            result.round(a, bits);
        } else if (a.isZero()) {
            result.round(negativeB, b.exponent(), b.normalized(), 0, bits);
        } else if (Extended.compareMagnitudes(a, b) >= 0) {
            sum(a, b, a.isNegative(), a.isNegative() != negativeB);
        } else {
            sum(b, a, negativeB, a.isNegative() != negativeB);
        }
    }

    /** Adds to or takes from the larger magnitude the smaller one. */
    private void sum(Extended large, Extended small, boolean negative, boolean difference) {
        int exponent = large.exponent();
        int distance = exponent - small.exponent();
        long high = large.normalized();
        long bits = small.normalized();
        long smallHigh = distance >= LONG_BITS ? 0 : bits >>> distance;
        long smallLow = distance == 0 ? 0 : distance < LONG_BITS ? bits << LONG_BITS - distance : 1;
        if (distance >= LONG_BITS && distance < 2 * LONG_BITS) {
            int beyond = distance - LONG_BITS;
            smallLow = bits >>> beyond | (beyond != 0 && bits << LONG_BITS - beyond != 0 ? 1 : 0);
        }
        if (difference) {
            high -= smallHigh + (smallLow != 0 ? 1 : 0);
            difference(negative, exponent, high, -smallLow);
            return;
        }
        long total = high + smallHigh;
        if (Long.compareUnsigned(total, high) < 0) {
            long low = total << LONG_BITS - 1 | smallLow >>> 1 | smallLow & 1;
            result.round(negative, exponent + 1, total >>> 1 | Extended.INTEGER_BIT, low, result.precision());
        } else {
            result.round(negative, exponent, total, smallLow, result.precision());
        }
    }

    private void difference(boolean negative, int exponent, long high, long low) {
        if (high == 0 && low == 0) {
            result.zero(result.mode() == DOWN);
            return;
        }
        int shift = high == 0 ? LONG_BITS + Long.numberOfLeadingZeros(low) : Long.numberOfLeadingZeros(high);
        long top = high;
        long rest = low;
        if (shift >= LONG_BITS) {
            top = low << shift - LONG_BITS;
            rest = 0;
        } else if (shift != 0) {
            top = high << shift | low >>> LONG_BITS - shift;
            rest = low << shift;
        }
        result.round(negative, exponent - shift, top, rest, result.precision());
    }

    void multiply(Extended a, Extended b) {
        if (answersNan(a, b)) {
            return;
        }
        boolean negative = a.isNegative() != b.isNegative();
        if (a.isInfinity() && b.isZero() || a.isZero() && b.isInfinity()) {
            result.invalid();
            return;
        }
        denormals(a, b);
        if (a.isInfinity() || b.isInfinity()) {
            result.infinity(negative);
        } else if (a.isZero() || b.isZero()) {
            result.zero(negative);
        } else {
            long x = a.normalized();
            long y = b.normalized();
            long high = Math.multiplyHigh(x, y) + x + y;
            long low = x * y;
            int exponent = a.exponent() + b.exponent() - Extended.BIAS + 1;
            if (high >= 0) {
                high = high << 1 | low >>> LONG_BITS - 1;
                low <<= 1;
                exponent--;
            }
            result.round(negative, exponent, high, low, result.precision());
        }
    }

    void divide(Extended a, Extended b) {
        if (answersNan(a, b)) {
            return;
        }
        boolean negative = a.isNegative() != b.isNegative();
        if (a.isInfinity() && b.isInfinity() || a.isZero() && b.isZero()) {
            result.invalid();
            return;
        }
        if (b.isZero() && !a.isInfinity()) {
            result.flags |= X87State.ZE;
            result.infinity(negative);
            return;
        }
        denormals(a, b);
        if (a.isInfinity()) {
            result.infinity(negative);
        } else if (b.isInfinity() || a.isZero()) {
            result.zero(negative);
        } else {
            quotient(negative, a, b);
        }
    }

    /** The quotient bit by bit: 64 of them, then one more and whether anything is left. */
    private void quotient(boolean negative, Extended a, Extended b) {
        long divisor = b.normalized();
        long rest = a.normalized();
        int exponent = a.exponent() - b.exponent() + Extended.BIAS;
        boolean carry = false;
        if (Long.compareUnsigned(rest, divisor) < 0) {
            exponent--;
            carry = rest < 0;
            rest <<= 1;
        }
        long quotient = 0;
        for (int i = 0; i < LONG_BITS; i++) {
            boolean fits = carry || Long.compareUnsigned(rest, divisor) >= 0;
            rest -= fits ? divisor : 0;
            quotient = quotient << 1 | (fits ? 1 : 0);
            carry = rest < 0;
            rest <<= 1;
        }
        boolean half = carry || Long.compareUnsigned(rest, divisor) >= 0;
        rest -= half ? divisor : 0;
        long low = (half ? Extended.INTEGER_BIT : 0) | (rest != 0 ? 1 : 0);
        result.round(negative, exponent, quotient, low, result.precision());
    }

    void squareRoot(Extended a) {
        if (answersNan(a, a)) {
            return;
        }
        if (a.isZero()) {
            result.zero(a.isNegative());
        } else if (a.isNegative()) {
            result.invalid();
        } else {
            denormals(a, a);
            if (a.isInfinity()) {
                result.infinity(false);
                return;
            }
            int scale = a.exponent() - Extended.BIAS - 63;
            int shift = 2 * LONG_BITS + (scale & 1);
            BigInteger[] root = unsigned(a.normalized()).shiftLeft(shift).sqrtAndRemainder();
            result.round(false, root[0], (scale - shift) / 2, root[1].signum() != 0, result.precision());
        }
    }

    static BigInteger unsigned(long value) {
        BigInteger low = BigInteger.valueOf(value & Long.MAX_VALUE);
        return value < 0 ? low.setBit(63) : low;
    }
}
