package org.vmxsim.core.semantics;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Label;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.vmxsim.core.cpu.CpuState;

@Label("Results and flags against plain arithmetic, bit by bit")
class SemanticsProperties {
    private static final int ALL = Flags.CF | Flags.PF | Flags.AF | Flags.ZF | Flags.SF | Flags.OF;

    private final CpuState cpu = new CpuState();

    @Provide
    Arbitrary<Integer> sizes() {
        return Arbitraries.of(8, 16, 32, 64);
    }

    @Provide
    Arbitrary<Long> values() {
        return Arbitraries.oneOf(
                Arbitraries.longs(),
                Arbitraries.of(0L, 1L, -1L, 0x7fL, 0x80L, 0x7fffL, 0x8000L, 0x7fff_ffffL, 0x8000_0000L),
                Arbitraries.of(Long.MIN_VALUE, Long.MAX_VALUE, 0xffL, 0xffffL, 0xffff_ffffL));
    }

    private static BigInteger unsigned(long value, int bits) {
        return new BigInteger(Long.toUnsignedString(value)).mod(BigInteger.ONE.shiftLeft(bits));
    }

    private static BigInteger signed(long value, int bits) {
        BigInteger u = unsigned(value, bits);
        return u.testBit(bits - 1) ? u.subtract(BigInteger.ONE.shiftLeft(bits)) : u;
    }

    private static long bit(boolean set, int flag) {
        return set ? flag : 0;
    }

    private static long resultFlags(long result, int bits) {
        long low = unsigned(result, bits).longValue();
        return bit(Long.bitCount(low & 0xff) % 2 == 0, Flags.PF)
                | bit(low == 0, Flags.ZF)
                | bit((low >>> bits - 1 & 1) != 0, Flags.SF);
    }

    @Property
    @Label("ADD and ADC")
    void sums(@ForAll("values") long a, @ForAll("values") long b, @ForAll boolean carry, @ForAll("sizes") int bits) {
        cpu.rflags(carry ? 3 : 2);
        long result = BinaryArithmetic.adc(cpu, a, b, bits);
        BigInteger in = carry ? BigInteger.ONE : BigInteger.ZERO;
        BigInteger sum = unsigned(a, bits).add(unsigned(b, bits)).add(in);
        BigInteger signedSum = signed(a, bits).add(signed(b, bits)).add(in);
        assertThat(result).isEqualTo(signed(sum.longValue(), bits).longValue());
        assertThat(cpu.rflags() & ALL)
                .isEqualTo(resultFlags(result, bits)
                        | bit(sum.testBit(bits), Flags.CF)
                        | bit((a & 15) + (b & 15) + in.intValue() > 15, Flags.AF)
                        | bit(!signedSum.equals(BigInteger.valueOf(result)), Flags.OF));
    }

    @Property
    @Label("SUB, SBB and CMP")
    void differences(
            @ForAll("values") long a, @ForAll("values") long b, @ForAll boolean carry, @ForAll("sizes") int bits) {
        cpu.rflags(carry ? 3 : 2);
        long result = BinaryArithmetic.sbb(cpu, a, b, bits);
        BigInteger in = carry ? BigInteger.ONE : BigInteger.ZERO;
        BigInteger difference = unsigned(a, bits).subtract(unsigned(b, bits)).subtract(in);
        BigInteger signedDifference = signed(a, bits).subtract(signed(b, bits)).subtract(in);
        assertThat(result).isEqualTo(signed(difference.longValue(), bits).longValue());
        assertThat(cpu.rflags() & ALL)
                .isEqualTo(resultFlags(result, bits)
                        | bit(difference.signum() < 0, Flags.CF)
                        | bit((a & 15) - (b & 15) - in.intValue() < 0, Flags.AF)
                        | bit(!signedDifference.equals(BigInteger.valueOf(result)), Flags.OF));
    }

    @Property
    @Label("INC and DEC are ADD and SUB of 1 that keep CF")
    void steps(@ForAll("values") long a, @ForAll boolean carry, @ForAll("sizes") int bits) {
        CpuState other = new CpuState();
        cpu.rflags(carry ? 3 : 2);
        assertThat(BinaryArithmetic.inc(cpu, a, bits)).isEqualTo(BinaryArithmetic.add(other, a, 1, bits));
        assertThat(cpu.rflags() & ALL).isEqualTo(other.rflags() & (ALL ^ Flags.CF) | bit(carry, Flags.CF));
        assertThat(BinaryArithmetic.dec(cpu, a, bits)).isEqualTo(BinaryArithmetic.sub(other, a, 1, bits));
        assertThat(cpu.rflags() & ALL).isEqualTo(other.rflags() & (ALL ^ Flags.CF) | bit(carry, Flags.CF));
    }

    @Property
    @Label("DIV r/m64")
    void unsignedQuotients(@ForAll("values") long high, @ForAll("values") long low, @ForAll("values") long divisor) {
        BigInteger dividend = unsigned(high, 64).shiftLeft(64).add(unsigned(low, 64));
        BigInteger by = unsigned(divisor, 64);
        boolean fits = by.signum() != 0 && dividend.divide(by).bitLength() <= 64;
        assertThat(Division.fitsUnsigned(high, divisor)).isEqualTo(fits);
        if (fits) {
            assertThat(Division.quotientUnsigned(high, low, divisor))
                    .isEqualTo(dividend.divide(by).longValue());
        }
    }

