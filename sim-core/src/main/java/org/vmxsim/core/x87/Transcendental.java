package org.vmxsim.core.x87;

import java.math.BigInteger;

/**
 * FSIN, FCOS, FPTAN, FPATAN, F2XM1, FYL2X, FYL2XP1: the exact functions, correctly rounded. SDM Vol. 1, "Transcendental
 * Instructions", "Approximation of Pi", and the tables of results in Vol. 2A. Arguments near 0, where the function is
 * all but linear, are answered by the first term and "a little more" or less.
 */
final class Transcendental {
    /** Which function of an angle. */
    enum Angle {
        SINE,
        COSINE,
        TANGENT
    }

    private static final int FRACTION = FixedPoint.FRACTION;
    private static final int LONG_BITS = 64;
    /** Below 2^-this the first term is right to more bits than are asked for. */
    private static final int SMALL = 80;

    private static final int GUARD = 70;
    private static final int RANGE = 63;
    /** Half of the manual's 66 bits of pi: 0.C90FDAA22168C234C * 2. */
    private static final BigInteger HALF_PI = new BigInteger("C90FDAA22168C234C", 16).shiftLeft(FRACTION - 68 + 1);

    private final Rounder result;
    private final Arithmetic arithmetic;

    Transcendental(Rounder result, Arithmetic arithmetic) {
        this.result = result;
        this.arithmetic = arithmetic;
    }

    private static int power(Extended a) {
        return a.exponent() - Extended.BIAS;
    }

    /** A finite value that is not tiny, as a fixed-point magnitude. */
    private static BigInteger fixed(Extended a) {
        return shifted(Arithmetic.unsigned(a.normalized()), FRACTION + power(a) - 63);
    }

    private static BigInteger shifted(BigInteger value, int left) {
        return left >= 0 ? value.shiftLeft(left) : value.shiftRight(-left);
    }

    private static BigInteger signed(Extended a) {
        return a.isNegative() ? fixed(a).negate() : fixed(a);
    }

    private void round(boolean negative, BigInteger magnitude, int scale) {
        result.round(negative, magnitude, scale, true, LONG_BITS);
    }

    /** The operand and a little more (1) or less (-1). */
    private void nearly(Extended a, boolean negative, int more) {
        BigInteger magnitude =
                Arithmetic.unsigned(a.normalized()).shiftLeft(GUARD).add(BigInteger.valueOf(more));
        round(negative, magnitude, power(a) - 63 - GUARD);
    }

    /** Whether FSIN and its kin leave the operand alone: 2^63 and more. */
    static boolean isOutOfRange(Extended a) {
        boolean finite = a.kind() == Extended.Kind.NORMAL;
        return finite && power(a) >= RANGE;
    }

    /** A function of a finite angle in range, or of a NaN. */
    void angle(Extended a, Angle function) {
        if (arithmetic.answersNan(a, a)) {
            return;
        }
        if (a.isInfinity()) {
            result.invalid();
            return;
        }
        arithmetic.denormals(a, a);
        if (a.isZero()) {
            if (function == Angle.COSINE) {
                one();
            } else {
                result.zero(a.isNegative());
            }
        } else if (power(a) < -SMALL) {
            smallAngle(a, function);
        } else {
            BigInteger[] parts = fixed(a).divideAndRemainder(HALF_PI);
            int quadrant = parts[0].intValue() & 3;
            reduced(quadrant, parts[1], a.isNegative(), function);
        }
    }

    void one() {
        result.exact(Extended.BIAS, Extended.INTEGER_BIT);
    }

    private void smallAngle(Extended a, Angle function) {
        switch (function) {
            case SINE -> nearly(a, a.isNegative(), -1);
            case TANGENT -> nearly(a, a.isNegative(), 1);
            case COSINE -> round(false, FixedPoint.ONE.subtract(BigInteger.ONE), -FRACTION);
        }
    }

