package org.vmxsim.kvmi.service;

import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.kvmi.message.VcpuCommand;

/** The commands about one vCPU. Source: kvmi.rst, "Commands". */
final class VcpuCommands {
    private final Introspection introspection;

    VcpuCommands(Introspection introspection) {
        this.introspection = introspection;
    }

    Answer execute(VcpuCommand command) {
        IntrospectedVcpu vcpu = introspection.introspected(command.vcpu());
        if (vcpu == null) {
            return failed(KvmiError.EINVAL);
        }
        if (!vcpu.isIntroduced()) {
            return failed(KvmiError.EAGAIN);
        }
        if (command instanceof VcpuCommand.PauseVcpu) {
            vcpu.pause();
            return Answer.DONE;
        }
        return failed(KvmiError.ENOSYS);
    }

    private static Answer failed(KvmiError error) {
        return new Answer.Failed(error);
    }
}
