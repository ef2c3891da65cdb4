package org.vmxsim.core.platform.pit;

/**
 * One counter of the 8254, as a function of its clock: nothing happens between two calls, every call says how many
 * pulses of the clock have come. A count is loaded by the pulse after its last byte has been written.
 *
 * <p>Source: Intel 8254 data sheet, "Mode Definitions", "Counter Latch Command", "Read-Back Command".
 */
final class Counter {
    /** What {@link #nextChange} answers where the output stays as it is. */
    static final long NEVER = Long.MAX_VALUE;

    private static final int NOTHING_LATCHED = -1;
    private static final int BINARY = 0x10000;
    private static final int DECIMAL = 10_000;

    /** Undefined after power-up; a square wave without a count is high, as firmware leaves it. */
    private int mode = 3;
    /** Mode and BCD bit as the control word had them: modes 6 and 7 are 2 and 3, but are read back as written. */
    private int written = 3 << 1;

    private int access = 3;
    private boolean decimal;
    private boolean gate;
    /** Whether the element has been loaded, or triggered, since the control word; until then it stands still. */
    private boolean started;
    /** The count that the element works with, 1 to 65536. */
    private int count = BINARY;
    /** The pulse that loads the element, or, after a pause, from which it goes on. */
    private long since;
    /** Pulses counted before {@link #since}. */
    private long counted;
    /** A count that has been written and not loaded; 0 if none. */
    private int waiting;
    /** The pulse that loads {@link #waiting}, or {@link #NEVER} if a trigger is needed. */
    private long waitingUntil = NEVER;
    /** Whether that load begins the low half of a period of mode 3. */
    private boolean toLowHalf;
    /** Whether that load was asked for by the gate. */
    private boolean triggered;

    private boolean nullCount = true;
    private int firstByte;
    private boolean secondWrite;
    private boolean secondRead;
    private int latchedCount = NOTHING_LATCHED;
    private int latchedStatus = NOTHING_LATCHED;
    /** What the element held when the control word was written. */
    private int frozen;

    Counter(boolean gate) {
        this.gate = gate;
    }

    /** The control word, other than latch and read-back. */
    void control(int word, long now) {
        settle(now);
        frozen = element(now);
        access = word >>> 4 & 3;
        int wanted = word >>> 1 & 7;
        mode = wanted > 5 ? wanted & 3 : wanted;
        written = word & 0xf;
        decimal = (word & 1) != 0;
        started = false;
        waiting = 0;
        waitingUntil = NEVER;
        toLowHalf = false;
        triggered = false;
        nullCount = true;
        secondWrite = false;
        secondRead = false;
        latchedCount = NOTHING_LATCHED;
        latchedStatus = NOTHING_LATCHED;
    }

    /** A byte of the count. */
    void write(int octet, long now) {
        settle(now);
        switch (access) {
            case 1 -> load(octet, now);
            case 2 -> load(octet << 8, now);
            default -> {
                if (secondWrite) {
                    load(firstByte | octet << 8, now);
                } else {
                    firstByte = octet;
                    if (mode == 0) {
                        // "the first byte disables counting", and OUT is low at once
                        frozen = element(now);
                        started = false;
                        waitingUntil = NEVER;
                    }
                }
                secondWrite = !secondWrite;
            }
        }
    }

    private void load(int written, long now) {
        int value = decimal ? fromDecimal(written) : written;
        waiting = value == 0 ? modulus() : value;
        nullCount = true;
        if (mode == 1 || mode == 5) {
            waitingUntil = NEVER;
        } else if ((mode == 2 || mode == 3) && started) {
            waitingUntil = gate ? endOfPart(now) : NEVER;
        } else {
            if (mode == 0) {
                frozen = element(now);
                started = false;
            }
            waitingUntil = now + 1;
        }
    }

    /** The end of the period (mode 2) or half-period (mode 3) that is being counted. */
    private long endOfPart(long now) {
        long phase = phase(now);
        toLowHalf = mode == 3 && phase < high();
        return now + (toLowHalf ? high() : count) - phase;
    }

    /** The gate input changes. */
    void gate(boolean level, long now) {
        settle(now);
        if (level == gate) {
            return;
        }
        gate = level;
        if (mode == 1 || mode == 5) {
            if (level && (started || waiting != 0)) {
                trigger(now);
            }
        } else if (!level) {
            counted = elapsedOpen(now);
            since = now;
            waitingUntil = started && waiting != 0 && mode != 0 && mode != 4 ? NEVER : waitingUntil;
        } else {
            since = Math.max(since, now);
            if (started && (mode == 2 || mode == 3)) {
                trigger(now);
            }
        }
    }

