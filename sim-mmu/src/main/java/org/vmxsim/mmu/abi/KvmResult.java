package org.vmxsim.mmu.abi;

/**
 * What a call of KVM's interface returns: a count on success, or an error number; or that it never returns.
 *
 * @param count the non-negative value of a successful call; 0 if it failed
 * @param errno why it failed, or null if it succeeded
 * @param oops the crash that it ended in, or null
 */
public record KvmResult(int count, Errno errno, KernelOops oops) {
    /** Success with the value 0. */
    public static final KvmResult OK = new KvmResult(0, null, null);

    /**
     * Checks that exactly one of both is there.
     *
     * @throws IllegalArgumentException if the count is negative, or not 0 together with an error
     */
    public KvmResult {
        if (count < 0 || count > 0 && errno != null || errno != null && oops != null) {
            throw new IllegalArgumentException(
                    "need a count of at least 0, and 0 with an error, got count=" + count + " errno=" + errno);
        }
    }

    /**
     * Success.
     *
     * @param count the value, at least 0
     * @return the result
     */
    public static KvmResult of(int count) {
        return new KvmResult(count, null, null);
    }

    /**
     * Failure.
     *
     * @param errno why
     * @return the result
     */
    public static KvmResult failed(Errno errno) {
        return new KvmResult(0, errno, null);
    }

    /**
     * A call that does not return.
     *
     * @param oops how the kernel crashed
     * @return the result
     */
    public static KvmResult crashed(KernelOops oops) {
        return new KvmResult(0, null, oops);
    }

    /**
     * Whether the call succeeded.
     *
     * @return true unless there is an error number or a crash
     */
    public boolean isOk() {
        return errno == null && oops == null;
    }

    /**
     * The value as the kernel returns it.
     *
     * @return the count, or the negated error number
     * @throws IllegalArgumentException if the call ended in a crash
     */
    public int returnValue() {
        if (oops != null) {
            throw new IllegalArgumentException("need a call that returned, got " + oops);
        }
        return errno == null ? count : -errno.number();
    }
}
