package org.vmxsim.kvmi.message;

/**
 * The error numbers of the protocol. Linux's on x86, except that of a command that does not exist. Source: the numbers
 * KVM_E... of {@code kvm_para.h} with the additions of the introspection series.
 */
public enum KvmiError {
    /** Not allowed for this tool. */
    EPERM(1),
    /** No such thing: leaf, page, token. */
    ENOENT(2),
    /** Longer than what fits. */
    E2BIG(7),
    /** Not now: the vCPU cannot be introspected yet, or too many tokens are alive. */
    EAGAIN(11),
    /** Out of memory. */
    ENOMEM(12),
    /** No memory at this address. */
    EFAULT(14),
    /** The vCPU has another command or pause before it. */
    EBUSY(16),
    /** A value that the command does not take. */
    EINVAL(22),
    /** The machine cannot do it, or not at this moment. */
    EOPNOTSUPP(95),
    /** Done already. */
    EALREADY(114),
    /** No such command. */
    ENOSYS(1000);

    private final int number;

    KvmiError(int number) {
        this.number = number;
    }

    /**
     * The number, positive.
     *
     * @return the number whose negation goes into an answer
     */
    public int number() {
        return number;
    }
}
