package org.vmxsim.core.platform.rtc;

import java.time.LocalDateTime;

/**
 * Registers 0 to 9 and the century of a real-time clock: counted as the chip counts them, in BCD or binary, with 12 or
 * 24 hours, whatever software has written.
 */
final class CalendarRegisters {
    private static final int SECONDS = 0;
    private static final int MINUTES = 2;
    private static final int HOURS = 4;
    private static final int DAY_OF_WEEK = 6;
    private static final int DAY = 7;
    private static final int MONTH = 8;
    private static final int YEAR = 9;
    private static final int REGISTER_B = 11;
    private static final int CENTURY = 0x32;
    private static final int PM = 0x80;
    private static final int[] DAYS = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    private final byte[] memory;

    CalendarRegisters(byte[] memory) {
        this.memory = memory;
    }

    private boolean binary() {
        return (memory[REGISTER_B] & 4) != 0;
    }

    private boolean hours24() {
        return (memory[REGISTER_B] & 2) != 0;
    }

    private int get(int register) {
        int raw = memory[register] & 0xff;
        return binary() ? raw : (raw >>> 4) * 10 + (raw & 15);
    }

    private void put(int register, int value) {
        memory[register] = (byte) (binary() ? value : value / 10 << 4 | value % 10);
    }

    void set(LocalDateTime time) {
        put(SECONDS, time.getSecond());
        put(MINUTES, time.getMinute());
        putHour(time.getHour());
        put(DAY_OF_WEEK, time.getDayOfWeek().getValue() % 7 + 1);
        put(DAY, time.getDayOfMonth());
        put(MONTH, time.getMonthValue());
        put(YEAR, time.getYear() % 100);
        put(CENTURY, time.getYear() / 100);
    }

    private int hour() {
        if (hours24()) {
            return get(HOURS);
        }
        int raw = memory[HOURS] & 0x7f;
        int hour = (binary() ? raw : (raw >>> 4) * 10 + (raw & 15)) % 12;
        return (memory[HOURS] & PM) != 0 ? hour + 12 : hour;
    }

    private void putHour(int hour) {
        if (hours24()) {
            put(HOURS, hour);
        } else {
            put(HOURS, hour % 12 == 0 ? 12 : hour % 12);
            memory[HOURS] |= (byte) (hour >= 12 ? PM : 0);
        }
    }

    /** The update cycle. */
    void nextSecond() {
        if (!carries(SECONDS, 60) || !carries(MINUTES, 60)) {
            return;
        }
        int hour = hour() + 1;
        putHour(hour >= 24 ? 0 : hour);
        if (hour >= 24) {
            nextDay();
        }
    }

    /** Counts a register that begins with 0. True if it has come round. */
    private boolean carries(int register, int modulus) {
        int value = get(register) + 1;
        put(register, value >= modulus ? 0 : value);
        return value >= modulus;
    }

    /** A day passes: the date changes, the time of day does not. */
    void nextDay() {
        put(DAY_OF_WEEK, get(DAY_OF_WEEK) >= 7 ? 1 : get(DAY_OF_WEEK) + 1);
        int day = get(DAY) + 1;
        if (day <= daysOfMonth()) {
            put(DAY, day);
            return;
        }
        put(DAY, 1);
        int month = get(MONTH) + 1;
        put(MONTH, month > 12 ? 1 : month);
        if (month > 12 && carries(YEAR, 100)) {
            carries(CENTURY, 100);
        }
    }

    /** The chip knows leap years by the two digits of the year alone. */
    private int daysOfMonth() {
        int month = get(MONTH);
        if (month == 2 && get(YEAR) % 4 == 0) {
            return 29;
        }
        return month >= 1 && month <= 12 ? DAYS[month - 1] : 31;
    }

    /** Whether seconds, minutes and hours are those of the alarm; 0xc0 to 0xff in an alarm register is any value. */
    boolean alarmMatches() {
        return matches(SECONDS) && matches(MINUTES) && matches(HOURS);
    }

    private boolean matches(int register) {
        int wanted = memory[register + 1] & 0xff;
        return wanted >= 0xc0 || wanted == (memory[register] & 0xff);
    }
}
