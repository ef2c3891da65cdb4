package org.vmxsim.mmu.abi;

/** The error numbers of the host's kernel that KVM's calls give. Number and meaning are Linux's. */
public enum Errno {
    /** Operation not permitted. */
    EPERM(1),
    /** No such file or directory. */
    ENOENT(2),
    /** Interrupted system call. */
    EINTR(4),
    /** Out of memory. */
    ENOMEM(12),
    /** Bad address. */
    EFAULT(14),
    /** File exists. */
    EEXIST(17),
    /** No such device. */
    ENODEV(19),
    /** Invalid argument. */
    EINVAL(22),
    /** Inappropriate ioctl for device. */
    ENOTTY(25),
    /** No space left. */
    ENOSPC(28),
    /** Function not implemented. */
    ENOSYS(38),
    /** Operation already in progress. */
    EALREADY(114);

    private final int number;

    Errno(int number) {
        this.number = number;
    }

    /**
     * The number, positive.
     *
     * @return the number as in errno.h
     */
    public int number() {
        return number;
    }
}
