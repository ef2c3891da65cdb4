package org.vmxsim.kvmi.service;

import org.vmxsim.kvmi.guest.Failures;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.message.VmCommand;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.view.Views;

/**
 * The commands about EPT views and virtualization exceptions. As in the series there are views only on processors with
 * EPTP switching.
 */
final class ViewCommands {
    private final Introspection introspection;

    ViewCommands(Introspection introspection) {
        this.introspection = introspection;
    }

    void addTo(CommandHandlers<VmCommand> handlers) {
        handlers.on(VmCommand.CreateEptView.class, command -> create());
        handlers.on(VmCommand.DestroyEptView.class, this::destroy);
        handlers.on(VmCommand.SetPageSve.class, this::suppress);
    }

    void addToVcpu(CommandHandlers<VcpuCommand> handlers) {
        handlers.on(VcpuCommand.SwitchEptView.class, this::switchTo);
        handlers.on(
                VcpuCommand.GetEptView.class,
                command -> new Answer.View(vcpu(command).vcpu().mmu().view()));
        handlers.on(VcpuCommand.ControlEptView.class, this::show);
        handlers.on(VcpuCommand.ChangeGfn.class, this::change);
        handlers.on(VcpuCommand.SetVeInfo.class, this::convert);
        handlers.on(VcpuCommand.DisableVe.class, this::stopConverting);
    }

    private IntrospectedVcpu vcpu(VcpuCommand command) {
        return introspection.introspected(command.vcpu());
    }

    /**
     * What is wrong with the choice of a view, or null. RFC v4 has one view and knows that there could be more; it does
     * not know the error number for what hardware lacks.
     */
    KvmiError wrong(int view) {
        if (view == Views.DEFAULT_VIEW) {
            return null;
        }
        if (!hasViews()) {
            return introspection.isV4() ? KvmiError.ENOSYS : KvmiError.EOPNOTSUPP;
        }
        return introspection.isV4() || !introspection.vm().views().exists(view) ? KvmiError.EINVAL : null;
    }

    private boolean hasViews() {
        return introspection.has(Answer.Feature.EPTP);
    }

    private boolean hasVe() {
        return introspection.has(Answer.Feature.VE);
    }

    private Answer create() {
        if (!hasViews()) {
            return Failures.of(KvmiError.EOPNOTSUPP);
        }
        KvmResult result = introspection.views().create();
        return result.isOk() ? new Answer.View(result.count()) : Failures.doneOr(result);
    }

    private Answer destroy(VmCommand.DestroyEptView destroy) {
        KvmResult result = introspection.views().destroy(destroy.view());
        if (result.isOk()) {
            introspection.rights().destroyed(destroy.view());
        }
        return Failures.doneOr(result);
    }

    private Answer switchTo(VcpuCommand.SwitchEptView choice) {
        KvmiError wrong = wrong(choice.view());
        if (wrong != null) {
            return Failures.of(wrong);
        }
        introspection.views().switchTo(vcpu(choice).vcpu(), choice.view());
        return Answer.DONE;
    }

    private Answer show(VcpuCommand.ControlEptView control) {
        KvmiError wrong = wrong(control.view());
        return wrong == null
                ? Failures.doneOr(introspection.views().show(control.view(), control.visible()))
                : Failures.of(wrong);
    }

    private Answer change(VcpuCommand.ChangeGfn change) {
        KvmiError wrong = wrong(change.view());
        return wrong == null
                ? Failures.doneOr(introspection.rights().change(change.view(), change.oldGfn(), change.newGfn()))
                : Failures.of(wrong);
    }

    private Answer suppress(VmCommand.SetPageSve set) {
        KvmiError wrong = wrong(set.view());
        if (wrong != null || !hasVe()) {
            return Failures.of(wrong == null ? KvmiError.EOPNOTSUPP : wrong);
        }
        return Failures.doneOr(introspection.rights().suppressVe(set.view(), set.gpa() >>> 12, set.suppress()));
    }

    private Answer convert(VcpuCommand.SetVeInfo set) {
        if (!hasVe()) {
            return Failures.of(KvmiError.EOPNOTSUPP);
        }
        IntrospectedVcpu vcpu = vcpu(set);
        KvmResult result = introspection.views().convert(vcpu.vcpu(), set.gpa());
        if (result.isOk()) {
            vcpu.seeVirtualizationExceptions(set.triggerVmExit());
            introspection.masks().apply(vcpu);
        }
        return Failures.doneOr(result);
    }

    private Answer stopConverting(VcpuCommand.DisableVe disable) {
        if (!hasVe()) {
            return Failures.of(KvmiError.EOPNOTSUPP);
        }
        IntrospectedVcpu vcpu = vcpu(disable);
        introspection.views().stopConverting(vcpu.vcpu());
        vcpu.seeVirtualizationExceptions(false);
        introspection.masks().apply(vcpu);
        return Answer.DONE;
    }
}
