package org.vmxsim.core.platform;

import org.vmxsim.core.time.EventQueue;

/** Machine time that a test moves, 1,193,182,000 ticks a second: 1000 ticks for each pulse of the 8254's clock. */
public final class Bench {
    public static final long TICKS_PER_SECOND = 1_193_182_000L;

    private long now;
    private int changes;
    public final EventQueue queue = new EventQueue(() -> now, () -> changes++);

    public Bench() {}

    /** Time passes, event by event. */
    public void advance(long tick) {
        while (queue.next() <= tick) {
            now = Math.max(now, queue.next());
            queue.runDue();
        }
        now = tick;
    }

    public long now() {
        return now;
    }

    public int changes() {
        return changes;
    }
}
