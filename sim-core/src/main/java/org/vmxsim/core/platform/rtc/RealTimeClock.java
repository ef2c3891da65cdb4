package org.vmxsim.core.platform.rtc;

import java.time.LocalDateTime;
import java.util.function.Consumer;
import org.vmxsim.core.memory.PortBus;
import org.vmxsim.core.memory.PortDevice;
import org.vmxsim.core.time.DividedClock;
import org.vmxsim.core.time.EventQueue;

/**
 * The real-time clock of a PC with its 128 bytes of battery-backed memory, at ports 0x70 (index; bit 7 masks NMI on
 * real boards and is ignored) and 0x71. Its time begins with a given date and follows machine time. The level of
 * interrupt request 8 is that of the flag IRQF.
 *
 * <p>Source: Motorola MC146818A data sheet, "Time, Calendar, and Alarm Locations", "Interrupts", "Registers".
 */
public final class RealTimeClock implements PortDevice {
    /** The index port; the data port is the next. */
    public static final int INDEX = 0x70;

    private static final int CRYSTAL_HERTZ = 32_768;
    /** The update cycle of 1984 microseconds and the 244 before it, in periods of the crystal. */
    private static final int UPDATE_PULSES = 73;

    private static final long DAY_SECONDS = 86_400;

    private static final int REGISTER_A = 10;
    private static final int REGISTER_B = 11;
    private static final int REGISTER_C = 12;
    private static final int REGISTER_D = 13;
    private static final int PERIODIC = 0x40;
    private static final int ALARM = 0x20;
    private static final int UPDATE_ENDED = 0x10;
    private static final int SET = 0x80;
    private static final int VALID_RAM_AND_TIME = 0x80;

    private final EventQueue queue;
    private final DividedClock crystal;
    private final EventQueue.Alarm alarm;
    private final Consumer<Boolean> request;
    private final byte[] memory = new byte[128];
    private final CalendarRegisters calendar = new CalendarRegisters(memory);
    private int index;
    private int flags;
    /** The crystal's pulse up to which flags and time have been brought. */
    private long seen;
    /** The pulse at which the divider chain was last at zero. */
    private long dividerStart;

    /**
     * A clock that runs, in 24-hour mode and BCD, with all interrupts off.
     *
     * @param queue machine time
     * @param ticksPerSecond frequency of machine time
     * @param start date and time at tick 0
     * @param request told of the level of interrupt request 8
     */
    public RealTimeClock(EventQueue queue, long ticksPerSecond, LocalDateTime start, Consumer<Boolean> request) {
        this.queue = queue;
        this.crystal = new DividedClock(CRYSTAL_HERTZ, ticksPerSecond);
        this.request = request;
        this.alarm = queue.alarm(tick -> settle());
        memory[REGISTER_A] = 0x26;
        memory[REGISTER_B] = 0x02;
        calendar.set(start);
    }

    /**
     * Puts the clock behind its ports.
     *
     * @param ports the bus
     */
    public void attach(PortBus ports) {
        ports.attach(INDEX, 2, this);
    }

    /**
     * Stores what the firmware of a PC leaves about the size of RAM: registers 0x15 and 0x16 (below 640 KiB), 0x17,
     * 0x18, 0x30 and 0x31 (KiB from 1 MiB up to 64 MiB), 0x34 and 0x35 (units of 64 KiB from 16 MiB up to 4 GiB), 0x5b
     * to 0x5d (units of 64 KiB from 4 GiB up).
     *
     * @param lowBytes RAM below 4 GiB, from address 0
     * @param highBytes RAM from 4 GiB up
     */
    public void memorySize(long lowBytes, long highBytes) {
        word(0x15, Math.min(lowBytes >>> 10, 640));
        long extended = Math.max(0, (lowBytes >>> 10) - 1024);
        word(0x17, Math.min(extended, 0xffff));
        word(0x30, Math.min(extended, 0xffff));
        word(0x34, Math.min(Math.max(0, (lowBytes >>> 16) - 256), 0xffff));
        word(0x5b, highBytes >>> 16 & 0xffff);
        memory[0x5d] = (byte) (highBytes >>> 32);
    }

    private void word(int register, long value) {
        memory[register] = (byte) value;
        memory[register + 1] = (byte) (value >>> 8);
    }

    private boolean dividerRuns() {
        return (memory[REGISTER_A] & 0x70) == 0x20;
    }

