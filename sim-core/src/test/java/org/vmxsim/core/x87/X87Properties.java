package org.vmxsim.core.x87;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.math.BigInteger;
import net.jqwik.api.ForAll;
import net.jqwik.api.Label;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

@Label("x87 arithmetic is exact arithmetic, rounded once: held against fractions of unlimited integers")
class X87Properties {
    private static final int TRIES = 2000;
    private static final int[] BITS = {24, 24, 53, 64};

    private final X87Unit unit = new X87Unit();
    private final X87State state = unit.state();

    /** A fraction of unlimited integers; the denominator is positive. */
    private record Fraction(BigInteger numerator, BigInteger denominator) {
        static Fraction of(int signExponent, long significand) {
            BigInteger magnitude = new BigInteger(Long.toUnsignedString(significand));
            BigInteger signed = (signExponent & 0x8000) != 0 ? magnitude.negate() : magnitude;
            int power = (signExponent & 0x7fff) - 16383 - 63;
            return new Fraction(
                    power > 0 ? signed.shiftLeft(power) : signed,
                    power > 0 ? BigInteger.ONE : BigInteger.ONE.shiftLeft(-power));
        }

        Fraction plus(Fraction other) {
            return new Fraction(
                    numerator.multiply(other.denominator).add(other.numerator.multiply(denominator)),
                    denominator.multiply(other.denominator));
        }

        Fraction times(Fraction other) {
            return new Fraction(numerator.multiply(other.numerator), denominator.multiply(other.denominator));
        }

        Fraction over(Fraction other) {
            BigInteger below = denominator.multiply(other.numerator);
            BigInteger above = numerator.multiply(other.denominator);
            return new Fraction(below.signum() < 0 ? above.negate() : above, below.abs());
        }

        /** The numbers of so many bits that enclose it: floor first, ceiling second; equal if it is one of them. */
        Fraction[] enclosed(int bits) {
            int power = numerator.abs().bitLength() - denominator.bitLength() - bits;
            while (true) {
                Fraction scaled = times(powerOfTwo(-power));
                BigInteger[] parts = scaled.numerator.divideAndRemainder(scaled.denominator);
                if (parts[0].abs().bitLength() <= bits) {
                    BigInteger floor = parts[1].signum() < 0 ? parts[0].subtract(BigInteger.ONE) : parts[0];
                    BigInteger ceiling = parts[1].signum() > 0
                            ? parts[0].add(BigInteger.ONE)
                            : parts[1].signum() < 0 ? parts[0] : floor;
                    return new Fraction[] {
                        new Fraction(floor, BigInteger.ONE).times(powerOfTwo(power)),
                        new Fraction(ceiling, BigInteger.ONE).times(powerOfTwo(power))
                    };
                }
                power++;
            }
        }

        static Fraction powerOfTwo(int power) {
            BigInteger shifted = BigInteger.ONE.shiftLeft(Math.abs(power));
            return power < 0 ? new Fraction(BigInteger.ONE, shifted) : new Fraction(shifted, BigInteger.ONE);
        }

        int compare(Fraction other) {
            return numerator.multiply(other.denominator).compareTo(other.numerator.multiply(denominator));
        }

        Fraction negated() {
            return new Fraction(numerator.negate(), denominator);
        }
    }

    private void operands(int e0, long s0, int e1, long s1, int rounding, int precision) {
        state.initialize();
        state.control(0x3f | precision << 8 | rounding << 10);
        state.put(0, e0, s0 | Long.MIN_VALUE);
        state.put(1, e1, s1 | Long.MIN_VALUE);
    }

    private Fraction top() {
        int register = state.physical(0);
        return Fraction.of(state.signExponents[register], state.significands[register]);
    }

    private void check(Fraction exact, int rounding, int bits) {
        Fraction[] ends = exact.enclosed(bits);
        Fraction is = top();
        Fraction floor = ends[0];
        Fraction ceiling = ends[1];
        boolean negative = exact.numerator.signum() < 0;
        Fraction must = switch (rounding) {
            case 1 -> floor;
            case 2 -> ceiling;
            case 3 -> negative ? ceiling : floor;
            default -> nearest(exact, floor, ceiling, bits);
        };
        assertThat(is.compare(must)).isZero();
        boolean inexact = floor.compare(ceiling) != 0;
        assertThat((state.status & X87State.PE) != 0).isEqualTo(inexact);
        boolean away = inexact && must.compare(negative ? floor : ceiling) == 0;
        assertThat((state.status & X87State.C1) != 0).isEqualTo(away);
    }

    private static Fraction nearest(Fraction exact, Fraction floor, Fraction ceiling, int bits) {
        Fraction twice = exact.plus(exact);
        int order = twice.compare(floor.plus(ceiling));
        if (order != 0) {
            return order < 0 ? floor : ceiling;
        }
        return isEven(floor, bits) ? floor : ceiling;
    }

