package org.vmxsim.kvmi.guest;

import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.abi.KvmResult;

/** Answers out of what calls of the hypervisor return. */
public final class Failures {
    private Failures() {}

    /**
     * A failure.
     *
     * @param error why
     * @return the answer
     */
    public static Answer of(KvmiError error) {
        return new Answer.Failed(error);
    }

    /**
     * What a call has come to.
     *
     * @param result what it returned
     * @return done, or failed with the error number that means the same
     */
    public static Answer doneOr(KvmResult result) {
        return result.isOk() ? Answer.DONE : of(error(result));
    }

    /** A virtual machine that has brought the host's kernel down: nobody can look into it any more. */
    private static KvmiError error(KvmResult result) {
        return result.errno() == null ? KvmiError.EFAULT : error(result.errno());
    }

    private static KvmiError error(Errno errno) {
        return switch (errno) {
            case EPERM -> KvmiError.EPERM;
            case ENOENT -> KvmiError.ENOENT;
            case EINTR -> KvmiError.EAGAIN;
            case ENOMEM, ENOSPC -> KvmiError.ENOMEM;
            case EFAULT -> KvmiError.EFAULT;
            case EEXIST, EINVAL -> KvmiError.EINVAL;
            case ENODEV, ENOTTY, ENOSYS -> KvmiError.EOPNOTSUPP;
            case EALREADY -> KvmiError.EALREADY;
        };
    }
}
