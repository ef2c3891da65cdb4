package org.vmxsim.kvmi.service;

import org.vmxsim.core.cpu.Processor;
import org.vmxsim.kvmi.message.Action;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.policy.StrictV4;
import org.vmxsim.kvmi.registers.RegisterImages;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.mmu.view.ViewAccess;

/** Turns of vCPUs under introspection: what is reported before one, and what its end means. */
final class TurnExits {
    private static final int SINGLE_STEP = 1;
    private static final long NO_GVA = -1;

    private final Introspection introspection;

    TurnExits(Introspection introspection) {
        this.introspection = introspection;
    }

    /** A tool comes. */
    void attach() {
        introspection.vm().views().onDenied(new PageEvents(introspection));
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

    /** Finishes an exit that has been decided, before anything else is reported of the vCPU. */
    void finishDecided(IntrospectedVcpu vcpu) {
        if (vcpu.isDecided() && !vcpu.isWaiting()) {
            turned(vcpu, vcpu.vcpu().run(0));
        }
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
        while (!vcpu.isWaiting() && !vcpu.isDecided() && vcpu.takePause()) {
            boolean masked = introspection.config().quirks().contains(StrictV4.PAUSE_EVENT_MASKED);
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
     * The end of a turn.
     *
     * @return null if it concerns the tool alone
     */
    VcpuExit turned(IntrospectedVcpu vcpu, VcpuExit exit) {
        if (exit instanceof VcpuExit.Held) {
            introspection.raise(vcpu, vcpu.takeHeld(), vcpu::decide);
            return null;
        }
        if (exit instanceof VcpuExit.Restricted restricted) {
            restricted(vcpu, restricted.access());
            return null;
        }
        if (exit instanceof VcpuExit.Debug debug && debug.exception() == SINGLE_STEP && vcpu.isSinglestepping()) {
            introspection.raise(vcpu, new Event.Singlestep(RegisterImages.context(vcpu.vcpu()), false), reply -> {});
            return null;
        }
        return exit;
    }

    private void restricted(IntrospectedVcpu vcpu, ViewAccess access) {
        long gva = access.gla() == 0 ? NO_GVA : access.gla();
        Event event = new Event.PageFault(
                RegisterImages.context(vcpu.vcpu()), gva, access.gpa(), access.access(), access.view());
        introspection.raise(vcpu, event, reply -> afterFault(vcpu, (EventReply.AfterFault) reply));
    }

    private void afterFault(IntrospectedVcpu vcpu, EventReply.AfterFault reply) {
        if (reply.action() == Action.CONTINUE) {
            vcpu.vcpu().allowOnce();
        }
    }
}
