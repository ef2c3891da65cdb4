package org.vmxsim.kvmi.service;

import java.util.EnumSet;
import java.util.Set;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.kvmi.message.VmCommand;
import org.vmxsim.mmu.host.PageSize;

/** The commands about the virtual machine as a whole. Source: kvmi.rst, "Commands". */
final class VmCommands {
    private final Introspection introspection;

    VmCommands(Introspection introspection) {
        this.introspection = introspection;
    }

    Answer execute(VmCommand command) {
        if (command instanceof VmCommand.GetVersion) {
            return version();
        }
        if (command instanceof VmCommand.ReadPhysical read) {
            return read(read);
        }
        return failed(KvmiError.ENOSYS);
    }

    private static Answer failed(KvmiError error) {
        return new Answer.Failed(error);
    }

    private Answer version() {
        Set<Answer.Feature> features = EnumSet.allOf(Answer.Feature.class);
        return new Answer.Version(
                introspection.permissions().commands(),
                introspection.permissions().events(),
                features);
    }

    private Answer read(VmCommand.ReadPhysical read) {
        if (read.sizeBytes() < 1 || read.sizeBytes() > PageSize.SIZE_4K.bytesInPage(read.gpa(), Integer.MAX_VALUE)) {
            return failed(KvmiError.EINVAL);
        }
        return failed(KvmiError.ENOENT);
    }
}