    @Property
    @Label("IDIV r/m64")
    void signedQuotients(@ForAll("values") long high, @ForAll("values") long low, @ForAll("values") long divisor) {
        BigInteger dividend = BigInteger.valueOf(high).shiftLeft(64).add(unsigned(low, 64));
        BigInteger by = BigInteger.valueOf(divisor);
        boolean fits = by.signum() != 0 && dividend.divide(by).bitLength() <= 63;
        assertThat(Division.fitsSigned(high, low, divisor)).isEqualTo(fits);
        if (fits) {
            assertThat(Division.quotientSigned(high, low, divisor))
                    .isEqualTo(dividend.divide(by).longValue());
        }
    }

    @Property
    @Label("a quotient that just fits and one that just does not")
    void quotientsAtTheEdge(@ForAll("values") long divisor, @ForAll("values") long quotient, @ForAll("values") long r) {
        BigInteger by = BigInteger.valueOf(divisor);
        if (divisor == 0) {
            return;
        }
        BigInteger rest = BigInteger.valueOf(r).abs().mod(by.abs());
        BigInteger product = BigInteger.valueOf(quotient).multiply(by);
        BigInteger dividend = product.signum() < 0 ? product.subtract(rest) : product.add(rest);
        long high = dividend.shiftRight(64).longValue();
        BigInteger exact = dividend.divide(by);
        assertThat(Division.fitsSigned(high, dividend.longValue(), divisor)).isEqualTo(exact.bitLength() <= 63);
        if (exact.bitLength() <= 63) {
            assertThat(Division.quotientSigned(high, dividend.longValue(), divisor))
                    .isEqualTo(exact.longValue());
        }
    }

    @Property
    @Label("RCL and RCR turn a word of one bit more, one step at a time")
    void rotatesThroughCarry(
            @ForAll("values") long a, @ForAll("values") long count, @ForAll boolean carry, @ForAll("sizes") int bits) {
        int steps = (int) count & (bits == 64 ? 63 : 31);
        long left = unsigned(a, bits).longValue();
        long leftCarry = carry ? 1 : 0;
        for (int i = 0; i < steps; i++) {
            long out = left >>> bits - 1 & 1;
            left = unsigned(left << 1 | leftCarry, bits).longValue();
            leftCarry = out;
        }
        cpu.rflags(carry ? 3 : 2);
        assertThat(ShiftRotate.rcl(cpu, a, count, bits)).isEqualTo(left);
        assertThat(Flags.carry(cpu)).isEqualTo(leftCarry);
        assertThat(ShiftRotate.rcr(cpu, left, count, bits))
                .isEqualTo(unsigned(a, bits).longValue());
        assertThat(Flags.carry(cpu)).isEqualTo(carry ? 1 : 0);
    }

    @Property
    @Label("shifts, one step at a time")
    void shifts(@ForAll("values") long a, @ForAll("values") long count, @ForAll("sizes") int bits) {
        int steps = (int) count & (bits == 64 ? 63 : 31);
        BigInteger shifted = unsigned(a, bits).shiftLeft(steps);
        cpu.rflags(2);
        assertThat(ShiftRotate.shl(cpu, a, count, bits))
                .isEqualTo(signed(shifted.longValue(), bits).longValue());
        assertThat(Flags.carry(cpu)).isEqualTo(steps == 0 || !shifted.testBit(bits) ? 0 : 1);
        cpu.rflags(2);
        BigInteger right = signed(a, bits).shiftRight(steps);
        assertThat(ShiftRotate.sar(cpu, a, count, bits)).isEqualTo(right.longValue());
        assertThat(Flags.carry(cpu)).isEqualTo(steps > 0 && signed(a, bits).testBit(steps - 1) ? 1 : 0);
        cpu.rflags(2);
        BigInteger logical = unsigned(a, bits).shiftRight(steps);
        assertThat(ShiftRotate.shr(cpu, a, count, bits))
                .isEqualTo(signed(logical.longValue(), bits).longValue());
    }

    @Property
    @Label("PDEP puts back what PEXT has taken")
    void depositAndExtract(@ForAll long source, @ForAll long mask) {
        long packed = BitManipulation.pext(source, mask);
        assertThat(BitManipulation.pdep(packed, mask)).isEqualTo(source & mask);
        assertThat(packed >>> 1 >>> Math.max(Long.bitCount(mask) - 1, 0)).isZero();
    }

    @Property
    @Label("the sixteen conditions, from the flags as they are in RFLAGS")
    void conditions(@ForAll int image) {
        cpu.rflags(image & ALL | 2);
        boolean cf = (image & Flags.CF) != 0;
        boolean zf = (image & Flags.ZF) != 0;
        boolean sf = (image & Flags.SF) != 0;
        boolean of = (image & Flags.OF) != 0;
        boolean[] positive = {of, cf, zf, cf || zf, sf, (image & Flags.PF) != 0, sf != of, zf || sf != of};
        for (int tttn = 0; tttn < 16; tttn++) {
            assertThat(Conditions.holds(cpu, tttn))
                    .as("condition %d", tttn)
                    .isEqualTo(positive[tttn >> 1] ^ tttn % 2 == 1);
        }
        assertThat(cpu.rflags() & ALL).isEqualTo(image & ALL);
    }
}
