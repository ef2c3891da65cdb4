package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.semantics.BinaryArithmetic;

/** INC, DEC, NEG and NOT: an instruction that replaces its operand. Frequent forms have handlers of their own. */
abstract class UnaryUpdate extends Handler {
    final int bits;
    private final boolean locked;
    private final Place operand;

    private UnaryUpdate(DecodedInstruction d) {
        bits = 8 * d.first().sizeBytes;
        locked = d.lock;
        operand = Place.of(d, d.first(), true);
    }

    static Handler inc(DecodedInstruction d) {
        if (d.first().isRegister() && d.first().sizeBytes == 8) {
            return new Inc64(d);
        }
        return d.first().isRegister() && d.first().sizeBytes == 4 ? new Inc32(d) : new Inc(d);
    }

    static Handler dec(DecodedInstruction d) {
        if (d.first().isRegister() && d.first().sizeBytes == 8) {
            return new Dec64(d);
        }
        return d.first().isRegister() && d.first().sizeBytes == 4 ? new Dec32(d) : new Dec(d);
    }

    static Handler neg(DecodedInstruction d) {
        return new Neg(d);
    }

    static Handler not(DecodedInstruction d) {
        return new Not(d);
    }

    /** The new value of the operand; sets the flags. */
    abstract long apply(Processor cpu, long a);

    @Override
    public final Handler exec(Processor cpu) {
        long a = operand.readForUpdate(cpu, locked);
        if (cpu.pending != 0) {
            return operand.fail(cpu, this);
        }
        operand.update(cpu, apply(cpu, a));
        return next;
    }

    private static final class Inc extends UnaryUpdate {
        Inc(DecodedInstruction d) {
            super(d);
        }

        @Override
        long apply(Processor cpu, long a) {
            return BinaryArithmetic.inc(cpu, a, bits);
        }
    }

    private static final class Dec extends UnaryUpdate {
        Dec(DecodedInstruction d) {
            super(d);
        }

        @Override
        long apply(Processor cpu, long a) {
            return BinaryArithmetic.dec(cpu, a, bits);
        }
    }

    private static final class Neg extends UnaryUpdate {
        Neg(DecodedInstruction d) {
            super(d);
        }

        @Override
        long apply(Processor cpu, long a) {
            return BinaryArithmetic.neg(cpu, a, bits);
        }
    }

    private static final class Not extends UnaryUpdate {
        Not(DecodedInstruction d) {
            super(d);
        }

        @Override
        long apply(Processor cpu, long a) {
            return ~a;
        }
    }

    private static final class Inc64 extends RegisterRegister {
        Inc64(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            cpu.gpr[to] = BinaryArithmetic.inc(cpu, cpu.gpr[to], 64);
            return next;
        }
    }

    private static final class Inc32 extends RegisterRegister {
        Inc32(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            cpu.gpr[to] = BinaryArithmetic.inc(cpu, cpu.gpr[to], 32) & 0xffff_ffffL;
            return next;
        }
    }

    private static final class Dec64 extends RegisterRegister {
        Dec64(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            cpu.gpr[to] = BinaryArithmetic.dec(cpu, cpu.gpr[to], 64);
            return next;
        }
    }

    private static final class Dec32 extends RegisterRegister {
        Dec32(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            cpu.gpr[to] = BinaryArithmetic.dec(cpu, cpu.gpr[to], 32) & 0xffff_ffffL;
            return next;
        }
    }
}
