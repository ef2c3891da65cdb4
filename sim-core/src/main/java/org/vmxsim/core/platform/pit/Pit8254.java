package org.vmxsim.core.platform.pit;

import java.util.function.Consumer;
import org.vmxsim.core.memory.PortBus;
import org.vmxsim.core.memory.PortDevice;
import org.vmxsim.core.time.DividedClock;
import org.vmxsim.core.time.EventQueue;

/**
 * The interval timer of a PC: three counters with a clock of 1,193,182 Hz at ports 0x40 to 0x43, and port 0x61, by
 * which software opens the gate of counter 2 and sees its output. The output of counter 0 is interrupt request 0.
 *
 * <p>Source: Intel 8254 data sheet; port 0x61: PC/AT "system control port B" (bit 4 changes with each refresh request,
 * every 18 pulses; no memory parity or channel error ever shows).
 */
public final class Pit8254 implements PortDevice {
    /** Port of counter 0; counters 1, 2 and the control word follow. */
    public static final int COUNTER_0 = 0x40;
    /** System control port B. */
    public static final int CONTROL_B = 0x61;
    /** Pulses of the clock in a second: 14.31818 MHz / 12. */
    public static final int HERTZ = 1_193_182;

    private static final int CONTROL_WORD = COUNTER_0 + 3;
    private static final int READ_BACK = 3;
    private static final int REFRESH_PULSES = 18;

    private final Counter[] counters = {new Counter(true), new Counter(true), new Counter(false)};
    private final EventQueue queue;
    private final DividedClock clock;
    private final EventQueue.Alarm alarm;
    private final Consumer<Boolean> request;
    private int controlB;

    /**
     * A timer whose counters have no counts yet and stand still, with their outputs high.
     *
     * @param queue machine time
     * @param ticksPerSecond frequency of machine time
     * @param request told of the level of interrupt request 0
     */
    public Pit8254(EventQueue queue, long ticksPerSecond, Consumer<Boolean> request) {
        this.queue = queue;
        this.clock = new DividedClock(HERTZ, ticksPerSecond);
        this.request = request;
        this.alarm = queue.alarm(tick -> settle(clock.pulses(tick)));
        request.accept(true);
    }

    /**
     * Puts the timer behind its ports.
     *
     * @param ports the bus
     */
    public void attach(PortBus ports) {
        ports.attach(COUNTER_0, 4, this);
        ports.attach(CONTROL_B, 1, this);
    }

    private long now() {
        return clock.pulses(queue.now());
    }

    /** Shows the output of counter 0 and waits for its next change. */
    private void settle(long now) {
        request.accept(counters[0].output(now));
        long change = counters[0].nextChange(now);
        alarm.set(change == Counter.NEVER ? EventQueue.NEVER : clock.tickOf(change));
    }

    @Override
    public int in(int port, int sizeBytes) {
        long now = now();
        if (port == CONTROL_B) {
            int refresh = (int) (now / REFRESH_PULSES & 1);
            return controlB | refresh << 4 | (counters[2].output(now) ? 0x20 : 0);
        }
        return port == CONTROL_WORD ? 0xff : counters[port & 3].read(now);
    }

    @Override
    public void out(int port, int sizeBytes, int value) {
        long now = now();
        int octet = value & 0xff;
        if (port == CONTROL_B) {
            controlB = octet & 0xf;
            counters[2].gate((octet & 1) != 0, now);
        } else if (port == CONTROL_WORD) {
            control(octet, now);
        } else {
            counters[port & 3].write(octet, now);
        }
        settle(now);
    }

    private void control(int word, long now) {
        int counter = word >>> 6;
        if (counter == READ_BACK) {
            readBack(word, now);
        } else if ((word & 0x30) == 0) {
            counters[counter].latchCount(now);
        } else {
            counters[counter].control(word, now);
        }
    }

    private void readBack(int word, long now) {
        for (int i = 0; i < counters.length; i++) {
            if ((word & 2 << i) != 0 && (word & 0x20) == 0) {
                counters[i].latchCount(now);
            }
            if ((word & 2 << i) != 0 && (word & 0x10) == 0) {
                counters[i].latchStatus(now);
            }
        }
    }
}
