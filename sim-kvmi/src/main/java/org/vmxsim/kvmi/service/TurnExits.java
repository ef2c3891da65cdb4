package org.vmxsim.kvmi.service;

import java.util.HashMap;
import java.util.Map;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.policy.StrictV4;
import org.vmxsim.kvmi.registers.RegisterImages;
import org.vmxsim.mmu.Hypercalls;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.mmu.Vm;

/** Turns of vCPUs under introspection: what is reported before one, and what its end means. */
final class TurnExits {
    private static final int SINGLE_STEP = 1;
    /** {@code KVM_HC_XEN_HVM_OP}. */
    private static final long XEN_HVM_OP = 34;
    /** {@code KVM_HC_XEN_HVM_OP_GUEST_REQUEST_VM_EVENT}. */
    private static final long GUEST_REQUEST_VM_EVENT = 24;

    private static final int ALL_WRITABLE = -1;

    private final Introspection introspection;
    private final PageEvents pages;

    TurnExits(Introspection introspection) {
        this.introspection = introspection;
        this.pages = new PageEvents(introspection);
        introspection.vm().hypercalls().exit(XEN_HVM_OP);
    }

    /** A tool comes. */
    void attach() {
        introspection.vm().views().onDenied(pages);
        introspection.vcpus().forEach(this::attach);
    }

    void attach(IntrospectedVcpu vcpu) {
        vcpu.vcpu().intercepts().listener(new RegisterEvents(introspection, vcpu));
        introspection.masks().apply(vcpu);
    }

    /** The tool is gone; exits that are held meanwhile are handled with what was decided for it. */
    void detach() {
        introspection.vm().views().onDenied(null);
    }

    /** Reports what is to be reported before the guest runs on. */
    void beforeTurn(IntrospectedVcpu vcpu) {
        if (!vcpu.isIntroduced()) {
            vcpu.introduce();
            if (introspection.masks().isEnabled(EventKind.CREATE_VCPU)) {
                introspection.raise(vcpu, new Event.CreateVcpu(RegisterImages.context(vcpu.vcpu())), reply -> {});
            }
        }
        paused(vcpu);
    }

    /** Reports a pause that was asked for, unless another event comes first. */
    void paused(IntrospectedVcpu vcpu) {
        while (!vcpu.isWaiting() && !vcpu.isHolding() && vcpu.takePause()) {
            boolean masked = introspection.has(StrictV4.PAUSE_EVENT_MASKED);
            if (!masked || introspection.masks().isEnabled(vcpu, EventKind.PAUSE_VCPU)) {
                introspection.raise(vcpu, new Event.Pause(RegisterImages.context(vcpu.vcpu())), reply -> {});
            }
        }
    }

    /** What a tool needs to answer passes on the vCPU's clock. */
    void charge(IntrospectedVcpu vcpu) {
        Processor cpu = vcpu.vcpu().processor();
        if (cpu.cycles != null) {
            cpu.cycles.hypervisorWork(introspection.config().eventCycles());
        }
    }

    /**
     * Runs a vCPU for a turn, and reports what its end means.
     *
     * @param budget instructions and VM exits; 0 for an exit that is held, which is only finished
     * @return null if the end concerns the tool alone
     */
    VcpuExit turn(IntrospectedVcpu vcpu, long budget) {
        boolean holds = vcpu.isHolding();
        VcpuExit exit = vcpu.openPages().isEmpty() ? vcpu.vcpu().run(budget) : opened(vcpu, budget);
        if (holds) {
            vcpu.finished();
            introspection.masks().apply(vcpu);
        }
        return exit == null ? null : ended(vcpu, exit);
    }

    /**
     * One instruction with the sub-pages open that it may write; no other vCPU runs meanwhile.
     *
     * @return null if it is done and nobody else asked for a step
     */
    private VcpuExit opened(IntrospectedVcpu vcpu, long budget) {
        Vm vm = introspection.vm();
        Map<Long, int[]> bitmaps = new HashMap<>();
        vcpu.openPages().forEach(gfn -> {
            bitmaps.put(gfn, vm.getSubPages(gfn, 1).bitmaps());
            vm.setSubPages(gfn, new int[] {ALL_WRITABLE});
        });
        vcpu.vcpu().singleStep(true);
        VcpuExit exit = vcpu.vcpu().run(budget);
        vcpu.vcpu().singleStep(vcpu.isSinglestepping());
        bitmaps.forEach(vm::setSubPages);
        boolean stepped = exit instanceof VcpuExit.Debug debug && debug.exception() == SINGLE_STEP;
        if (stepped) {
            vcpu.openPages().clear();
        }
        return stepped && !vcpu.isSinglestepping() && !vcpu.isStepping() ? null : exit;
    }

