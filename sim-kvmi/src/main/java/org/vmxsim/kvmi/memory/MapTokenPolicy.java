package org.vmxsim.kvmi.memory;

/**
 * How long tokens live and how many there may be.
 *
 * @param limit most tokens of one virtual machine alive at the same time; one more is refused with EAGAIN
 * @param lifeNanos age in nanoseconds of simulated time after which a token goes when it is looked for old ones, or
 *     {@link #FOR_EVER}
 * @param sweepNanos how often it is looked for old ones, in nanoseconds of simulated time
 * @param pinning whether a token keeps the object of its virtual machine alive, so that it stays valid when the process
 *     has ended
 * @param droppedAtUnhook whether the tokens of a virtual machine go when its introspection ends
 */
public record MapTokenPolicy(int limit, long lifeNanos, long sweepNanos, boolean pinning, boolean droppedAtUnhook) {
    /** No end of life. */
    public static final long FOR_EVER = Long.MAX_VALUE;

    private static final long SECOND = 1_000_000_000;

    /** KVMI series v4: neither limit nor end of life; tokens go with their virtual machine only. */
    public static final MapTokenPolicy V4 = new MapTokenPolicy(Integer.MAX_VALUE, FOR_EVER, SECOND, false, false);

    /**
     * KVMI series v6: a token is refused when more than 8 are alive, so that there are up to 9; what is older than 3 s
     * goes when a timer of 1 s comes round.
     */
    public static final MapTokenPolicy V6 = new MapTokenPolicy(9, 3 * SECOND, SECOND, true, true);

    /** As {@link #V6}, with up to 64, the number that the review of v4 asked for. */
    public static final MapTokenPolicy DEFAULT = V6.withLimit(64);

    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException if one is not positive
     */
    public MapTokenPolicy {
        if (limit < 1 || lifeNanos < 1 || sweepNanos < 1) {
            throw new IllegalArgumentException("need a limit and times of at least 1, got limit=" + limit
                    + " lifeNanos=" + lifeNanos + " sweepNanos=" + sweepNanos);
        }
    }

    /**
     * The same with another limit.
     *
     * @param newLimit most tokens of one virtual machine
     * @return the policy
     */
    public MapTokenPolicy withLimit(int newLimit) {
        return new MapTokenPolicy(newLimit, lifeNanos, sweepNanos, pinning, droppedAtUnhook);
    }
}