    private boolean updates() {
        return dividerRuns() && (memory[REGISTER_B] & SET) == 0;
    }

    /** Pulses between two periodic interrupts, 0 for none. Rates 1 and 2 are those of 8 and 9. */
    private int periodPulses() {
        int rate = memory[REGISTER_A] & 15;
        if (rate == 0) {
            return 0;
        }
        return 1 << (rate < 3 ? rate + 7 : rate) - 1;
    }

    /** Brings time and flags up to now, shows the interrupt request, and waits for what comes next. */
    private void settle() {
        long now = crystal.pulses(queue.now());
        if (dividerRuns()) {
            count(now);
        }
        seen = now;
        boolean level = (flags & memory[REGISTER_B] & (PERIODIC | ALARM | UPDATE_ENDED)) != 0;
        request.accept(level);
        alarm.set(level ? EventQueue.NEVER : nextInterrupt(now));
    }

    private void count(long now) {
        int period = periodPulses();
        if (period != 0 && (now - dividerStart) / period != (seen - dividerStart) / period) {
            flags |= PERIODIC;
        }
        long seconds = (now - dividerStart) / CRYSTAL_HERTZ - (seen - dividerStart) / CRYSTAL_HERTZ;
        if (updates()) {
            update(seconds);
        }
    }

    /**
     * Seconds one by one, and whole days behind the second: each time of day has come then, so that the rest changes
     * nothing but the date. Guests can let centuries pass in one instruction.
     */
    private void update(long seconds) {
        for (long passed = 0; passed < seconds; ) {
            if (passed >= 2 * DAY_SECONDS && seconds - passed >= DAY_SECONDS) {
                calendar.nextDay();
                passed += DAY_SECONDS;
            } else {
                calendar.nextSecond();
                flags |= UPDATE_ENDED | (calendar.alarmMatches() ? ALARM : 0);
                passed++;
            }
        }
    }

    /** Only what can interrupt is waited for, so that a processor that halts for good is seen to. */
    private long nextInterrupt(long now) {
        long next = EventQueue.NEVER;
        long counted = now - dividerStart;
        int enabled = memory[REGISTER_B];
        int period = periodPulses();
        if (dividerRuns() && (enabled & PERIODIC) != 0 && period != 0) {
            next = crystal.tickOf(dividerStart + (counted / period + 1) * period);
        }
        if (updates() && (enabled & (ALARM | UPDATE_ENDED)) != 0) {
            next = Math.min(next, crystal.tickOf(dividerStart + (counted / CRYSTAL_HERTZ + 1) * CRYSTAL_HERTZ));
        }
        return next;
    }

    @Override
    public int in(int port, int sizeBytes) {
        if (port == INDEX) {
            return 0xff;
        }
        settle();
        return switch (index) {
            case REGISTER_A -> memory[REGISTER_A] & 0x7f | (updateInProgress() ? 0x80 : 0);
            case REGISTER_C -> takeFlags();
            case REGISTER_D -> VALID_RAM_AND_TIME;
            default -> memory[index] & 0xff;
        };
    }

    /** UIP: "set for at least 244 microseconds before the update cycle", and during it. */
    private boolean updateInProgress() {
        return updates() && (seen - dividerStart) % CRYSTAL_HERTZ >= CRYSTAL_HERTZ - UPDATE_PULSES;
    }

    private int takeFlags() {
        boolean requests = (flags & memory[REGISTER_B] & (PERIODIC | ALARM | UPDATE_ENDED)) != 0;
        int value = flags | (requests ? 0x80 : 0);
        flags = 0;
        settle();
        return value;
    }

    @Override
    public void out(int port, int sizeBytes, int value) {
        if (port == INDEX) {
            index = value & 0x7f;
            return;
        }
        settle();
        switch (index) {
            case REGISTER_A -> writeA(value & 0x7f);
            // "SET ... when one ... UIE is cleared"
            case REGISTER_B -> memory[REGISTER_B] = (byte) ((value & SET) != 0 ? value & ~UPDATE_ENDED : value);
            case REGISTER_C, REGISTER_D -> {
                // read-only
            }
            default -> memory[index] = (byte) value;
        }
        settle();
    }

    /** "When the divider reset is removed the first update cycle begins one-half second later." */
    private void writeA(int value) {
        boolean ran = dividerRuns();
        memory[REGISTER_A] = (byte) value;
        if (!ran && dividerRuns()) {
            dividerStart = seen - CRYSTAL_HERTZ / 2;
        }
    }
}
