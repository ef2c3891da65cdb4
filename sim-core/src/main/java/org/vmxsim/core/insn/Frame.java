package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;

/** ENTER and LEAVE (SDM Vol. 1, "Procedure Calls for Block-Structured Languages"). */
final class Frame {
    private Frame() {}

    static Handler enter(DecodedInstruction d) {
        return new Enter(d);
    }

    static Handler leave(DecodedInstruction d) {
        return new Leave(d);
    }

    private static final class Enter extends Handler {
        private final int size;
        private final int localBytes;
        private final int level;
        private final Place base;

        Enter(DecodedInstruction d) {
            size = d.operandSizeBytes;
            localBytes = (int) d.immediate & 0xffff;
            level = d.immediate2 & 31;
            base = Place.register(CpuState.RBP, size);
        }

        @Override
        public Handler exec(Processor cpu) {
            long rbp = cpu.gpr[CpuState.RBP];
            long frame = cpu.gpr[CpuState.RSP] - size;
            Stack.store(cpu, size, rbp);
            for (int i = 1; i < level && cpu.pending == 0; i++) {
                long link = cpu.mem.load(Stack.at(cpu, rbp - (long) i * size, size, false), size);
                if (cpu.pending == 0) {
                    cpu.mem.store(Stack.at(cpu, frame - (long) i * size, size, true), size, link);
                }
            }
            if (level > 0 && cpu.pending == 0) {
                cpu.mem.store(Stack.at(cpu, frame - (long) level * size, size, true), size, frame);
            }
            long pointer = frame - (long) level * size - localBytes;
            if (cpu.pending == 0) {
                // "a page fault ... if the new stack pointer is not writable"
                long linear = Stack.at(cpu, pointer, 1, true);
                if (cpu.pending == 0) {
                    cpu.mem.slow().probe(linear, 1, true);
                }
            }
            if (cpu.pending != 0) {
                return cpu.abortStack(this);
            }
            Stack.set(cpu, CpuState.RSP, pointer);
            base.write(cpu, frame & Stack.mask(cpu));
            return next;
        }
    }

    private static final class Leave extends Handler {
        private final int size;
        private final Place base;

        Leave(DecodedInstruction d) {
            size = d.operandSizeBytes;
            base = Place.register(CpuState.RBP, size);
        }

        @Override
        public Handler exec(Processor cpu) {
            long pointer = cpu.gpr[CpuState.RBP];
            long value = cpu.mem.load(Stack.at(cpu, pointer, size, false), size);
            if (cpu.pending != 0) {
                return cpu.abortStack(this);
            }
            Stack.set(cpu, CpuState.RSP, pointer + size);
            base.write(cpu, value);
            return next;
        }
    }
}
