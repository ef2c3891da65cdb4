package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.OperandKind;
import org.vmxsim.core.semantics.BinaryArithmetic;

/** MUL, and IMUL with one, two and three operands. */
final class Multiply {
    private Multiply() {}

    static Handler mul(DecodedInstruction d) {
        return new Wide(d, false);
    }

    static Handler imul(DecodedInstruction d) {
        if (d.second().kind == OperandKind.NONE) {
            return new Wide(d, true);
        }
        boolean registers = d.second().isRegister() && d.third().kind == OperandKind.NONE;
        if (registers && d.first().sizeBytes == 8) {
            return new RegReg64(d);
        }
        return registers && d.first().sizeBytes == 4 ? new RegReg32(d) : new General(d);
    }

    private static final class RegReg64 extends RegisterRegister {
        RegReg64(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long[] r = cpu.gpr;
            r[to] = BinaryArithmetic.imul(cpu, r[to], r[from], 64);
            return next;
        }
    }

    private static final class RegReg32 extends RegisterRegister {
        RegReg32(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long[] r = cpu.gpr;
            r[to] = BinaryArithmetic.imul(cpu, r[to], r[from], 32) & 0xffff_ffffL;
            return next;
        }
    }

    /** IMUL r, r/m and IMUL r, r/m, imm. */
    private static final class General extends Handler {
        private final Place to;
        private final Place from;
        private final Place other;
        private final int bits;

        General(DecodedInstruction d) {
            to = Place.of(d, d.first(), true);
            from = Place.of(d, d.second(), false);
            other = Place.of(d, d.third().kind == OperandKind.NONE ? d.first() : d.third(), false);
            bits = 8 * d.operandSizeBytes;
        }

        @Override
        public Handler exec(Processor cpu) {
            long a = from.read(cpu);
            if (cpu.pending != 0) {
                return from.fail(cpu, this);
            }
            to.write(cpu, BinaryArithmetic.imul(cpu, a, other.read(cpu), bits));
            return next;
        }
    }

    /** AX, DX:AX, EDX:EAX or RDX:RAX by r/m. */
    private static final class Wide extends Handler {
        private final Place factor;
        private final Place low;
        private final Place high;
        private final int bits;
        private final boolean signed;

        Wide(DecodedInstruction d, boolean signed) {
            int size = d.first().sizeBytes;
            factor = Place.of(d, d.first(), false);
            low = Place.register(CpuState.RAX, size);
            high = size == 1 ? Place.highByte(CpuState.RAX) : Place.register(CpuState.RDX, size);
            bits = 8 * size;
            this.signed = signed;
        }

        @Override
        public Handler exec(Processor cpu) {
            long b = factor.read(cpu);
            if (cpu.pending != 0) {
                return factor.fail(cpu, this);
            }
            long a = low.read(cpu);
            int shift = 64 - bits;
            if (signed) {
                a = a << shift >> shift;
                b = b << shift >> shift;
            }
            long product = a * b;
            // the product of halves of a quadword fits into one; only that of quadwords needs a second
            long highPart = product >> bits;
            if (bits == 64) {
                highPart = signed ? Math.multiplyHigh(a, b) : BinaryArithmetic.multiplyHighUnsigned(a, b);
            }
            finish(cpu, product, highPart);
            return next;
        }

        private void finish(Processor cpu, long product, long highPart) {
            int shift = 64 - bits;
            long lowPart = product << shift >> shift;
            low.write(cpu, product);
            high.write(cpu, highPart);
            long upper = highPart << shift >> shift;
            BinaryArithmetic.multiplied(cpu, lowPart, upper != (signed ? lowPart >> 63 : 0));
        }
    }
}