    private VcpuExit ended(IntrospectedVcpu vcpu, VcpuExit exit) {
        if (exit instanceof VcpuExit.Held) {
            Event event = vcpu.hold();
            introspection.raise(vcpu, event, vcpu.isHolding() ? vcpu::decide : reply -> {});
            return null;
        }
        if (exit instanceof VcpuExit.Restricted restricted) {
            pages.restricted(vcpu, restricted.access());
            return null;
        }
        if (exit instanceof VcpuExit.Spp spp && pages.protectedSubPage(vcpu, spp)) {
            return null;
        }
        if (exit instanceof VcpuExit.Hypercall call && call.nr() == XEN_HVM_OP) {
            called(vcpu, call.longMode());
            return null;
        }
        boolean steps = vcpu.isSinglestepping() || vcpu.isStepping();
        if (exit instanceof VcpuExit.Debug debug && debug.exception() == SINGLE_STEP) {
            return steppedBehind(vcpu, steps) ? null : exit;
        }
        if (steps && isEnd(exit)) {
            stepped(vcpu, true);
        }
        if (exit instanceof VcpuExit.Intr) {
            vcpu.notStepped();
        }
        return exit;
    }

    /** The end of a step: whether it was one for a tool, also for one that no longer wants to know, or has gone. */
    private boolean steppedBehind(IntrospectedVcpu vcpu, boolean steps) {
        boolean ofTool = steps || introspection.hasTool() || vcpu.isAskedToStep();
        vcpu.askToStep(false);
        if (steps) {
            stepped(vcpu, false);
        }
        return ofTool;
    }

    /** Whether an instruction could not be executed. */
    private static boolean isEnd(VcpuExit exit) {
        return exit instanceof VcpuExit.InternalError
                || exit instanceof VcpuExit.MemoryFault
                || exit instanceof VcpuExit.FailEntry
                || exit instanceof VcpuExit.Shutdown;
    }

    private void stepped(IntrospectedVcpu vcpu, boolean failed) {
        vcpu.stepping(false);
        if (introspection.masks().isEnabled(vcpu, EventKind.SINGLESTEP)) {
            Event event = new Event.Singlestep(RegisterImages.context(vcpu.vcpu()), failed);
            introspection.raise(vcpu, event, reply -> {});
        }
    }

    /**
     * A guest cannot learn whether there is a tool. RIP is behind the instruction in RFC v4 and at it in the branch, as
     * in the kernels they are for, where the instruction is skipped before or after the call.
     */
    private void called(IntrospectedVcpu introspected, boolean longMode) {
        Vcpu vcpu = introspected.vcpu();
        long mask = longMode ? -1 : 0xffff_ffffL;
        long operation = vcpu.gpr(longMode ? CpuState.RDI : CpuState.RBX) & mask;
        long argument = vcpu.gpr(longMode ? CpuState.RSI : CpuState.RCX) & mask;
        if (operation != GUEST_REQUEST_VM_EVENT || argument != 0) {
            vcpu.answer(Hypercalls.UNKNOWN);
        } else if (introspection.masks().isEnabled(introspected, EventKind.HYPERCALL)) {
            int behind = introspection.isV4() ? 0 : vcpu.lastVmExit().instructionLengthBytes;
            advance(vcpu, -behind);
            introspection.raise(introspected, new Event.Hypercall(RegisterImages.context(vcpu)), reply -> {
                vcpu.answer(0);
                advance(vcpu, behind);
            });
        } else {
            vcpu.answer(0);
        }
    }

    private static void advance(Vcpu vcpu, int bytes) {
        CpuState state = vcpu.state();
        state.rip += bytes;
        vcpu.setState(state);
    }
}
