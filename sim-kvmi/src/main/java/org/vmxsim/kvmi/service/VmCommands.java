package org.vmxsim.kvmi.service;

import java.util.EnumSet;
import java.util.Set;
import org.vmxsim.kvmi.guest.Failures;
import org.vmxsim.kvmi.guest.Features;
import org.vmxsim.kvmi.guest.PhysicalPages;
import org.vmxsim.kvmi.memory.MapTokens;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.Command;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.kvmi.message.VmCommand;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.view.Views;

/** The commands about the virtual machine as a whole, but those about views. Source: kvmi.rst, "Commands". */
final class VmCommands {
    private static final Set<EventKind> VM_EVENTS = EnumSet.of(EventKind.UNHOOK, EventKind.CREATE_VCPU);

    private final Introspection introspection;
    private final PhysicalPages pages;
    private final ViewCommands views;
    private final CommandHandlers<VmCommand> handlers = new CommandHandlers<>();

    VmCommands(Introspection introspection) {
        this.introspection = introspection;
        this.views = new ViewCommands(introspection);
        this.pages = new PhysicalPages(introspection.vm(), introspection.isV4() ? KvmiError.EINVAL : KvmiError.ENOENT);
        handlers.on(VmCommand.GetVersion.class, command -> version());
        handlers.on(VmCommand.CheckCommand.class, this::check);
        handlers.on(VmCommand.CheckEvent.class, this::check);
        handlers.on(VmCommand.GetGuestInfo.class, command -> guestInfo());
        handlers.on(VmCommand.ControlVmEvents.class, this::controlEvents);
        handlers.on(VmCommand.ReadPhysical.class, read -> pages.read(read.gpa(), read.sizeBytes()));
        handlers.on(VmCommand.WritePhysical.class, write -> pages.write(write.gpa(), write.bytes()));
        handlers.on(VmCommand.GetPageAccess.class, this::pageAccess);
        handlers.on(VmCommand.SetPageAccess.class, this::pageAccess);
        handlers.on(VmCommand.SetPageWriteBitmap.class, this::subPages);
        handlers.on(VmCommand.ControlSpp.class, this::subPages);
        handlers.on(VmCommand.GetMapToken.class, command -> token());
        handlers.on(VmCommand.GetMaxGfn.class, command -> new Answer.Gfn(pages.endGfn()));
        handlers.on(
                VmCommand.GetNextAvailableGfn.class,
                command -> new Answer.Gfn(introspection.frames().nextAvailable()));
        handlers.on(VmCommand.QueryPhysical.class, query -> pages.slot(query.gfn()));
        views.addTo(handlers);
    }

    Answer execute(VmCommand command) {
        return introspection.config().dialect().has(command.kind())
                ? handlers.execute(command)
                : Failures.of(KvmiError.ENOSYS);
    }

    private Answer version() {
        return new Answer.Version(
                introspection.permissions().commands(),
                introspection.permissions().events(),
                Features.of(introspection.vm()));
    }

    private Answer check(VmCommand.CheckCommand check) {
        boolean allowed = introspection.permissions().allows(check.command());
        return allowed ? Answer.DONE : Failures.of(KvmiError.EPERM);
    }

    private Answer check(VmCommand.CheckEvent check) {
        boolean allowed = introspection.permissions().allows(check.event());
        return allowed ? Answer.DONE : Failures.of(KvmiError.EPERM);
    }

    private Answer guestInfo() {
        return new Answer.GuestInfo(
                introspection.vcpus().size(), introspection.vm().kvm().tscHz());
    }

    private Answer controlEvents(VmCommand.ControlVmEvents control) {
        if (!VM_EVENTS.contains(control.event())) {
            return Failures.of(KvmiError.EINVAL);
        }
        if (!introspection.permissions().allows(control.event())) {
            return Failures.of(KvmiError.EPERM);
        }
        introspection.masks().controlVm(control.event(), control.enable());
        return Answer.DONE;
    }

    private Answer pageAccess(VmCommand.GetPageAccess get) {
        KvmiError wrong = wrong(get.vcpu(), get.view());
        if (wrong != null) {
            return Failures.of(wrong);
        }
        byte[] access = new byte[get.gpas().length];
        for (int i = 0; i < access.length; i++) {
            access[i] = (byte) introspection.rights().get(get.view(), get.gpas()[i] >>> 12);
        }
        return new Answer.PageRights(access);
    }

    /** Every entry is tried, whatever becomes of those before it. */
    private Answer pageAccess(VmCommand.SetPageAccess set) {
        KvmiError wrong = wrong(set.vcpu(), set.view());
        if (wrong != null) {
            return Failures.of(wrong);
        }
        Answer first = Answer.DONE;
        for (VmCommand.PageAccess page : set.pages()) {
            KvmResult result = introspection.rights().set(set.view(), page.gpa() >>> 12, page.access());
            if (!result.isOk() && first == Answer.DONE) {
                first = Failures.doneOr(result);
            }
        }
        return first;
    }

    /** What is wrong with the choice of a vCPU and a view, or null. */
    private KvmiError wrong(int vcpu, int view) {
        IntrospectedVcpu chosen = vcpu == Command.ANY_VCPU ? null : introspection.introspected(vcpu);
        if (vcpu != Command.ANY_VCPU && chosen == null) {
            return KvmiError.EINVAL;
        }
        if (chosen != null && !chosen.isIntroduced()) {
            return KvmiError.EAGAIN;
        }
        return views.wrong(view);
    }

    private Answer token() {
        MapTokens tokens = introspection.tokens();
        if (tokens == null) {
            return Failures.of(KvmiError.EOPNOTSUPP);
        }
        MapTokens.Issued issued = tokens.issue(introspection.vm());
        return issued.error() == null ? new Answer.MapToken(issued.token()) : Failures.of(issued.error());
    }

    /** It can be switched on; kvmi.rst of v6 says that it cannot be switched off. */
    private Answer subPages(VmCommand.ControlSpp control) {
        return control.enable()
                ? Failures.doneOr(introspection.rights().enableSubPages())
                : Failures.of(KvmiError.EOPNOTSUPP);
    }

    /** In order, up to the first error. There is one table of sub-pages, so that all views show the default view's. */
    private Answer subPages(VmCommand.SetPageWriteBitmap set) {
        KvmiError wrong = views.wrong(set.view());
        if (wrong != null) {
            return Failures.of(wrong);
        }
        if (!introspection.rights().allowsSubPages() || set.view() != Views.DEFAULT_VIEW) {
            return Failures.of(KvmiError.EOPNOTSUPP);
        }
        for (VmCommand.PageBitmap page : set.pages()) {
            KvmResult result = introspection.rights().bitmap(page.gpa() >>> 12, page.bitmap());
            if (!result.isOk()) {
                return Failures.doneOr(result);
            }
        }
        return Answer.DONE;
    }
}
