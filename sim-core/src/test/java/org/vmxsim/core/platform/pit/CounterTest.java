package org.vmxsim.core.platform.pit;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The timing diagrams of the 8254 data sheet: the count is written between pulses 0 and 1, so pulse 1 loads it. */
class CounterTest {
    private final Counter counter = new Counter(true);

    /** Low bytes of the element (hexadecimal) and output (+ or -), pulse by pulse. */
    private String diagram(int from, int to) {
        StringBuilder line = new StringBuilder();
        for (int pulse = from; pulse <= to; pulse++) {
            char out = counter.output(pulse) ? '+' : '-';
            line.append(line.isEmpty() ? "" : " ")
                    .append(Integer.toHexString(counter.read(pulse)))
                    .append(out);
        }
        return line.toString();
    }

    private void start(int control, int count) {
        counter.control(control, 0);
        counter.write(count, 0);
    }

    @Test
    @DisplayName("Mode 0: interrupt on terminal count, N + 1 pulses after the write")
    void mode0() {
        start(0x10, 4);
        assertThat(counter.output(0)).isFalse();
        assertThat(counter.nextChange(0)).isEqualTo(1);
        assertThat(diagram(1, 7)).isEqualTo("4- 3- 2- 1- 0+ ff+ fe+");
        assertThat(counter.nextChange(7)).isEqualTo(Counter.NEVER);
    }

    @Test
    @DisplayName("Mode 0: the gate holds the count, a new count begins anew")
    void mode0Gate() {
        start(0x10, 3);
        assertThat(diagram(1, 2)).isEqualTo("3- 2-");
        counter.gate(false, 2);
        assertThat(diagram(3, 4)).isEqualTo("2- 2-");
        assertThat(counter.nextChange(4)).isEqualTo(Counter.NEVER);
        counter.gate(true, 4);
        assertThat(diagram(5, 6)).isEqualTo("1- 0+");
        counter.write(2, 6);
        assertThat(diagram(7, 9)).isEqualTo("2- 1- 0+");
    }

    @Test
    @DisplayName("Mode 1: one-shot, started by the gate, and started again")
    void mode1() {
        start(0x12, 3);
        assertThat(counter.output(4)).isTrue();
        counter.gate(false, 4);
        counter.gate(true, 5);
        assertThat(counter.output(5)).isTrue();
        assertThat(diagram(6, 10)).isEqualTo("3- 2- 1- 0+ ff+");
        counter.gate(false, 10);
        counter.gate(true, 11);
        assertThat(diagram(12, 13)).isEqualTo("3- 2-");
        counter.write(2, 13);
        assertThat(diagram(14, 15)).isEqualTo("1- 0+");
        counter.gate(false, 15);
        counter.gate(true, 15);
        assertThat(diagram(16, 18)).as("the new count").isEqualTo("2- 1- 0+");
    }

    @Test
    @DisplayName("Mode 2: rate generator, low while the count is 1")
    void mode2() {
        start(0x14, 3);
        assertThat(counter.output(0)).isTrue();
        assertThat(diagram(1, 7)).isEqualTo("3+ 2+ 1- 3+ 2+ 1- 3+");
        counter.write(4, 7);
        assertThat(diagram(8, 14)).as("after this period").isEqualTo("2+ 1- 4+ 3+ 2+ 1- 4+");
        assertThat(counter.nextChange(14)).isEqualTo(17);
        assertThat(counter.nextChange(17)).isEqualTo(18);
    }

    @Test
    @DisplayName("Mode 2: a low gate stops with the output high, a rising one loads")
    void mode2Gate() {
        start(0x14, 3);
        counter.gate(false, 3);
        assertThat(counter.output(3)).isTrue();
        counter.gate(true, 5);
        assertThat(diagram(6, 9)).isEqualTo("3+ 2+ 1- 3+");
    }

