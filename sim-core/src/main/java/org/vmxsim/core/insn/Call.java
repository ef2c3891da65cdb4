package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.OperandKind;

/** CALL, near: relative and indirect. */
final class Call {
    private Call() {}

    static Handler of(DecodedInstruction d) {
        if (d.first().kind != OperandKind.RELATIVE) {
            return new Indirect(d);
        }
        return d.is64() ? new Relative64(d) : new Relative(d);
    }

    private static final class Relative64 extends Branch {
        Relative64(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            if (taken == null && !NearTransfer.allowed(cpu, target(cpu))) {
                return cpu.abort(this);
            }
            long[] r = cpu.gpr;
            long pointer = r[CpuState.RSP] - 8;
            cpu.mem.store64(pointer, cpu.codeBase + pageOffset + length);
            if (cpu.pending != 0) {
                return cpu.abortStack(this);
            }
            r[CpuState.RSP] = pointer;
            return take(cpu);
        }
    }

    private static final class Relative extends Branch {
        private final int size;

        Relative(DecodedInstruction d) {
            super(d);
            size = d.operandSizeBytes;
        }

        @Override
        public Handler exec(Processor cpu) {
            if (!NearTransfer.allowed(cpu, target(cpu))) {
                return cpu.abort(this);
            }
            Stack.store(cpu, size, NearTransfer.behind(cpu, this));
            if (cpu.pending != 0) {
                return cpu.abortStack(this);
            }
            Stack.move(cpu, -size);
            return take(cpu);
        }
    }

    private static final class Indirect extends IndirectBranch {
        private final Place target;
        private final int size;

        Indirect(DecodedInstruction d) {
            target = Place.of(d, d.first(), false);
            size = d.operandSizeBytes;
        }

        @Override
        public Handler exec(Processor cpu) {
            long rip = target.read(cpu);
            if (cpu.pending != 0) {
                return target.fail(cpu, this);
            }
            if (!NearTransfer.allowed(cpu, rip)) {
                return cpu.abort(this);
            }
            Stack.store(cpu, size, NearTransfer.behind(cpu, this));
            if (cpu.pending != 0) {
                return cpu.abortStack(this);
            }
            Stack.move(cpu, -size);
            cpu.rip = rip;
            return null;
        }
    }
}
