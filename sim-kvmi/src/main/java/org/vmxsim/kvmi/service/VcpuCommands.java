package org.vmxsim.kvmi.service;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.model.CpuModel;
import org.vmxsim.kvmi.guest.Failures;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.policy.StrictV4;
import org.vmxsim.kvmi.registers.CpuidLeaves;
import org.vmxsim.kvmi.registers.InjectedException;
import org.vmxsim.kvmi.registers.LinearAddresses;
import org.vmxsim.kvmi.registers.RegisterImages;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.guest.GuestCpuid;
import org.vmxsim.mmu.guest.GuestPageTables;
import org.vmxsim.mmu.intercept.Intercepts;
import org.vmxsim.vmx.control.ControlGroup;
import org.vmxsim.vmx.control.SecondaryControls;
import org.vmxsim.vmx.control.VmxCapabilities;

/** The commands about one vCPU, but those about views. Source: kvmi.rst, "Commands". */
final class VcpuCommands {
    /** How many pauses of a vCPU may wait at once, so that a tool cannot pile them up. */
    static final int MAX_PAUSES = 1000;

    private static final Set<EventKind> V4_EVENTS = EnumSet.complementOf(
            EnumSet.of(EventKind.UNHOOK, EventKind.SINGLESTEP, EventKind.CMD_ERROR, EventKind.CPUID));
    private static final Set<EventKind> LATER_EVENTS =
            EnumSet.complementOf(EnumSet.of(EventKind.UNHOOK, EventKind.CREATE_VCPU, EventKind.CMD_ERROR));

    private final Introspection introspection;
    private final CommandHandlers<VcpuCommand> handlers = new CommandHandlers<>();

    VcpuCommands(Introspection introspection) {
        this.introspection = introspection;
        handlers.on(
                VcpuCommand.GetVcpuInfo.class,
                command -> new Answer.VcpuInfo(introspection.vm().kvm().tscHz()));
        handlers.on(VcpuCommand.PauseVcpu.class, this::pause);
        handlers.on(VcpuCommand.ControlEvents.class, this::control);
        handlers.on(VcpuCommand.SetEventMask.class, this::mask);
        handlers.on(VcpuCommand.ControlCr.class, this::controlCr);
        handlers.on(VcpuCommand.ControlMsr.class, this::controlMsr);
        handlers.on(VcpuCommand.GetRegisters.class, this::registers);
        handlers.on(VcpuCommand.SetRegisters.class, this::registers);
        handlers.on(VcpuCommand.GetCpuid.class, this::cpuid);
        handlers.on(VcpuCommand.InjectException.class, this::inject);
        handlers.on(
                VcpuCommand.GetXsave.class,
                command -> new Answer.Xsave(
                        vcpu(command).vcpu().registers().extendedState().get()));
        handlers.on(
                VcpuCommand.SetXsave.class,
                set -> Failures.doneOr(
                        vcpu(set).vcpu().registers().extendedState().set(set.region())));
        handlers.on(VcpuCommand.GetMtrrType.class, this::memoryType);
        handlers.on(VcpuCommand.GetXcr.class, this::extendedControl);
        handlers.on(VcpuCommand.TranslateGva.class, this::translate);
        handlers.on(VcpuCommand.ControlSinglestep.class, this::singlestep);
        handlers.on(
                VcpuCommand.AllocGfn.class,
                alloc -> Failures.doneOr(introspection.frames().add(alloc.gfn())));
        handlers.on(
                VcpuCommand.FreeGfn.class,
                free -> Failures.doneOr(introspection.frames().remove(free.gfn())));
        new ViewCommands(introspection).addToVcpu(handlers);
    }

    Answer execute(VcpuCommand command) {
        IntrospectedVcpu vcpu = vcpu(command);
        if (vcpu == null) {
            return Failures.of(KvmiError.EINVAL);
        }
        if (!introspection.config().dialect().has(command.kind())) {
            return Failures.of(KvmiError.ENOSYS);
        }
        return vcpu.isIntroduced() ? handlers.execute(command) : Failures.of(KvmiError.EAGAIN);
    }

    private IntrospectedVcpu vcpu(VcpuCommand command) {
        return introspection.introspected(command.vcpu());
    }

    /** In RFC v4 one pause is under way until its event has a reply; later several wait in line. */
    private Answer pause(VcpuCommand.PauseVcpu pause) {
        IntrospectedVcpu vcpu = vcpu(pause);
        boolean underWay = vcpu.pauses() > 0 || vcpu.waitingFor() instanceof Event.Pause;
        if (introspection.isV4() ? underWay : vcpu.pauses() == MAX_PAUSES) {
            return Failures.of(KvmiError.EBUSY);
        }
        vcpu.pause();
        return Answer.DONE;
    }

    private Answer control(VcpuCommand.ControlEvents control) {
        if (introspection.isV4()) {
            return Failures.of(KvmiError.ENOSYS);
        }
        if (!LATER_EVENTS.contains(control.event())) {
            return Failures.of(KvmiError.EINVAL);
        }
        if (!introspection.permissions().allows(control.event())) {
            return Failures.of(KvmiError.EPERM);
        }
        if (!canRaise(control.event())) {
            return Failures.of(KvmiError.EOPNOTSUPP);
        }
        introspection.masks().control(vcpu(control), control.event(), control.enable());
        return Answer.DONE;
    }

