package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;

/** RET, near. */
final class Return {
    private Return() {}

    static Handler of(DecodedInstruction d) {
        return d.is64() ? new Near64(d) : new Near(d);
    }

    private static final class Near64 extends IndirectBranch {
        private final int release;

        Near64(DecodedInstruction d) {
            release = 8 + ((int) d.immediate & 0xffff);
        }

        @Override
        public Handler exec(Processor cpu) {
            long[] r = cpu.gpr;
            long target = cpu.mem.load64(r[CpuState.RSP]);
            if (cpu.pending != 0) {
                return cpu.abortStack(this);
            }
            if (!NearTransfer.allowed(cpu, target)) {
                return cpu.abort(this);
            }
            r[CpuState.RSP] += release;
            cpu.rip = target;
            return null;
        }
    }

    private static final class Near extends IndirectBranch {
        private final int size;
        private final int release;

        Near(DecodedInstruction d) {
            size = d.operandSizeBytes;
            release = size + ((int) d.immediate & 0xffff);
        }

        @Override
        public Handler exec(Processor cpu) {
            long target = Stack.load(cpu, size);
            if (cpu.pending != 0) {
                return cpu.abortStack(this);
            }
            if (!NearTransfer.allowed(cpu, target)) {
                return cpu.abort(this);
            }
            Stack.move(cpu, release);
            cpu.rip = target;
            return null;
        }
    }
}
