package org.vmxsim.core.x87;

/**
 * One value in double extended-precision format, as an operand. SDM Vol. 1, "Floating-Point Data Types" and
 * "Unsupported Double Extended-Precision Floating-Point Encodings and Pseudo-Denormals".
 */
final class Extended {
    /** What a value is; the order of the first three matters to nobody. */
    enum Kind {
        ZERO,
        NORMAL,
        DENORMAL,
        INFINITY,
        QUIET,
        SIGNALING,
        UNSUPPORTED
    }

    static final int BIAS = 16383;
    static final int MAX_EXPONENT = 0x7fff;
    static final int SIGN = 0x8000;
    static final long INTEGER_BIT = Long.MIN_VALUE;
    static final long QUIET_BIT = 1L << 62;

    int signExponent;
    long significand;
    /** Whether it was a denormal of a narrower format: the value is normal now, the exception is due all the same. */
    private boolean narrowDenormal;

    void set(int newSignExponent, long newSignificand) {
        signExponent = newSignExponent;
        significand = newSignificand;
        narrowDenormal = false;
    }

    void setSingle(int bits) {
        narrow(bits >>> 31, bits >>> 23 & 0xff, (bits & 0x7f_ffffL) << 40, 0xff);
    }

    void setDouble(long bits) {
        narrow((int) (bits >>> 63), (int) (bits >>> 52) & 0x7ff, bits << 11 & ~INTEGER_BIT, 0x7ff);
    }

    private void narrow(int sign, int exponent, long fraction, int most) {
        int rebias = BIAS - (most >> 1);
        if (exponent == most) {
            set(sign << 15 | MAX_EXPONENT, INTEGER_BIT | fraction);
        } else if (exponent != 0) {
            set(sign << 15 | exponent + rebias, INTEGER_BIT | fraction);
        } else if (fraction == 0) {
            set(sign << 15, 0);
        } else {
            int shift = Long.numberOfLeadingZeros(fraction);
            set(sign << 15 | 1 + rebias - shift, fraction << shift);
            narrowDenormal = true;
        }
    }

    void setInteger(long value) {
        long magnitude = Math.abs(value);
        if (value == 0) {
            set(0, 0);
        } else {
            int shift = Long.numberOfLeadingZeros(magnitude);
            set((value < 0 ? SIGN : 0) | BIAS + 63 - shift, magnitude << shift);
        }
    }

    Kind kind() {
        int exponent = signExponent & MAX_EXPONENT;
        if (exponent == 0) {
            return significand == 0 ? Kind.ZERO : Kind.DENORMAL;
        }
        if (significand >= 0) {
            return Kind.UNSUPPORTED;
        }
        if (exponent == MAX_EXPONENT) {
            boolean quiet = (significand & QUIET_BIT) != 0;
            return significand == INTEGER_BIT ? Kind.INFINITY : quiet ? Kind.QUIET : Kind.SIGNALING;
        }
        return narrowDenormal ? Kind.DENORMAL : Kind.NORMAL;
    }

    boolean isNan() {
        Kind kind = kind();
        return kind == Kind.QUIET || kind == Kind.SIGNALING;
    }

    boolean isInvalid() {
        Kind kind = kind();
        return kind == Kind.UNSUPPORTED || kind == Kind.SIGNALING;
    }

    boolean isZero() {
        return kind() == Kind.ZERO;
    }

    boolean isInfinity() {
        return kind() == Kind.INFINITY;
    }

    boolean isDenormal() {
        return kind() == Kind.DENORMAL;
    }

    boolean isNegative() {
        return (signExponent & SIGN) != 0;
    }

    /** The biased exponent of a finite value other than 0 once the integer bit is set; below 1 for denormals. */
    int exponent() {
        int exponent = signExponent & MAX_EXPONENT;
        return exponent == 0 ? 1 - Long.numberOfLeadingZeros(significand) : exponent;
    }

    /** The significand of a finite value other than 0 with the integer bit set. */
    long normalized() {
        return significand << Long.numberOfLeadingZeros(significand);
    }

    /** Compares magnitudes of finite values. */
    static int compareMagnitudes(Extended a, Extended b) {
        if (a.isZero() || b.isZero()) {
            return Boolean.compare(b.isZero(), a.isZero());
        }
        int byExponent = Integer.compare(a.exponent(), b.exponent());
        return byExponent != 0 ? byExponent : Long.compareUnsigned(a.normalized(), b.normalized());
    }
}
