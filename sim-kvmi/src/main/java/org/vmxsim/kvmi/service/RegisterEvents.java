package org.vmxsim.kvmi.service;

import java.util.function.Function;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.kvmi.message.Action;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventContext;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.registers.LinearAddresses;
import org.vmxsim.kvmi.registers.RegisterImages;
import org.vmxsim.mmu.guest.PendingException;
import org.vmxsim.mmu.intercept.InterceptListener;
import org.vmxsim.mmu.intercept.RegisterWrite;
import org.vmxsim.vmx.exit.VmExit;

/**
 * Events of instructions and exceptions of one vCPU: each exit is held until the tool has replied. Source: RFC v4,
 * patches 12 to 16.
 */
final class RegisterEvents implements InterceptListener {
    private static final int BREAKPOINT_VECTOR = 3;
    private static final int PAGE_FAULT_VECTOR = 14;

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

    private int instructionBytes() {
        return vcpu.vcpu().lastVmExit().instructionLengthBytes;
    }

    /** The page of the instruction may be unmapped by now; then there is no address, and the event is raised still. */
    private Event breakpoint() {
        CpuState state = vcpu.vcpu().state();
        long gva = state.rip + state.segments[CpuState.CS].base;
        long linear = RegisterImages.modeBytes(state) == Long.BYTES ? gva : gva & 0xffff_ffffL;
        return new Event.Breakpoint(context(), LinearAddresses.gpa(vcpu.vcpu(), linear, 0), instructionBytes());
    }

    private static Answer retried(EventReply reply) {
        return reply.action() == Action.RETRY ? Answer.RETRY : Answer.CONTINUE;
    }

    /**
     * What has become of an exception that the tool injected, before the guest sees it: in RFC v4 only if it is not
     * what the tool asked for, later in any case.
     */
    @Override
    public Answer injecting(int number, PendingException exception) {
        VcpuCommand.InjectException asked = vcpu.injected();
        if (asked == null || !wants(EventKind.TRAP)) {
            vcpu.injected(null);
            return Answer.CONTINUE;
        }
        vcpu.injected(null);
        if (introspection.isV4() && isAsAsked(exception, asked)) {
            return Answer.CONTINUE;
        }
        Event event =
                new Event.Trap(context(), exception.vector(), exception.type(), exception.errorCode(), exception.cr2());
        return vcpu.tell(event);
    }

    private static boolean isAsAsked(PendingException exception, VcpuCommand.InjectException asked) {
        return exception.vector() == asked.vector()
                && (!exception.hasErrorCode() || exception.errorCode() == asked.errorCode())
                && (exception.vector() != PAGE_FAULT_VECTOR || exception.cr2() == asked.address());
    }

    @Override
    public Answer cpuid(int number, int leaf, int subleaf) {
        if (!vcpu.isDecided() && !wants(EventKind.CPUID)) {
            return Answer.CONTINUE;
        }
        return vcpu.ask(() -> new Event.Cpuid(context(), leaf, subleaf, instructionBytes()), RegisterEvents::retried);
    }

    @Override
    public Answer descriptorTable(int number, DescriptorTable table, boolean write) {
        if (!vcpu.isDecided() && !wants(EventKind.DESCRIPTOR)) {
            return Answer.CONTINUE;
        }
        Event.DescriptorTableRegister register = Event.DescriptorTableRegister.valueOf(table.name());
        VmExit exit = vcpu.vcpu().lastVmExit();
        return vcpu.ask(
                () -> new Event.Descriptor(context(), register, write, exit.instructionInformation, exit.qualification),
                RegisterEvents::retried);
    }
}
