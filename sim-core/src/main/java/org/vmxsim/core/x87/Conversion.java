package org.vmxsim.core.x87;

/**
 * Values in narrower formats and as integers. SDM Vol. 2A, FST, FIST, FBSTP, FRNDINT. The result stands in
 * {@link #bits}, and for the packed decimal in {@link #upperBits} too.
 */
final class Conversion {
    private static final long MOST_DECIMAL = 999_999_999_999_999_999L;
    private static final int LONG_BITS = 64;

    /** The converted value. */
    long bits;
    /** Bits 79:64 of a packed decimal. */
    int upperBits;

    private final Rounder result;
    private boolean inexact;
    private boolean away;
    private boolean beyond;

    Conversion(Rounder result) {
        this.result = result;
    }

    void toSingle(Extended a) {
        bits = narrow(a, 24, 0xff);
    }

    void toDouble(Extended a) {
        bits = narrow(a, 53, 0x7ff);
    }

    private long narrow(Extended a, int precision, int most) {
        int fractionBits = precision - 1;
        long sign = a.isNegative() ? 1L << fractionBits + (most == 0xff ? 8 : 11) : 0;
        long infinity = (long) most << fractionBits;
        switch (a.kind()) {
            case ZERO -> {
                return sign;
            }
            case INFINITY -> {
                return sign | infinity;
            }
            case UNSUPPORTED -> {
                result.flags |= X87State.IE;
                return (most == 0xff ? 1L << 31 : 1L << 63) | infinity | 1L << fractionBits - 1;
            }
            case QUIET, SIGNALING -> {
                result.flags |= a.isInvalid() ? X87State.IE : 0;
                long fraction = (a.significand & ~Extended.INTEGER_BIT) >>> LONG_BITS - precision;
                return sign | infinity | fraction | 1L << fractionBits - 1;
            }
            case NORMAL, DENORMAL -> {
                int exponent = a.exponent() - Extended.BIAS + (most >> 1);
                int biased = result.round(a.isNegative(), exponent, a.normalized(), 0, precision, most - 1);
                long fraction = (result.significand & ~Extended.INTEGER_BIT) >>> LONG_BITS - precision;
                return sign | (long) biased << fractionBits | fraction;
            }
        }
        throw new AssertionError(a.kind());
    }

    /** The integer part of a finite value's magnitude, rounded; 2^64 and more is "beyond". */
    private long magnitude(Extended a, boolean chop) {
        inexact = false;
        away = false;
        beyond = false;
        if (a.isZero()) {
            return 0;
        }
        int shift = Extended.BIAS + 63 - a.exponent();
        long significand = a.normalized();
        if (shift <= 0) {
            beyond = shift < 0;
            return significand;
        }
        long whole = shift >= LONG_BITS ? 0 : significand >>> shift;
        long rest = shift >= LONG_BITS ? shift == LONG_BITS ? significand : 1 : significand << LONG_BITS - shift;
        inexact = rest != 0;
        away = !chop && result.roundsAway(a.isNegative(), (whole & 1) != 0, rest < 0, rest << 1 != 0);
        return whole + (away ? 1 : 0);
    }

    private void note() {
        result.flags |= (inexact ? X87State.PE : 0) | (away ? X87State.C1 : 0);
    }

    /** A two's complement integer of 2, 4 or 8 bytes, or the integer indefinite. */
    void toInteger(Extended a, int sizeBytes) {
        long least = -1L << 8 * sizeBytes - 1;
        boolean number = a.kind() == Extended.Kind.NORMAL || a.isZero() || a.isDenormal();
        long magnitude = number ? magnitude(a, false) : 0;
        long most = a.isNegative() ? least : -1 - least;
        boolean fits = Long.compareUnsigned(magnitude, a.isNegative() ? -most : most) <= 0;
        if (!number || beyond || !fits) {
            result.flags |= X87State.IE;
            bits = least;
            return;
        }
        note();
        bits = a.isNegative() ? -magnitude : magnitude;
    }

    /** Eighteen decimal digits and a sign, or the packed BCD indefinite. */
    void toDecimal(Extended a) {
        boolean number = a.kind() == Extended.Kind.NORMAL || a.isZero() || a.isDenormal();
        long magnitude = number ? magnitude(a, false) : 0;
        if (!number || beyond || Long.compareUnsigned(magnitude, MOST_DECIMAL) > 0) {
            result.flags |= X87State.IE;
            upperBits = 0xffff;
            bits = 0xc000_0000_0000_0000L;
            return;
        }
        note();
        bits = 0;
        long rest = magnitude;
        for (int digit = 0; digit < 16; digit++) {
            bits |= rest % 10 << 4 * digit;
            rest /= 10;
        }
        upperBits = (int) (rest % 10 | rest / 10 << 4) | (a.isNegative() ? Extended.SIGN : 0);
    }

    /** The value of a packed decimal. */
    static void fromDecimal(Extended out, long low, int upper) {
        long value = (upper >>> 4 & 15) * 10L + (upper & 15);
        for (int digit = 15; digit >= 0; digit--) {
            value = value * 10 + (low >>> 4 * digit & 15);
        }
        out.setInteger(value);
        out.set(out.signExponent | upper & Extended.SIGN, out.significand);
    }

    /** The value rounded to an integer, as a value. */
    void toWhole(Extended a) {
        if (a.isZero() || a.isInfinity()) {
            result.exact(a.signExponent, a.significand);
            return;
        }
        result.flags |= a.isDenormal() ? X87State.DE : 0;
        long magnitude = magnitude(a, false);
        int sign = a.signExponent & Extended.SIGN;
        if (beyond || !inexact) {
            result.exact(a.signExponent, a.significand);
            return;
        }
        note();
        if (magnitude == 0) {
            result.exact(sign, 0);
        } else {
            int shift = Long.numberOfLeadingZeros(magnitude);
            result.exact(sign | Extended.BIAS + 63 - shift, magnitude << shift);
        }
    }

    /** The integer part of a finite value, as FSCALE takes it; large ones are cut to +-65536. */
    int scale(Extended a) {
        long magnitude = magnitude(a, true);
        int cut = beyond || magnitude < 0 ? 1 << 16 : (int) Math.min(magnitude, 1 << 16);
        return a.isNegative() ? -cut : cut;
    }
}
