package org.vmxsim.core.platform.apic;

import java.util.function.LongSupplier;
import org.vmxsim.core.time.DividedClock;
import org.vmxsim.core.time.EventQueue;

/** The timer of a local APIC. SDM "APIC Timer", "TSC-Deadline Mode", "Divide Configuration Register". */
final class ApicTimer {
    private static final int ONE_SHOT = 0;
    private static final int PERIODIC = 1;
    private static final int TSC_DEADLINE = 2;

    private final EventQueue queue;
    private final DividedClock clock;
    private final LongSupplier tscAdjust;
    private final Runnable expired;
    private final EventQueue.Alarm alarm;
    private int mode;
    private int divideConfiguration;
    private int initialCount;
    private boolean running;
    /** Pulse of the undivided clock at which the present count began. */
    private long start;
    /** What the present count began with. */
    private long startCount;

    private long deadline;

    ApicTimer(EventQueue queue, DividedClock clock, LongSupplier tscAdjust, Runnable expired) {
        this.queue = queue;
        this.clock = clock;
        this.tscAdjust = tscAdjust;
        this.expired = expired;
        this.alarm = queue.alarm(this::due);
    }

    void reset() {
        mode = ONE_SHOT;
        divideConfiguration = 0;
        initialCount = 0;
        stop();
    }

    private void stop() {
        running = false;
        deadline = 0;
        alarm.cancel();
    }

    /** Bits 18:17 of the LVT entry. A change from or to TSC-deadline mode disarms the timer. */
    void mode(int newMode) {
        boolean disarms = newMode != mode && (newMode >= TSC_DEADLINE || mode >= TSC_DEADLINE);
        if (disarms) {
            initialCount = 0;
            stop();
        }
        mode = newMode;
    }

    /** The divisor: bits 3, 1 and 0 of the register are its logarithm minus 1; 7 is a divisor of 1. */
    private int divideShift() {
        int code = divideConfiguration >>> 1 & 4 | divideConfiguration & 3;
        return code + 1 & 7;
    }

    int divideConfiguration() {
        return divideConfiguration;
    }

    /** A new divisor counts for what is left. */
    void divideConfiguration(int value) {
        long left = currentCount() & 0xffff_ffffL;
        divideConfiguration = value & 0xb;
        if (running) {
            begin(clock.pulses(queue.now()), left);
        }
    }

    int initialCount() {
        return initialCount;
    }

    /**
     * A write starts the count; 0 stops it. "Writes to the initial-count register are ignored" in TSC-deadline mode.
     */
    void initialCount(int value) {
        if (mode >= TSC_DEADLINE) {
            return;
        }
        initialCount = value;
        stop();
        if (value != 0) {
            begin(clock.pulses(queue.now()), value & 0xffff_ffffL);
        }
    }

    private void begin(long pulse, long count) {
        running = true;
        start = pulse;
        startCount = count;
        alarm.set(clock.tickOf(pulse + (count << divideShift())));
    }

    int currentCount() {
        if (!running) {
            return 0;
        }
        long counted = clock.pulses(queue.now()) - start >>> divideShift();
        return (int) Math.max(0, startCount - counted);
    }

    long deadline() {
        return deadline;
    }

    /** IA32_TSC_DEADLINE: 0 disarms; ignored in other modes. */
    void deadline(long value) {
        if (mode == TSC_DEADLINE) {
            deadline = value;
            arm();
        }
    }

    /** The time-stamp counter has been written. */
    void timeStampMoved() {
        if (mode == TSC_DEADLINE) {
            arm();
        }
    }

    private void arm() {
        if (deadline == 0) {
            alarm.cancel();
            return;
        }
        // the counter is machine time plus TSC_ADJUST; a deadline in the upper half of the range is years away
        long tick = deadline - tscAdjust.getAsLong();
        alarm.set(Long.compareUnsigned(deadline, Long.MAX_VALUE) > 0 ? EventQueue.NEVER : tick);
    }

    private void due(long tick) {
        if (mode == PERIODIC) {
            begin(start + (startCount << divideShift()), initialCount & 0xffff_ffffL);
        } else {
            stop();
        }
        expired.run();
    }
}