    private Answer mask(VcpuCommand.SetEventMask mask) {
        if (!introspection.isV4()) {
            return Failures.of(KvmiError.ENOSYS);
        }
        if (!V4_EVENTS.containsAll(mask.events())) {
            return Failures.of(KvmiError.EINVAL);
        }
        if (!mask.events().stream().allMatch(introspection.permissions()::allows)) {
            return Failures.of(KvmiError.EPERM);
        }
        introspection.masks().mask(mask.events());
        return Answer.DONE;
    }

    /** Whether the processors can exit for an event. */
    private boolean canRaise(EventKind event) {
        VmxCapabilities vmx = introspection.vm().kvm().capabilities();
        if (event == EventKind.DESCRIPTOR) {
            return vmx.allows(ControlGroup.SECONDARY, SecondaryControls.DESCRIPTOR_TABLE_EXITING);
        }
        return event != EventKind.SINGLESTEP || introspection.has(Answer.Feature.SINGLESTEP);
    }

    private Answer controlCr(VcpuCommand.ControlCr control) {
        int cr = control.cr();
        if (cr != 0 && cr != 3 && cr != 4) {
            return Failures.of(KvmiError.EINVAL);
        }
        introspection.masks().cr(vcpu(control), cr, control.enable());
        return Answer.DONE;
    }

    private Answer controlMsr(VcpuCommand.ControlMsr control) {
        if (!Intercepts.isInBitmaps(control.msr())) {
            return Failures.of(KvmiError.EINVAL);
        }
        introspection.masks().msr(vcpu(control), control.msr(), control.enable());
        return Answer.DONE;
    }

    private Answer registers(VcpuCommand.GetRegisters get) {
        Vcpu vcpu = vcpu(get).vcpu();
        CpuState state = vcpu.state();
        List<Answer.Msr> msrs = new ArrayList<>();
        for (int index : get.msrs()) {
            OptionalLong value = vcpu.msrs().value(index, state);
            if (value.isEmpty()) {
                return Failures.of(KvmiError.EINVAL);
            }
            msrs.add(new Answer.Msr(index, value.getAsLong()));
        }
        return new Answer.Registers(
                RegisterImages.modeBytes(state), RegisterImages.general(state), RegisterImages.system(state), msrs);
    }

    /** Inside an event the registers count from its reply on, so that what the event does is not undone. */
    private Answer registers(VcpuCommand.SetRegisters set) {
        IntrospectedVcpu vcpu = vcpu(set);
        if (vcpu.isWaiting()) {
            vcpu.setOnReply(set.registers());
            return Answer.DONE;
        }
        if (!introspection.isV4()) {
            return Failures.of(KvmiError.EOPNOTSUPP);
        }
        boolean dropped = introspection.has(StrictV4.REGISTERS_DROPPED);
        if (!dropped && vcpu.isHolding()) {
            vcpu.setOnReply(set.registers());
        } else if (!dropped) {
            RegisterImages.load(vcpu.vcpu(), set.registers());
        }
        return Answer.DONE;
    }

    private Answer extendedControl(VcpuCommand.GetXcr get) {
        return get.xcr() == 0 ? new Answer.Xcr(vcpu(get).vcpu().state().xcr0) : Failures.of(KvmiError.EINVAL);
    }

    /** As the guest sees it, with its own CR4 and number. */
    private Answer cpuid(VcpuCommand.GetCpuid get) {
        return CpuidLeaves.read(vcpu(get).vcpu(), get.function(), get.index());
    }

    /**
     * RFC v4 takes one at any time, and the last one counts; later one is under way until it has been reported. The
     * branch cannot say whether there is an error code: the vector does.
     */
    private Answer inject(VcpuCommand.InjectException inject) {
        IntrospectedVcpu vcpu = vcpu(inject);
        if (!InjectedException.isValid(vcpu.vcpu(), inject)) {
            return Failures.of(KvmiError.EINVAL);
        }
        if (!introspection.isV4() && vcpu.hasInjected()) {
            return Failures.of(KvmiError.EBUSY);
        }
        InjectedException.queue(vcpu.vcpu(), inject);
        vcpu.injected(inject);
        return Answer.DONE;
    }

    /** The range registers give the same type everywhere, as they are modelled. */
    private Answer memoryType(VcpuCommand.GetMtrrType get) {
        CpuModel model = vcpu(get).vcpu().processor().model;
        return new Answer.MtrrType(new GuestCpuid(model).rangeMemoryType());
    }

    private Answer translate(VcpuCommand.TranslateGva translate) {
        Vcpu vcpu = vcpu(translate).vcpu();
        long gpa = LinearAddresses.gpa(vcpu, translate.gva(), 0);
        return new Answer.Translation(gpa == GuestPageTables.NONE ? Answer.Translation.UNMAPPED : gpa);
    }

    private Answer singlestep(VcpuCommand.ControlSinglestep control) {
        if (!introspection.has(Answer.Feature.SINGLESTEP)) {
            return Failures.of(KvmiError.EOPNOTSUPP);
        }
        vcpu(control).singlestep(control.enable());
        return Answer.DONE;
    }
}
