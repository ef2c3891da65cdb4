package org.vmxsim.core.insn;

import org.vmxsim.core.cet.BranchTracking;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;

/**
 * The target of an indirect branch while the tracker waits, where no ENDBR lies in the page: looked at before it is
 * executed, and forgotten.
 */
final class Landing extends Handler {
    private final Handler target;

    Landing(Handler target) {
        this.target = target;
        pageOffset = target.pageOffset;
        length = target.length;
        next = target.next;
    }

    @Override
    public Handler exec(Processor cpu) {
        Handler landed = target instanceof CrossingInstruction crossing ? crossing.whole(cpu) : target;
        boolean allowed = landed != null && (landed.isLandingPad() || BranchTracking.allows(cpu, linear(cpu)));
        return allowed ? landed.exec(cpu) : cpu.abort(this);
    }

    private long linear(Processor cpu) {
        long rip = cpu.codeBase + pageOffset;
        return cpu.mode == Processor.CODE_64 ? rip : cpu.segments[CpuState.CS].base + rip & 0xffff_ffffL;
    }

    @Override
    public boolean branched(Processor cpu, long rip) {
        return target.branched(cpu, rip);
    }
}
