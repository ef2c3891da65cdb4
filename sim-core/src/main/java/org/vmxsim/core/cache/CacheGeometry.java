package org.vmxsim.core.cache;

/**
 * Size, shape and latency of one level of cache.
 *
 * @param sizeBytes capacity; a power of two of sets of {@code ways} lines of 64 bytes
 * @param ways lines of a set
 * @param replacement how a line is chosen to be given up
 * @param latencyCycles load-to-use latency of a hit in core cycles, levels above included
 */
public record CacheGeometry(int sizeBytes, int ways, Replacement replacement, int latencyCycles) {
    /** Bytes of a line. */
    public static final int LINE_BYTES = 64;
    /** Highest associativity. */
    public static final int MAX_WAYS = Short.MAX_VALUE;
    /** Log2 of {@link #LINE_BYTES}. */
    public static final int LINE_SHIFT = 6;

    /**
     * Checks the shape.
     *
     * @param sizeBytes capacity
     * @param ways lines of a set
     * @param replacement how a line is chosen
     * @param latencyCycles load-to-use latency
     * @throws IllegalArgumentException if the number of sets is not a power of two, there are more ways than
     *     {@link #MAX_WAYS}, or the latency is below 1
     */
    public CacheGeometry {
        boolean fits = ways > 0
                && ways <= MAX_WAYS
                && sizeBytes > 0
                && sizeBytes % (ways * LINE_BYTES) == 0
                && Integer.bitCount(sizeBytes / (ways * LINE_BYTES)) == 1;
        if (!fits || latencyCycles < 1) {
            throw new IllegalArgumentException(
                    "need a power of two of sets of 64-byte lines and a latency of at least 1," + " got sizeBytes="
                            + sizeBytes + " ways=" + ways + " latencyCycles=" + latencyCycles);
        }
    }

    /**
     * Number of sets.
     *
     * @return a power of two
     */
    public int sets() {
        return sizeBytes / (ways * LINE_BYTES);
    }
}
