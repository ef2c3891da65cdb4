package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;

/** POP to registers and memory, and POPA. */
final class Pop {
    private Pop() {}

    static Handler of(DecodedInstruction d) {
        if (d.first().isMemory()) {
            return new Memory(d);
        }
        return d.is64() && d.operandSizeBytes == 8 ? new Register64(d) : new Register(d);
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
            long value = cpu.mem.load64(r[CpuState.RSP]);
            if (cpu.pending != 0) {
                return cpu.abortStack(this);
            }
            r[CpuState.RSP] += 8;
            r[to] = value;
            return next;
        }
    }

    private static final class Register extends Handler {
        private final Place to;
        private final int size;

        Register(DecodedInstruction d) {
            to = Place.of(d, d.first(), true);
            size = d.operandSizeBytes;
        }

        @Override
        public Handler exec(Processor cpu) {
            long value = Stack.load(cpu, size);
            if (cpu.pending != 0) {
                return cpu.abortStack(this);
            }
            Stack.move(cpu, size);
            to.write(cpu, value);
            return next;
        }
    }

    /**
     * "If the ESP register is used as a base register ..., the POP instruction computes ... after it increments it".
     */
    private static final class Memory extends Handler {
        private final Place to;
        private final int size;

        Memory(DecodedInstruction d) {
            to = Place.of(d, d.first(), true);
            size = d.operandSizeBytes;
        }

        @Override
        public Handler exec(Processor cpu) {
            long value = Stack.load(cpu, size);
            if (cpu.pending != 0) {
                return cpu.abortStack(this);
            }
            long pointer = cpu.gpr[CpuState.RSP];
            Stack.move(cpu, size);
            to.write(cpu, value);
            if (cpu.pending != 0) {
                cpu.gpr[CpuState.RSP] = pointer;
                return to.fail(cpu, this);
            }
            return next;
        }
    }

    /** POPA: everything is loaded before the first register changes; the slot of rSP is skipped. */
    private static final class All extends Handler {
        private final int size;
        private final Place[] registers = new Place[8];
        private final long[] values = new long[8];

        All(DecodedInstruction d) {
            size = d.operandSizeBytes;
            for (int i = 0; i < 8; i++) {
                registers[i] = Place.register(i, size);
            }
        }

        @Override
        public Handler exec(Processor cpu) {
            for (int i = 0; i < 8; i++) {
                values[7 - i] = cpu.mem.load(Stack.linear(cpu, (long) i * size, size, false), size);
            }
            if (cpu.pending != 0) {
                return cpu.abortStack(this);
            }
            for (int i = 0; i < 8; i++) {
                if (i != CpuState.RSP) {
                    registers[i].write(cpu, values[i]);
                }
            }
            Stack.move(cpu, 8L * size);
            return next;
        }
    }
}
