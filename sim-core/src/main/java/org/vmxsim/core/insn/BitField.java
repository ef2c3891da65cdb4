package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Op;
import org.vmxsim.core.semantics.BinaryArithmetic;
import org.vmxsim.core.semantics.BitManipulation;

/** The BMI1 and BMI2 instructions: operands zero-extended, at most one of them memory. */
final class BitField extends Handler {
    private static final int UD = 6;

    private final Op op;
    private final Place to;
    private final Place first;
    private final Place second;
    private final int bits;
    private final boolean code64;

    BitField(DecodedInstruction d) {
        op = d.op;
        code64 = d.is64();
        to = Place.of(d, d.first(), true);
        first = Place.of(d, d.second(), false);
        boolean one = switch (op) {
            case BLSI, BLSMSK, BLSR -> true;
            default -> false;
        };
        second = one ? first : Place.of(d, d.third(), false);
        bits = d.operandSizeBytes == 8 ? 64 : 32;
    }

    @Override
    public Handler exec(Processor cpu) {
        boolean protectedMode = (cpu.cr0 & 1) != 0 && (cpu.rflagsSystem & 1 << 17) == 0;
        if (!code64 && !protectedMode) {
            // "#UD if ... in real-address or virtual-8086 mode": VEX prefixes are not recognized there
            cpu.raise(UD);
            return cpu.abort(this);
        }
        long a = first.read(cpu);
        if (cpu.pending != 0) {
            return first.fail(cpu, this);
        }
        long b = second == first ? a : second.read(cpu);
        if (cpu.pending != 0) {
            return second.fail(cpu, this);
        }
        if (op == Op.MULX) {
            multiply(cpu, b);
        } else {
            to.write(cpu, result(cpu, a, b));
        }
        return next;
    }

    /** MULX: the second operand takes the low half, the first the high half, which wins if both are one register. */
    private void multiply(Processor cpu, long b) {
        long a = cpu.gpr[CpuState.RDX];
        if (bits == 64) {
            first.write(cpu, a * b);
            to.write(cpu, BinaryArithmetic.multiplyHighUnsigned(a, b));
        } else {
            long product = (a & 0xffff_ffffL) * b;
            first.write(cpu, product);
            to.write(cpu, product >>> 32);
        }
    }

    private long result(Processor cpu, long a, long b) {
        int count = (int) b & bits - 1;
        return switch (op) {
            case ANDN -> BitManipulation.andn(cpu, a, b, bits);
            case BEXTR -> BitManipulation.bextr(cpu, a, b);
            case BLSI -> BitManipulation.blsi(cpu, a, bits);
            case BLSMSK -> BitManipulation.blsmsk(cpu, a, bits);
            case BLSR -> BitManipulation.blsr(cpu, a, bits);
            case BZHI -> BitManipulation.bzhi(cpu, a, b, bits);
            case PDEP -> BitManipulation.pdep(a, b);
            case PEXT -> BitManipulation.pext(a, b);
            case RORX -> BitManipulation.rorx(a, count, bits);
            case SARX -> a << 64 - bits >> 64 - bits >> count;
            case SHLX -> a << count;
            case SHRX -> a >>> count;
            default -> throw new AssertionError(op);
        };
    }
}
