package org.vmxsim.core.x87;

import java.math.BigInteger;

/**
 * FPREM, FPREM1, FSCALE and FXTRACT: what takes numbers apart. SDM Vol. 2A, "FPREM-Partial Remainder", "FPREM1-Partial
 * Remainder", "FSCALE-Scale", "FXTRACT-Extract Exponent and Significand".
 */
final class Remainder {
    private static final int WHOLE = 64;
    private static final int LONG_BITS = 64;

    private final Rounder result;
    private final Arithmetic arithmetic;
    private final Conversion conversion;
    /** Condition codes of the last remainder. */
    int conditions;

    Remainder(Rounder result, Arithmetic arithmetic, Conversion conversion) {
        this.result = result;
        this.arithmetic = arithmetic;
        this.conversion = conversion;
    }

    /** The remainder and its condition codes; false if an operand is no number that has one. */
    boolean remainder(Extended a, Extended b, boolean nearest) {
        conditions = 0;
        if (arithmetic.answersNan(a, b)) {
            return false;
        }
        if (a.isInfinity() || b.isZero()) {
            result.invalid();
            return false;
        }
        arithmetic.denormals(a, b);
        if (a.isZero() || b.isInfinity()) {
            result.round(a, LONG_BITS);
            return true;
        }
        int distance = a.exponent() - b.exponent();
        if (distance < (nearest ? -1 : 0)) {
            result.round(a, LONG_BITS);
        } else if (distance < WHOLE) {
            whole(a, b, distance, nearest);
        } else {
            partial(a, b, distance);
        }
        return true;
    }

    private void whole(Extended a, Extended b, int distance, boolean nearest) {
        int below = Math.max(0, -distance);
        BigInteger dividend = Arithmetic.unsigned(a.normalized()).shiftLeft(Math.max(0, distance));
        BigInteger divisor = Arithmetic.unsigned(b.normalized()).shiftLeft(below);
        BigInteger[] parts = dividend.divideAndRemainder(divisor);
        BigInteger quotient = parts[0];
        BigInteger rest = parts[1];
        boolean negative = a.isNegative();
        if (nearest) {
            int order = rest.shiftLeft(1).compareTo(divisor);
            if (order > 0 || order == 0 && quotient.testBit(0)) {
                quotient = quotient.add(BigInteger.ONE);
                rest = divisor.subtract(rest);
                negative = !negative;
            }
        }
        conditions = (quotient.testBit(0) ? X87State.C1 : 0)
                | (quotient.testBit(1) ? X87State.C3 : 0)
                | (quotient.testBit(2) ? X87State.C0 : 0);
        if (rest.signum() == 0) {
            result.zero(a.isNegative());
        } else {
            int scale = b.exponent() - Extended.BIAS - 63 - below;
            result.round(negative, rest, scale, false, LONG_BITS);
        }
    }

    /** Takes 32 to 63 bits off the dividend's exponent. */
    private void partial(Extended a, Extended b, int distance) {
        int step = distance & 31 | 32;
        BigInteger divisor = Arithmetic.unsigned(b.normalized());
        BigInteger rest = Arithmetic.unsigned(a.normalized()).shiftLeft(step).mod(divisor);
        conditions = X87State.C2;
        if (rest.signum() == 0) {
            result.zero(a.isNegative());
        } else {
            int scale = b.exponent() - Extended.BIAS - 63 + distance - step;
            result.round(a.isNegative(), rest, scale, false, LONG_BITS);
        }
    }

    /** a * 2^b. */
    void scale(Extended a, Extended b) {
        if (arithmetic.answersNan(a, b)) {
            return;
        }
        boolean up = !b.isNegative();
        if (b.isInfinity()) {
            if (up ? a.isZero() : a.isInfinity()) {
                result.invalid();
                return;
            }
            arithmetic.denormals(a, a);
            if (up) {
                result.infinity(a.isNegative());
            } else {
                result.zero(a.isNegative());
            }
            return;
        }
        arithmetic.denormals(a, b);
        if (a.isInfinity() || a.isZero()) {
            result.exact(a.signExponent, a.significand);
        } else {
            result.round(a.isNegative(), a.exponent() + conversion.scale(b), a.normalized(), 0, LONG_BITS);
        }
    }

    /** Splits a number that is no NaN: the result is the exponent, {@code significand} gets the rest. */
    void extract(Extended a, Extended significand) {
        significand.set(a.signExponent, a.significand);
        if (arithmetic.answersNan(a, a)) {
            significand.set(result.signExponent, result.significand);
        } else if (a.isZero()) {
            result.flags |= X87State.ZE;
            result.infinity(true);
        } else if (a.isInfinity()) {
            result.infinity(false);
        } else {
            arithmetic.denormals(a, a);
            significand.set(a.signExponent & Extended.SIGN | Extended.BIAS, a.normalized());
            Extended exponent = new Extended();
            exponent.setInteger(a.exponent() - Extended.BIAS);
            result.exact(exponent.signExponent, exponent.significand);
        }
    }
}
