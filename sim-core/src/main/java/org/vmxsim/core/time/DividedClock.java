package org.vmxsim.core.time;

/**
 * The clock of a device beside machine time: how many of its pulses have come by a tick, and at which tick a pulse
 * comes. Exact in integers, so pulses never drift.
 */
public final class DividedClock {
    private final long hertz;
    private final long ticksPerSecond;

    /**
     * A clock whose pulse 0 is at tick 0.
     *
     * @param hertz its frequency, 1 to 2^31
     * @param ticksPerSecond frequency of machine time, 1 to 10^10
     * @throws IllegalArgumentException if a frequency is out of range
     */
    public DividedClock(long hertz, long ticksPerSecond) {
        if (hertz < 1 || hertz > 1L << 31 || ticksPerSecond < 1 || ticksPerSecond > 10_000_000_000L) {
            throw new IllegalArgumentException("need 1 <= hertz <= 2^31 and 1 <= ticksPerSecond <= 10^10, got hertz="
                    + hertz + " ticksPerSecond=" + ticksPerSecond);
        }
        this.hertz = hertz;
        this.ticksPerSecond = ticksPerSecond;
    }

    /**
     * Pulses that have come.
     *
     * @param tick machine time, not negative
     * @return the number of the last pulse at or before it
     */
    public long pulses(long tick) {
        return tick / ticksPerSecond * hertz + scaled(tick % ticksPerSecond, hertz, ticksPerSecond, 0);
    }

    /**
     * When a pulse comes.
     *
     * @param pulse its number, not negative
     * @return the first tick at which {@link #pulses} is that number; {@code Long.MAX_VALUE} if it is beyond all ticks
     */
    public long tickOf(long pulse) {
        long seconds = pulse / hertz;
        if (seconds >= (Long.MAX_VALUE >> 1) / ticksPerSecond) {
            return Long.MAX_VALUE;
        }
        return seconds * ticksPerSecond + scaled(pulse % hertz, ticksPerSecond, hertz, hertz - 1);
    }

    /** (value * factor + rounding) / divisor. */
    private static long scaled(long value, long factor, long divisor, long rounding) {
        // in two steps, since the whole product may exceed 63 bits
        long high = (value >>> 16) * factor;
        long low = (value & 0xffff) * factor + rounding;
        long quotient = high / divisor;
        long remainder = high % divisor;
        return (quotient << 16) + ((remainder << 16) + low) / divisor;
    }
}
