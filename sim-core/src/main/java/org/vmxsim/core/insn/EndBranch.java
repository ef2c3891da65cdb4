package org.vmxsim.core.insn;

import org.vmxsim.core.cet.BranchTracking;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;

/** ENDBR of the code's own size, where control-flow enforcement is in force; elsewhere it is a {@link Nop}. */
final class EndBranch extends Handler {
    @Override
    public Handler exec(Processor cpu) {
        BranchTracking.endBranch(cpu);
        return next;
    }

    @Override
    public boolean isLandingPad() {
        return true;
    }
}