    @Test
    @DisplayName("Mode 3: square wave, even and odd")
    void mode3() {
        start(0x16, 4);
        assertThat(diagram(1, 8)).isEqualTo("4+ 2+ 4- 2- 4+ 2+ 4- 2-");
        start(0x16, 5);
        assertThat(diagram(1, 11)).isEqualTo("4+ 2+ 0+ 4- 2- 4+ 2+ 0+ 4- 2- 4+");
        assertThat(counter.nextChange(11)).isEqualTo(14);
    }

    @Test
    @DisplayName("Mode 3: a new count comes at the end of the half-period")
    void mode3NewCount() {
        start(0x16, 4);
        counter.write(8, 1);
        assertThat(diagram(2, 12)).isEqualTo("2+ 8- 6- 4- 2- 8+ 6+ 4+ 2+ 8- 6-");
    }

    @Test
    @DisplayName("Mode 4: software strobe, low for one pulse")
    void mode4() {
        start(0x18, 3);
        assertThat(diagram(1, 6)).isEqualTo("3+ 2+ 1+ 0- ff+ fe+");
        counter.write(2, 6);
        assertThat(diagram(7, 10)).isEqualTo("2+ 1+ 0- ff+");
    }

    @Test
    @DisplayName("Mode 5: hardware strobe")
    void mode5() {
        start(0x1a, 3);
        assertThat(counter.output(3)).isTrue();
        counter.gate(false, 3);
        counter.gate(true, 3);
        assertThat(diagram(4, 8)).isEqualTo("3+ 2+ 1+ 0- ff+");
    }

    @Test
    @DisplayName("Both bytes, low first; the first of mode 0 stops the count; the latch holds until both are read")
    void bothBytes() {
        counter.control(0x34, 0);
        counter.write(0x02, 0);
        counter.write(0x01, 0);
        counter.latchCount(3);
        counter.latchCount(4);
        assertThat(counter.read(9)).isEqualTo(0x00);
        assertThat(counter.read(9)).isEqualTo(0x01);
        assertThat(counter.read(9)).as("live again").isEqualTo(0xfa);
    }

    @Test
    @DisplayName("BCD counts down from 9999 behind 0")
    void decimal() {
        counter.control(0x31, 0);
        counter.write(0x00, 0);
        counter.write(0x10, 0);
        assertThat(counter.read(2)).isEqualTo(0x99);
        assertThat(counter.read(2)).isEqualTo(0x09);
        counter.latchCount(1002);
        assertThat(counter.read(1002) | counter.read(1002) << 8).isEqualTo(0x9999);
        start(0x11, 0);
        assertThat(counter.output(10_000)).as("0 is 10,000").isFalse();
        assertThat(counter.output(10_001)).isTrue();
    }

    @Test
    @DisplayName("Status: output, null count, access, mode, BCD")
    void status() {
        start(0x36, 0);
        counter.latchStatus(0);
        assertThat(counter.read(0)).as("not loaded").isEqualTo(0xf6);
        counter.write(0, 0);
        counter.latchStatus(1);
        assertThat(counter.read(1)).as("loaded").isEqualTo(0xb6);
        start(0x10, 5);
        counter.latchStatus(2);
        counter.latchCount(2);
        assertThat(counter.read(6)).as("status first").isEqualTo(0x10);
        assertThat(counter.read(6)).isEqualTo(4);
    }

    @Test
    @DisplayName("A count of 0 is 65536; modes 6 and 7 are 2 and 3")
    void zeroAndAliases() {
        start(0x10, 0);
        assertThat(counter.output(65_536)).isFalse();
        assertThat(counter.output(65_537)).isTrue();
        start(0x1c, 3);
        assertThat(diagram(1, 4)).isEqualTo("3+ 2+ 1- 3+");
        start(0x1e, 4);
        assertThat(diagram(1, 4)).isEqualTo("4+ 2+ 4- 2-");
        counter.latchStatus(1);
        assertThat(counter.read(1)).as("the mode as written").isEqualTo(0x9e);
    }
}
