package org.vmxsim.core.cache;

/**
 * What a cache or TLB has counted up to some moment. The counts of a phase are {@code after.minus(before)}.
 *
 * @param hits look-ups that found what they looked for
 * @param misses look-ups that did not
 * @param evictions entries given up for others
 * @param writeBacks dirty lines written to the level below; 0 for TLBs
 */
public record AccessCounts(long hits, long misses, long evictions, long writeBacks) {
    /**
     * The counts since an earlier moment.
     *
     * @param before the counts at that moment
     * @return the differences
     */
    public AccessCounts minus(AccessCounts before) {
        return new AccessCounts(
                hits - before.hits,
                misses - before.misses,
                evictions - before.evictions,
                writeBacks - before.writeBacks);
    }

    /**
     * The counts of two structures, or two phases, together.
     *
     * @param other the other counts
     * @return the sums
     */
    public AccessCounts plus(AccessCounts other) {
        return new AccessCounts(
                hits + other.hits, misses + other.misses, evictions + other.evictions, writeBacks + other.writeBacks);
    }

    /**
     * Look-ups in all.
     *
     * @return hits and misses
     */
    public long lookups() {
        return hits + misses;
    }

    /**
     * Share of look-ups that hit.
     *
     * @return 0 to 1; 0 if there were none
     */
    public double hitRatio() {
        return lookups() == 0 ? 0 : (double) hits / lookups();
    }
}
