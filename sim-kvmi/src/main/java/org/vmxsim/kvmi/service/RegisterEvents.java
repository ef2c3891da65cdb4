package org.vmxsim.kvmi.service;

import java.util.function.Function;
import org.vmxsim.kvmi.message.Action;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventContext;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.registers.RegisterImages;
import org.vmxsim.mmu.intercept.InterceptListener;
import org.vmxsim.mmu.intercept.RegisterWrite;

/**
 * Events of instructions and exceptions of one vCPU: each exit is held until the tool has replied. Source: RFC v4,
 * patches 12 to 16.
 */
final class RegisterEvents implements InterceptListener {
    private static final long NO_GPA = -1;
    private static final int BREAKPOINT_VECTOR = 3;

    private final Introspection introspection;
    private final IntrospectedVcpu vcpu;

    RegisterEvents(Introspection introspection, IntrospectedVcpu vcpu) {
        this.introspection = introspection;
        this.vcpu = vcpu;
    }

    private boolean wants(EventKind event) {
        return introspection.masks().isEnabled(vcpu, event);
    }

    private EventContext context() {
        return RegisterImages.context(vcpu.vcpu());
    }

    @Override
    public Answer controlRegister(RegisterWrite write) {
        boolean wanted = introspection.masks().isEnabledCr(vcpu, write.register());
        if (!vcpu.isDecided() && (!wanted || write.old() == write.value())) {
            return Answer.CONTINUE;
        }
        return vcpu.ask(() -> new Event.Cr(context(), write.register(), write.old(), write.value()), written(write));
    }

    /** With CONTINUE the tool's value is written; with anything else the write fails. */
    private static Function<EventReply, Answer> written(RegisterWrite write) {
        return reply -> {
            if (reply.action() != Action.CONTINUE) {
                return Answer.FAULT;
            }
            write.value(((EventReply.NewValue) reply).value());
            return Answer.CONTINUE;
        };
    }

    @Override
    public Answer msrWrite(RegisterWrite write) {
        boolean wanted = introspection.masks().isEnabledMsr(vcpu, write.register());
        if (!vcpu.isDecided() && (!wanted || write.old() == write.value())) {
            return Answer.CONTINUE;
        }
        return vcpu.ask(() -> new Event.Msr(context(), write.register(), write.old(), write.value()), written(write));
    }

    @Override
    public Answer xsetbv(RegisterWrite write) {
        if (!vcpu.isDecided() && (!wants(EventKind.XSETBV) || write.old() == write.value())) {
            return Answer.CONTINUE;
        }
        return vcpu.ask(() -> new Event.Xsetbv(context()), reply -> Answer.CONTINUE);
    }

    @Override
    public Answer exception(int number, int vector, int errorCode, long qualification) {
        if (vector != BREAKPOINT_VECTOR || !vcpu.isDecided() && !wants(EventKind.BREAKPOINT)) {
            return Answer.CONTINUE;
        }
        return vcpu.ask(this::breakpoint, RegisterEvents::retried);
    }

    private Event breakpoint() {
        return new Event.Breakpoint(context(), NO_GPA, 1);
    }

    private static Answer retried(EventReply reply) {
        return reply.action() == Action.RETRY ? Answer.RETRY : Answer.CONTINUE;
    }

    @Override
    public Answer cpuid(int number, int leaf, int subleaf) {
        if (!vcpu.isDecided() && !wants(EventKind.CPUID)) {
            return Answer.CONTINUE;
        }
        return vcpu.ask(() -> new Event.Cpuid(context(), leaf, subleaf, 2), RegisterEvents::retried);
    }

    @Override
    public Answer descriptorTable(int number, DescriptorTable table, boolean write) {
        if (!vcpu.isDecided() && !wants(EventKind.DESCRIPTOR)) {
            return Answer.CONTINUE;
        }
        Event.DescriptorTableRegister register = Event.DescriptorTableRegister.valueOf(table.name());
        return vcpu.ask(() -> new Event.Descriptor(context(), register, write, 0, 0), RegisterEvents::retried);
    }
}
