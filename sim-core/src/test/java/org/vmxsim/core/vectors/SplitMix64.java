package org.vmxsim.core.vectors;

/** The pseudo-random numbers of the vector files (Steele, Lea, Flood: SplitMix), and the edge-biased values on top. */
final class SplitMix64 {
    private long state;

    /**
     * A sequence.
     *
     * @param seed decides it
     */
    SplitMix64(long seed) {
        this.state = seed;
    }

    /**
     * The next 64 random bits.
     *
     * @return the bits
     */
    long next() {
        state += 0x9e3779b97f4a7c15L;
        long z = state;
        z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
        z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
        return z ^ z >>> 31;
    }

    /**
     * A value that is an edge case more often than chance would have it.
     *
     * @return the value
     */
    long edgeValue() {
        int kind = (int) next() & 15;
        long r = next();
        return switch (kind) {
            case 0 -> 0;
            case 1 -> 1;
            case 2 -> -1;
            case 3 -> Long.MAX_VALUE >>> (r & 3) * 16;
            case 4 -> 1L << r;
            case 5 -> (1L << r) - 1;
            case 6 -> r & 0xff;
            case 7 -> (int) r;
            case 8 -> r & 0xffff_ffffL;
            default -> r;
        };
    }
}
