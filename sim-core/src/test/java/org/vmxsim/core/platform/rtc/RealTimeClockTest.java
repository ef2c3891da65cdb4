package org.vmxsim.core.platform.rtc;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.LocalDateTime;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.vmxsim.core.platform.Bench;
import org.vmxsim.core.time.EventQueue;

/** Values typed from the MC146818A data sheet; machine time is 32,768 ticks a second here, one a pulse. */
class RealTimeClockTest {
    private static final int SECOND = 32_768;

    private final Bench bench = new Bench();
    private int requests;
    private boolean level;
    private RealTimeClock clock = at(2024, 2, 28, 23, 59, 58);

    private RealTimeClock at(int year, int month, int day, int hour, int minute, int second) {
        LocalDateTime start = LocalDateTime.of(year, month, day, hour, minute, second);
        return new RealTimeClock(bench.queue, SECOND, start, this::request);
    }

    private void request(boolean now) {
        requests += now && !level ? 1 : 0;
        level = now;
    }

    private int read(int register) {
        clock.out(0x70, 1, register);
        return clock.in(0x71, 1);
    }

    private void write(int register, int value) {
        clock.out(0x70, 1, register);
        clock.out(0x71, 1, value);
    }

    private String time() {
        return String.format(
                "%02x%02x-%02x-%02x %02x:%02x:%02x day %x",
                read(0x32), read(9), read(8), read(7), read(4), read(2), read(0), read(6));
    }

    @Test
    @DisplayName("Time follows machine time, over the end of a month in a leap year; Wednesday is day 4")
    void calendar() {
        assertThat(time()).isEqualTo("2024-02-28 23:59:58 day 4");
        bench.advance(SECOND - 1);
        assertThat(read(0)).isEqualTo(0x58);
        bench.advance(2 * SECOND);
        assertThat(time()).isEqualTo("2024-02-29 00:00:00 day 5");
        bench.advance((2 + 86_400L) * SECOND);
        assertThat(time()).isEqualTo("2024-03-01 00:00:00 day 6");
        clock = at(1999, 12, 31, 23, 59, 59);
        bench.advance(bench.now() + SECOND - bench.now() % SECOND);
    }

    @Test
    @DisplayName("The century turns")
    void century() {
        clock = at(1999, 12, 31, 23, 59, 59);
        bench.advance(SECOND);
        assertThat(time()).isEqualTo("2000-01-01 00:00:00 day 7");
    }

    @Test
    @Timeout(30)
    @DisplayName("Decades that pass at once are counted by days: the date is right, an alarm has come, nobody waits")
    void decades() {
        long days = 20_000;
        write(1, 0x03);
        write(3, 0x04);
        write(5, 0x05);
        bench.advance(days * 86_400 * SECOND);
        LocalDateTime date = LocalDateTime.of(2024, 2, 28, 23, 59, 58).plusDays(days);
        assertThat(time())
                .isEqualTo(String.format(
                        "%tF %<tT day %d", date, date.getDayOfWeek().getValue() % 7 + 1));
        assertThat(read(0xc)).as("periodic, alarm, update").isEqualTo(0x70);
    }

    @Test
    @DisplayName("Binary and 12 hours: 11 PM is 0x8b")
    void binary12() {
        write(0xb, 0x84);
        write(4, 0x8b);
        write(2, 59);
        write(0, 59);
        write(7, 28);
        write(8, 2);
        write(9, 23);
        write(0xb, 0x04);
        bench.advance(SECOND);
        assertThat(read(4)).as("midnight").isEqualTo(12);
        assertThat(read(7)).isEqualTo(1);
        assertThat(read(8)).isEqualTo(3);
        bench.advance((1 + 12 * 3600L) * SECOND);
        assertThat(read(4)).as("noon").isEqualTo(0x8c);
    }

    @Test
    @DisplayName("UIP is set in the last 2228 microseconds of a second, which are 73 periods of the crystal")
    void updateInProgress() {
        assertThat(read(0xa)).isEqualTo(0x26);
        bench.advance(SECOND - 74);
        assertThat(read(0xa)).isEqualTo(0x26);
        bench.advance(SECOND - 73);
        assertThat(read(0xa)).isEqualTo(0xa6);
        bench.advance(SECOND);
        assertThat(read(0xa)).isEqualTo(0x26);
    }

