package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.OperandKind;

/** JMP, near: relative and indirect. */
final class Jump {
    private Jump() {}

    static Handler of(DecodedInstruction d) {
        return d.first().kind == OperandKind.RELATIVE ? new Relative(d) : new Indirect(d);
    }

    private static final class Relative extends Branch {
        Relative(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return take(cpu);
        }
    }

    private static final class Indirect extends IndirectBranch {
        private final Place target;

        Indirect(DecodedInstruction d) {
            target = Place.of(d, d.first(), false);
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
            cpu.rip = rip;
            return null;
        }
    }
}
