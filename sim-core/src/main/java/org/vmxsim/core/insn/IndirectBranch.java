package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;

/** A near transfer whose target is not in the instruction, RET among them: always taken, wherever it goes. */
abstract class IndirectBranch extends Handler {
    @Override
    public final boolean branched(Processor cpu, long rip) {
        return true;
    }
}
