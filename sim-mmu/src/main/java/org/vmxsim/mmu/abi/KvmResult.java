package org.vmxsim.mmu.abi;

/**
 * What a call of KVM's interface returns: a count on success, or an error number.
 *
 * @param count the non-negative value of a successful call; 0 if it failed
 * @param errno why it failed, or null if it succeeded
 */
public record KvmResult(int count, Errno errno) {
    /** Success with the value 0. */
    public static final KvmResult OK = new KvmResult(0, null);

    /**
     * Checks that exactly one of both is there.
     *
     * @throws IllegalArgumentException if the count is negative, or not 0 together with an error
     */
    public KvmResult {
        if (count < 0 || count > 0 && errno != null) {
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
        return new KvmResult(count, null);
    }

    /**
     * Failure.
     *
     * @param errno why
     * @return the result
     */
    public static KvmResult failed(Errno errno) {
        return new KvmResult(0, errno);
    }

    /**
     * Whether the call succeeded.
     *
     * @return true unless there is an error number
     */
    public boolean isOk() {
        return errno == null;
    }

    /**
     * The value as the kernel returns it.
     *
     * @return the count, or the negated error number
     */
    public int returnValue() {
        return errno == null ? count : -errno.number();
    }
}
