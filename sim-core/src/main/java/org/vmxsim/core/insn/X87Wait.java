package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.x87.X87State;

/** FWAIT: #NM if CR0.MP and CR0.TS are set, then an exception that waits. SDM Vol. 2, "WAIT/FWAIT-Wait". */
final class X87Wait extends Handler {
    private static final int NM = 7;
    private static final long MP_AND_TS = 1 << 1 | 1 << 3;

    @Override
    public Handler exec(Processor cpu) {
        if ((cpu.cr0 & MP_AND_TS) == MP_AND_TS) {
            cpu.raise(NM);
            return cpu.abort(this);
        }
        boolean waits = (cpu.x87.state().status & X87State.ES) != 0;
        return waits && X87Instruction.reports(cpu) ? cpu.abort(this) : next;
    }
}