    @Test
    @DisplayName("Flags are set without their interrupts; register C is cleared by reading")
    void flags() {
        bench.advance(SECOND);
        assertThat(requests).isZero();
        assertThat(bench.queue.next()).isEqualTo(EventQueue.NEVER);
        assertThat(read(0xc)).isEqualTo(0x50);
        assertThat(read(0xc)).isZero();
        assertThat(read(0xd)).isEqualTo(0x80);
    }

    @Test
    @DisplayName("Periodic interrupt, rate 6: 1024 Hz; request 8 stays until register C is read")
    void periodic() {
        write(0xb, 0x42);
        bench.advance(31);
        assertThat(level).isFalse();
        bench.advance(32);
        assertThat(level).isTrue();
        bench.advance(200);
        assertThat(requests).isEqualTo(1);
        assertThat(read(0xc)).isEqualTo(0xc0);
        assertThat(level).isFalse();
        bench.advance(224);
        assertThat(requests).isEqualTo(2);
    }

    @Test
    @DisplayName("Rates: 1 is 256 Hz, 2 is 128 Hz, 3 is 8192 Hz, 15 is 2 Hz")
    void rates() {
        int[][] table = {{1, 128}, {2, 256}, {3, 4}, {9, 256}, {15, 16_384}};
        write(0xb, 0x42);
        for (int[] row : table) {
            write(0xa, 0x20 | row[0]);
            read(0xc);
            long next = (bench.now() / row[1] + 1) * row[1];
            assertThat(bench.queue.next()).as("rate " + row[0]).isEqualTo(next);
        }
        write(0xa, 0x20);
        assertThat(bench.queue.next()).isEqualTo(EventQueue.NEVER);
    }

    @Test
    @DisplayName("Alarm at a time, and with 0xff any hour")
    void alarm() {
        write(1, 0x01);
        write(3, 0x00);
        write(5, 0xff);
        write(0xb, 0x22);
        bench.advance(2 * SECOND + 5);
        assertThat(level).isFalse();
        bench.advance(3 * SECOND);
        assertThat(level).isTrue();
        assertThat(read(0xc)).isEqualTo(0xf0);
        bench.advance(3603L * SECOND);
        assertThat(requests).as("an hour later").isEqualTo(2);
    }

    @Test
    @DisplayName("Update-ended interrupt; SET stops updates and takes the enable away")
    void updateEnded() {
        write(0xb, 0x12);
        bench.advance(SECOND);
        assertThat(level).isTrue();
        assertThat(read(0xc)).isEqualTo(0xd0);
        write(0xb, 0x92);
        assertThat(read(0xb)).isEqualTo(0x82);
        int before = read(0);
        bench.advance(5 * SECOND);
        assertThat(read(0)).isEqualTo(before);
        assertThat(requests).isEqualTo(1);
    }

    @Test
    @DisplayName("The first update comes half a second after the divider's reset")
    void dividerReset() {
        bench.advance(1000);
        write(0xa, 0x66);
        bench.advance(100_000);
        write(0xa, 0x26);
        bench.advance(100_000 + SECOND / 2 - 1);
        assertThat(read(0)).isEqualTo(0x58);
        bench.advance(100_000 + SECOND / 2);
        assertThat(read(0)).isEqualTo(0x59);
    }

    @Test
    @DisplayName("Memory sizes where firmware leaves them: 5 GiB, of which 3 lie below 4 GiB")
    void memorySize() {
        clock.memorySize(3L << 30, 2L << 30);
        assertThat(read(0x15) | read(0x16) << 8).isEqualTo(640);
        assertThat(read(0x17) | read(0x18) << 8).isEqualTo(0xffff);
        assertThat(read(0x34) | read(0x35) << 8).isEqualTo(0xbf00);
        assertThat(read(0x5b) | read(0x5c) << 8 | read(0x5d) << 16).isEqualTo(0x8000);
        clock.memorySize(8 << 20, 0);
        assertThat(read(0x30) | read(0x31) << 8).isEqualTo(7168);
        assertThat(read(0x34) | read(0x35) << 8).isZero();
        write(0x40, 0xa5);
        assertThat(read(0xc0)).as("bit 7 of the index is the NMI mask").isEqualTo(0xa5);
    }
}
