package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.x87.X87Unit;

/** An x87 instruction without memory. */
final class X87Register extends X87Instruction {
    /** What it does to the unit. */
    @FunctionalInterface
    interface Action {
        /** Does it; it may change RFLAGS too. */
        void on(Processor cpu, X87Unit unit);
    }

    private final Action action;

    X87Register(DecodedInstruction d, Kind kind, Action action) {
        super(d, kind, 0, false);
        this.action = action;
    }

    @Override
    void perform(Processor cpu, long linear) {
        action.on(cpu, cpu.x87);
    }
}