    private void reduced(int quadrant, BigInteger rest, boolean negative, Angle function) {
        BigInteger sine = FixedPoint.sine(rest);
        BigInteger cosine = FixedPoint.cosine(rest);
        boolean odd = (quadrant & 1) != 0;
        boolean lower = (quadrant & 2) != 0;
        switch (function) {
            case SINE -> round(negative != lower, odd ? cosine : sine, -FRACTION);
            case COSINE -> round(odd != lower, odd ? sine : cosine, -FRACTION);
            case TANGENT -> {
                BigInteger tangent = odd ? FixedPoint.over(cosine, sine) : FixedPoint.over(sine, cosine);
                round(negative != odd, tangent, -FRACTION);
            }
        }
    }

    /** The angle of the point (x, y). */
    void inverseTangent(Extended y, Extended x) {
        if (arithmetic.answersNan(y, x)) {
            return;
        }
        arithmetic.denormals(y, x);
        boolean left = x.isNegative();
        boolean negative = y.isNegative();
        if (y.isInfinity()) {
            int eighths = x.isInfinity() ? left ? 3 : 1 : 2;
            round(negative, FixedPoint.PI.multiply(BigInteger.valueOf(eighths)), -FRACTION - 2);
        } else if (y.isZero() || x.isInfinity()) {
            if (left) {
                round(negative, FixedPoint.PI, -FRACTION);
            } else {
                result.zero(negative);
            }
        } else if (x.isZero() || power(y) - power(x) > SMALL) {
            round(negative, FixedPoint.PI, -FRACTION - 1);
        } else {
            inverseTangentOfNumbers(y, x);
        }
    }

    private void inverseTangentOfNumbers(Extended y, Extended x) {
        boolean left = x.isNegative();
        int distance = power(y) - power(x);
        BigInteger vertical = Arithmetic.unsigned(y.normalized());
        BigInteger horizontal = Arithmetic.unsigned(x.normalized());
        if (distance < -SMALL) {
            if (left) {
                round(y.isNegative(), FixedPoint.PI.subtract(BigInteger.ONE), -FRACTION);
            } else {
                smallQuotient(y.isNegative(), vertical, horizontal, distance);
            }
            return;
        }
        if (distance >= 0) {
            vertical = vertical.shiftLeft(distance);
        } else {
            horizontal = horizontal.shiftLeft(-distance);
        }
        BigInteger angle = vertical.compareTo(horizontal) <= 0
                ? FixedPoint.inverseTangent(FixedPoint.over(vertical, horizontal))
                : FixedPoint.PI
                        .shiftRight(1)
                        .subtract(FixedPoint.inverseTangent(FixedPoint.over(horizontal, vertical)));
        round(y.isNegative(), left ? FixedPoint.PI.subtract(angle) : angle, -FRACTION);
    }

    /** The quotient y / x, a little less unless it is exact where a denormal result ends. */
    private void smallQuotient(boolean negative, BigInteger vertical, BigInteger horizontal, int distance) {
        BigInteger quotient = vertical.shiftLeft(FRACTION).divide(horizontal).subtract(BigInteger.ONE);
        round(negative, quotient, distance - FRACTION);
    }

    /** 2^x - 1 for -1 to 1; beyond that the manual leaves the result open, and the operand stays. */
    void powerLessOne(Extended a) {
        if (arithmetic.answersNan(a, a)) {
            return;
        }
        if (a.isInfinity()) {
            if (a.isNegative()) {
                result.exact(Extended.SIGN | Extended.BIAS, Extended.INTEGER_BIT);
            } else {
                result.infinity(false);
            }
            return;
        }
        arithmetic.denormals(a, a);
        boolean isOne = !a.isZero() && power(a) == 0 && a.normalized() == Extended.INTEGER_BIT;
        if (isOne) {
            result.exact(a.isNegative() ? Extended.SIGN | Extended.BIAS - 1 : Extended.BIAS, Extended.INTEGER_BIT);
        } else if (a.isZero()) {
            result.zero(a.isNegative());
        } else if (power(a) >= 0) {
            unchanged(a);
        } else if (power(a) < -SMALL) {
            round(
                    a.isNegative(),
                    Arithmetic.unsigned(a.normalized()).multiply(FixedPoint.LN2),
                    power(a) - 63 - FRACTION);
        } else {
            BigInteger value = FixedPoint.exponentialLessOne(FixedPoint.times(signed(a), FixedPoint.LN2));
            round(a.isNegative(), value.abs(), -FRACTION);
        }
    }

