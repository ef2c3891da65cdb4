package org.vmxsim.core.x87;

import java.math.BigInteger;

/** Elementary functions of numbers with {@value #FRACTION} bits behind the point; errors are some units of the last. */
final class FixedPoint {
    static final int FRACTION = 256;
    static final BigInteger ONE = BigInteger.ONE.shiftLeft(FRACTION);
    /** Pi, by Machin's formula. */
    static final BigInteger PI =
            inverseTangentOf(5).shiftLeft(4).subtract(inverseTangentOf(239).shiftLeft(2));
    /** Natural logarithm of 2: twice the inverse hyperbolic tangent of 1/3. */
    static final BigInteger LN2 =
            inverseHyperbolicTangent(ONE.divide(BigInteger.valueOf(3))).shiftLeft(1);

    private FixedPoint() {}

    static BigInteger times(BigInteger a, BigInteger b) {
        return a.multiply(b).shiftRight(FRACTION);
    }

    static BigInteger over(BigInteger a, BigInteger b) {
        return a.shiftLeft(FRACTION).divide(b);
    }

    private static BigInteger inverseTangentOf(int inverse) {
        return odd(ONE.divide(BigInteger.valueOf(inverse)), true);
    }

    /** x + x^3/3 + x^5/5 ..., or with alternating signs. */
    private static BigInteger odd(BigInteger x, boolean alternating) {
        BigInteger square = times(x, x);
        BigInteger power = x;
        BigInteger sum = BigInteger.ZERO;
        for (int i = 1; power.signum() != 0 && power.bitLength() > 1; i += 2) {
            BigInteger term = power.divide(BigInteger.valueOf(i));
            sum = alternating && (i & 2) != 0 ? sum.subtract(term) : sum.add(term);
            power = times(power, square);
        }
        return sum;
    }

    static BigInteger inverseHyperbolicTangent(BigInteger x) {
        return x.signum() < 0 ? odd(x.negate(), false).negate() : odd(x, false);
    }

    /** Of 0 to 1. */
    static BigInteger inverseTangent(BigInteger x) {
        BigInteger t = x;
        for (int i = 0; i < 3; i++) {
            BigInteger root = ONE.add(times(t, t)).shiftLeft(FRACTION).sqrt();
            t = over(t, ONE.add(root));
        }
        return odd(t, true).shiftLeft(3);
    }

    /** x - x^3/3! ... from 1 on, or 1 - x^2/2! ... from 0 on. */
    private static BigInteger circular(BigInteger x, int from) {
        BigInteger square = times(x, x);
        BigInteger term = from == 1 ? x : ONE;
        BigInteger sum = BigInteger.ZERO;
        for (int i = from; term.bitLength() > 1; i += 2) {
            sum = (i & 2) != 0 ? sum.subtract(term) : sum.add(term);
            term = times(term, square).divide(BigInteger.valueOf((long) (i + 1) * (i + 2)));
        }
        return sum;
    }

    /** Of 0 to pi/2. */
    static BigInteger sine(BigInteger x) {
        return circular(x, 1);
    }

    /** Of 0 to pi/2. */
    static BigInteger cosine(BigInteger x) {
        return circular(x, 0);
    }

    /** e^x - 1 of -1 to 1. */
    static BigInteger exponentialLessOne(BigInteger x) {
        BigInteger term = x;
        BigInteger sum = BigInteger.ZERO;
        for (int i = 2; term.abs().bitLength() > 1; i++) {
            sum = sum.add(term);
            term = term.multiply(x).divide(ONE).divide(BigInteger.valueOf(i));
        }
        return sum;
    }

    /** ln(1 + d) of d above -1/2 and below 1. */
    static BigInteger logarithmOfOneAnd(BigInteger d) {
        return inverseHyperbolicTangent(over(d, d.add(ONE.shiftLeft(1)))).shiftLeft(1);
    }
}
