package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.OperandKind;

/** PUSH and PUSHA. */
final class Push {
    private Push() {}

    static Handler of(DecodedInstruction d) {
        boolean quadword = d.is64() && d.operandSizeBytes == 8;
        if (quadword && d.first().isRegister()) {
            return new Register64(d);
        }
        if (quadword && d.first().kind == OperandKind.IMMEDIATE) {
            return new Immediate64(d);
        }
        return d.first().kind == OperandKind.SEGMENT ? new Segment(d) : new General(d);
    }

    static Handler all(DecodedInstruction d) {
        return new All(d);
    }

    private static final class Register64 extends RegisterRegister {
        Register64(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long[] r = cpu.gpr;
            long pointer = r[CpuState.RSP] - 8;
            cpu.mem.store64(pointer, r[to]);
            if (cpu.pending != 0) {
                return cpu.abortStack(this);
            }
            r[CpuState.RSP] = pointer;
            return next;
        }
    }

    private static final class Immediate64 extends Handler {
        private final long immediate;

        Immediate64(DecodedInstruction d) {
            immediate = d.immediate;
        }

        @Override
        public Handler exec(Processor cpu) {
            long[] r = cpu.gpr;
            long pointer = r[CpuState.RSP] - 8;
            cpu.mem.store64(pointer, immediate);
            if (cpu.pending != 0) {
                return cpu.abortStack(this);
            }
            r[CpuState.RSP] = pointer;
            return next;
        }
    }

    private static final class General extends Handler {
        private final Place from;
        private final int size;

        General(DecodedInstruction d) {
            from = Place.of(d, d.first(), false);
            size = d.operandSizeBytes;
        }

        @Override
        public Handler exec(Processor cpu) {
            long value = from.read(cpu);
            if (cpu.pending != 0) {
                return from.fail(cpu, this);
            }
            Stack.store(cpu, size, value);
            if (cpu.pending != 0) {
                return cpu.abortStack(this);
            }
            Stack.move(cpu, -size);
            return next;
        }
    }

    /** A selector: the pointer moves by the operand size, but only 16 bits are written, as recent processors do. */
    private static final class Segment extends Handler {
        private final int segment;
        private final int size;

        Segment(DecodedInstruction d) {
            segment = d.first().register;
            size = d.operandSizeBytes;
        }

        @Override
        public Handler exec(Processor cpu) {
            int selector = cpu.segments[segment].selector;
            if (size == 8) {
                Stack.store(cpu, size, selector);
            } else {
                cpu.mem.store16(Stack.linear(cpu, -size, 2, true), selector);
            }
            if (cpu.pending != 0) {
                return cpu.abortStack(this);
            }
            Stack.move(cpu, -size);
            return next;
        }
    }

    /** PUSHA: all eight slots must be writable before the first is written. */
    private static final class All extends Handler {
        private final int size;

        All(DecodedInstruction d) {
            size = d.operandSizeBytes;
        }

        @Override
        public Handler exec(Processor cpu) {
            for (int i = 1; i <= 8; i++) {
                long linear = Stack.linear(cpu, -(long) i * size, size, true);
                if (cpu.pending == 0) {
                    cpu.mem.slow().probe(linear, size, true);
                }
            }
            if (cpu.pending != 0) {
                return cpu.abortStack(this);
            }
            for (int i = 0; i < 8; i++) {
                long linear = Stack.linear(cpu, -(i + 1L) * size, size, true);
                cpu.mem.store(linear, size, cpu.gpr[i]);
            }
            if (cpu.pending != 0) {
                return cpu.abortStack(this);
            }
            Stack.move(cpu, -8L * size);
            return next;
        }
    }
}
