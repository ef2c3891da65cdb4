package org.vmxsim.core.time;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * What devices wait for, in machine time: ticks of the time-stamp counter since the machine was made, whatever software
 * writes to that counter. Alarms that are due at the same tick come in the order in which they were made, so runs
 * repeat.
 */
public final class EventQueue {
    /** The tick of an alarm that is not set, and the answer of {@link #next} where none is. */
    public static final long NEVER = Long.MAX_VALUE;

    /** Machine time ends here, after years: an alarm set for later never comes. */
    private static final long END = 1L << 58;

    private final LongSupplier clock;
    private final Runnable changed;
    private final List<Alarm> alarms = new ArrayList<>();
    private long next = NEVER;

    /** What happens when an alarm is due. */
    @FunctionalInterface
    public interface Action {
        /**
         * The alarm's tick has come. The alarm is not set any more; the action may set it again, for a later tick.
         *
         * @param tick the tick for which it was set; machine time may be past it
         */
        void due(long tick);
    }

    /** One thing to wait for. */
    public final class Alarm {
        private final Action action;
        private long at = NEVER;

        private Alarm(Action action) {
            this.action = action;
        }

        /**
         * Sets the alarm; a tick that has passed is due at the next instruction boundary.
         *
         * @param tick machine time, or {@link #NEVER}
         */
        public void set(long tick) {
            long wanted = tick >= END ? NEVER : tick;
            if (wanted != at) {
                at = wanted;
                findNext();
                changed.run();
            }
        }

        /** Forgets what the alarm was set for. */
        public void cancel() {
            set(NEVER);
        }

        /**
         * What the alarm is set for.
         *
         * @return machine time, or {@link #NEVER}
         */
        public long at() {
            return at;
        }
    }

    /**
     * A queue without alarms.
     *
     * @param clock machine time in ticks; it never goes back
     * @param changed told when an alarm is set or cancelled, so that who runs instructions looks at {@link #next} again
     */
    public EventQueue(LongSupplier clock, Runnable changed) {
        this.clock = clock;
        this.changed = changed;
    }

    /**
     * Makes an alarm that is not set.
     *
     * @param action what happens when it is due
     * @return the alarm
     */
    public Alarm alarm(Action action) {
        Alarm alarm = new Alarm(action);
        alarms.add(alarm);
        return alarm;
    }

    /**
     * Machine time.
     *
     * @return ticks
     */
    public long now() {
        return clock.getAsLong();
    }

    /**
     * The tick of the alarm that comes first.
     *
     * @return machine time, or {@link #NEVER}
     */
    public long next() {
        return next;
    }

    private void findNext() {
        long earliest = NEVER;
        for (Alarm alarm : alarms) {
            earliest = Math.min(earliest, alarm.at);
        }
        next = earliest;
    }

    /** Lets everything happen that is due, in the order of ticks. */
    public void runDue() {
        while (next <= now()) {
            first().run();
        }
    }

    private Runnable first() {
        long tick = next;
        for (Alarm alarm : alarms) {
            if (alarm.at == tick) {
                return () -> {
                    alarm.cancel();
                    alarm.action.due(tick);
                };
            }
        }
        throw new AssertionError("no alarm is set for the next tick, tick=" + tick);
    }
}