    /** A rising edge of the gate: the next pulse loads the element. */
    private void trigger(long now) {
        if (waiting == 0) {
            waiting = count;
        }
        waitingUntil = now + 1;
        toLowHalf = false;
        triggered = true;
    }

    /** Loads what has been due up to now. */
    private void settle(long now) {
        while (now >= waitingUntil) {
            long loadedAt = waitingUntil;
            count = waiting;
            waiting = 0;
            waitingUntil = NEVER;
            nullCount = false;
            started = true;
            since = loadedAt;
            counted = toLowHalf ? high() : 0;
            toLowHalf = false;
            triggered = false;
        }
    }

    private boolean counts() {
        return gate || mode == 1 || mode == 5;
    }

    private long elapsed(long now) {
        return counts() && !(triggered && mode < 4 && mode > 1) ? elapsedOpen(now) : counted;
    }

    /** As if the gate did not hold the count. */
    private long elapsedOpen(long now) {
        return now > since ? counted + (now - since) : counted;
    }

    private long phase(long now) {
        return elapsed(now) % count;
    }

    /** Pulses of a period of mode 3 with the output high. */
    private int high() {
        return (count + 1) / 2;
    }

    private int modulus() {
        return decimal ? DECIMAL : BINARY;
    }

    /** The output. */
    boolean output(long now) {
        settle(now);
        if (!started) {
            return mode != 0;
        }
        long elapsed = elapsed(now);
        return switch (mode) {
            case 0, 1 -> elapsed >= count;
            case 2 -> !gate || triggered || phase(now) != count - 1;
            case 3 -> !gate || triggered || phase(now) < high();
            default -> elapsed != count;
        };
    }

    /** The first pulse after now at which the output may change if nobody writes, or {@link #NEVER}. */
    long nextChange(long now) {
        settle(now);
        long change = waitingUntil;
        if (started && counts()) {
            change = Math.min(change, changeOfElement(now));
        }
        return change;
    }

    private long changeOfElement(long now) {
        long elapsed = elapsed(now);
        long start = now - elapsed;
        return switch (mode) {
            case 0, 1 -> elapsed < count ? start + count : NEVER;
            case 2 -> now + (phase(now) < count - 1 ? count - 1 - phase(now) : count - phase(now));
            case 3 -> now + (phase(now) < high() ? high() : count) - phase(now);
            default -> elapsed < count ? start + count : elapsed == count ? now + 1 : NEVER;
        };
    }

    /** The counting element as it is read, in the counter's number system. */
    private int element(long now) {
        if (!started) {
            return frozen;
        }
        long elapsed = elapsed(now);
        int value = switch (mode) {
            case 2 -> (int) (count - phase(now));
            case 3 -> halves(phase(now));
            default -> (int) Math.floorMod(count - elapsed, (long) modulus());
        };
        return decimal ? toDecimal(value % DECIMAL) : value & 0xffff;
    }

    /** Mode 3 counts down by two, from the even number at or below the count, in each half of the period. */
    private int halves(long phase) {
        long inHalf = phase < high() ? phase : phase - high();
        return (int) ((count & ~1) - 2 * inHalf);
    }

    private static int fromDecimal(int digits) {
        return (digits >>> 12) * 1000 + (digits >>> 8 & 15) * 100 + (digits >>> 4 & 15) * 10 + (digits & 15);
    }

    private static int toDecimal(int value) {
        return value / 1000 << 12 | value / 100 % 10 << 8 | value / 10 % 10 << 4 | value % 10;
    }

    /** Counter latch command; one that has not been read yet stays. */
    void latchCount(long now) {
        settle(now);
        if (latchedCount == NOTHING_LATCHED) {
            latchedCount = element(now);
        }
    }

    /** Read-back of the status; one that has not been read yet stays. */
    void latchStatus(long now) {
        if (latchedStatus == NOTHING_LATCHED) {
            int out = output(now) ? 0x80 : 0;
            latchedStatus = out | (nullCount ? 0x40 : 0) | access << 4 | written;
        }
    }

    /** A read of the counter's port. */
    int read(long now) {
        settle(now);
        if (latchedStatus != NOTHING_LATCHED) {
            int status = latchedStatus;
            latchedStatus = NOTHING_LATCHED;
            return status;
        }
        int value = latchedCount == NOTHING_LATCHED ? element(now) : latchedCount;
        boolean high = access == 2 || access == 3 && secondRead;
        boolean last = access != 3 || secondRead;
        secondRead = access == 3 && !secondRead;
        if (last) {
            latchedCount = NOTHING_LATCHED;
        }
        return high ? value >>> 8 : value & 0xff;
    }
}