    /** The operand itself as an inexact result: outside the range that the manual gives. */
    private void unchanged(Extended a) {
        result.flags |= X87State.PE;
        result.exact(a.signExponent, a.significand);
    }

    /** y * log2(x). */
    void logarithm(Extended x, Extended y) {
        if (arithmetic.answersNan(x, y)) {
            return;
        }
        boolean isOne = x.signExponent == Extended.BIAS && x.significand == Extended.INTEGER_BIT;
        boolean undefined = x.isNegative() && !x.isZero()
                || x.isZero() && y.isZero()
                || x.isInfinity() && y.isZero()
                || isOne && y.isInfinity();
        if (undefined) {
            result.invalid();
            return;
        }
        arithmetic.denormals(x, y);
        boolean below = x.isZero() || !x.isInfinity() && power(x) < 0;
        boolean negative = y.isNegative() != below;
        if (x.isZero() || x.isInfinity() || y.isInfinity()) {
            result.flags |= x.isZero() && !y.isInfinity() ? X87State.ZE : 0;
            result.infinity(negative);
        } else if (isOne || y.isZero()) {
            result.zero(negative);
        } else {
            logarithmOfNumber(x, y, negative);
        }
    }

    private void logarithmOfNumber(Extended x, Extended y, boolean negative) {
        BigInteger factor = Arithmetic.unsigned(y.normalized());
        int scale = power(y) - 63;
        BigInteger whole = BigInteger.valueOf(power(x));
        if (x.normalized() == Extended.INTEGER_BIT) {
            result.round(negative, whole.abs().multiply(factor), scale, false, LONG_BITS);
            return;
        }
        BigInteger fraction =
                shifted(Arithmetic.unsigned(x.normalized()), FRACTION - 63).subtract(FixedPoint.ONE);
        BigInteger binary = FixedPoint.over(FixedPoint.logarithmOfOneAnd(fraction), FixedPoint.LN2);
        BigInteger logarithm = whole.shiftLeft(FRACTION).add(binary);
        round(negative, logarithm.abs().multiply(factor), scale - FRACTION);
    }

    /** y * log2(x + 1); where x + 1 is not above 0 the manual leaves the result open, and it is x. */
    void logarithmOfOneAnd(Extended x, Extended y) {
        if (arithmetic.answersNan(x, y)) {
            return;
        }
        boolean tooSmall = x.isNegative() && !x.isZero() && !x.isInfinity() && power(x) >= 0;
        if (x.isInfinity() && x.isNegative() || x.isZero() && y.isInfinity() || x.isInfinity() && y.isZero()) {
            result.invalid();
            return;
        }
        arithmetic.denormals(x, y);
        boolean negative = x.isNegative() != y.isNegative();
        if (x.isInfinity() || y.isInfinity()) {
            result.infinity(negative);
        } else if (x.isZero() || y.isZero()) {
            result.zero(negative);
        } else if (tooSmall) {
            unchanged(x);
        } else {
            BigInteger factor = Arithmetic.unsigned(y.normalized());
            int scale = power(y) - 63;
            if (power(x) < -SMALL) {
                BigInteger product =
                        factor.multiply(Arithmetic.unsigned(x.normalized())).shiftLeft(2 * FRACTION);
                round(negative, product.divide(FixedPoint.LN2), scale + power(x) - 63 - FRACTION);
            } else {
                round(negative, logarithmOfSum(x).abs().multiply(factor), scale - FRACTION);
            }
        }
    }

    private static BigInteger logarithmOfSum(Extended x) {
        BigInteger sum = FixedPoint.ONE.add(signed(x));
        int whole = sum.bitLength() - 1 - FRACTION;
        boolean near = power(x) < 0 && !(x.isNegative() && power(x) == -1);
        BigInteger rest = near ? signed(x) : shifted(sum, -whole).subtract(FixedPoint.ONE);
        BigInteger binary = FixedPoint.over(FixedPoint.logarithmOfOneAnd(rest), FixedPoint.LN2);
        return near ? binary : BigInteger.valueOf(whole).shiftLeft(FRACTION).add(binary);
    }
}