    /** Whether the last of so many bits is 0. */
    private static boolean isEven(Fraction value, int bits) {
        Fraction[] shorter = value.enclosed(bits - 1);
        return shorter[0].compare(shorter[1]) == 0;
    }

    @Property(tries = TRIES)
    void sum(
            @ForAll @IntRange(min = 16300, max = 16460) int e0,
            @ForAll long s0,
            @ForAll @IntRange(min = 16300, max = 16460) int e1,
            @ForAll long s1,
            @ForAll @IntRange(max = 15) int controls) {
        int precision = controls & 3;
        operands(e0, s0, e1 | (int) s0 & 0x8000, s1, controls >> 2, precision == 1 ? 0 : precision);
        int sign = (int) s0 & 0x8000;
        Fraction a = Fraction.of(e0, s0 | Long.MIN_VALUE);
        Fraction b = Fraction.of(e1 | sign, s1 | Long.MIN_VALUE);
        boolean subtract = (s1 & 2) != 0;
        unit.compute(subtract ? X87Unit.Operation.SUBTRACT : X87Unit.Operation.ADD, 0, 1, false);
        Fraction exact = a.plus(subtract ? b.negated() : b);
        if (exact.numerator.signum() != 0) {
            check(exact, controls >> 2, BITS[precision]);
        }
    }

    @Property(tries = TRIES)
    void productAndQuotient(
            @ForAll @IntRange(min = 16000, max = 16700) int e0,
            @ForAll long s0,
            @ForAll @IntRange(min = 16000, max = 16700) int e1,
            @ForAll long s1,
            @ForAll @IntRange(max = 31) int controls) {
        int precision = controls & 3;
        int rounding = controls >> 2 & 3;
        operands(e0, s0, e1 | (int) s1 & 0x8000, s1, rounding, precision == 1 ? 0 : precision);
        Fraction a = Fraction.of(e0, s0 | Long.MIN_VALUE);
        Fraction b = Fraction.of(e1 | (int) s1 & 0x8000, s1 | Long.MIN_VALUE);
        boolean divide = controls >> 4 != 0;
        unit.compute(divide ? X87Unit.Operation.DIVIDE : X87Unit.Operation.MULTIPLY, 0, 1, false);
        check(divide ? a.over(b) : a.times(b), rounding, BITS[precision]);
    }

    @Property(tries = TRIES)
    @Label("The square of a root rounded down is not above the operand, that of the next number is")
    void root(@ForAll @IntRange(min = 16000, max = 16700) int exponent, @ForAll long significand) {
        operands(exponent, significand, 0, 0, 3, 3);
        Fraction operand = Fraction.of(exponent, significand | Long.MIN_VALUE);
        unit.squareRoot();
        Fraction root = top();
        int register = state.physical(0);
        Fraction unitOfLast = Fraction.of(state.signExponents[register], 1);
        Fraction above = root.plus(unitOfLast);
        assertThat(root.times(root).compare(operand)).isLessThanOrEqualTo(0);
        assertThat(above.times(above).compare(operand)).isPositive();
    }

    @Property(tries = 500)
    @Label("Sine, cosine and inverse tangent of small angles are those of the Java library, as far as doubles go")
    void angles(@ForAll @IntRange(min = -100_000, max = 100_000) int thousandths) {
        double angle = thousandths / 1000.0;
        state.initialize();
        state.control(0x37f);
        unit.transfers().loadDouble(Double.doubleToLongBits(angle));
        unit.sineAndCosine();
        assertThat(Double.longBitsToDouble(unit.transfers().toDouble())).isCloseTo(Math.cos(angle), within(1e-15));
        unit.transfers().stored(true);
        assertThat(Double.longBitsToDouble(unit.transfers().toDouble())).isCloseTo(Math.sin(angle), within(1e-15));
        unit.transfers().stored(true);
        unit.transfers().loadDouble(Double.doubleToLongBits(angle));
        unit.transfers().load(X87Transfers.Constant.ONE);
        unit.inverseTangent();
        assertThat(Double.longBitsToDouble(unit.transfers().toDouble())).isCloseTo(Math.atan(angle), within(1e-15));
    }

    @Property(tries = TRIES)
    @Label("An integer comes back from the stack as it was, by FILD, FBSTP, FBLD and FISTP")
    void integers(@ForAll long value) {
        state.initialize();
        unit.transfers().loadInteger(value);
        assertThat(unit.transfers().integer(8)).isEqualTo(value);
        unit.transfers().stored(true);
        long short18 = value % 1_000_000_000_000_000_000L;
        unit.transfers().loadInteger(short18);
        long low = unit.transfers().decimal();
        int upper = unit.transfers().upper();
        unit.transfers().stored(true);
        String digits = String.format("%02x%016x", upper & 0xff, low);
        assertThat(Long.parseLong(digits)).isEqualTo(Math.abs(short18));
        unit.transfers().loadDecimal(low, upper);
        assertThat(unit.transfers().integer(8)).isEqualTo(short18);
    }
}
