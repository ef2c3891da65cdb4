package org.vmxsim.core.platform.pit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.platform.Bench;
import org.vmxsim.core.time.EventQueue;

class Pit8254Test {
    private final Bench bench = new Bench();
    private final List<Long> rises = new ArrayList<>();
    private boolean level = true;
    private final Pit8254 pit = new Pit8254(bench.queue, Bench.TICKS_PER_SECOND, this::request);

    private void request(boolean now) {
        if (now && !level) {
            rises.add(bench.now() / 1000);
        }
        level = now;
    }

    @Test
    @DisplayName("Counter 0 at 1000 Hz: divisor 1193, a rising edge each 1193 pulses")
    void rateGenerator() {
        pit.out(0x43, 1, 0x34);
        pit.out(0x40, 1, 1193 & 0xff);
        pit.out(0x40, 1, 1193 >>> 8);
        bench.advance(5_000_000);
        assertThat(rises).containsExactly(1194L, 2387L, 3580L, 4773L);
    }

    @Test
    @DisplayName("Counter 0 in mode 0 raises its request once, and then nothing is waited for")
    void oneShot() {
        pit.out(0x43, 1, 0x30);
        assertThat(level).isFalse();
        pit.out(0x40, 1, 100);
        pit.out(0x40, 1, 0);
        bench.advance(100_999);
        assertThat(level).isFalse();
        bench.advance(101_000);
        assertThat(level).isTrue();
        assertThat(bench.queue.next()).isEqualTo(EventQueue.NEVER);
    }

    @Test
    @DisplayName("Port 0x61 opens the gate of counter 2 and shows its output; bit 4 is the refresh toggle")
    void systemControlPort() {
        pit.out(0x43, 1, 0xb0);
        pit.out(0x42, 1, 50);
        pit.out(0x42, 1, 0);
        bench.advance(90_000);
        assertThat(pit.in(0x61, 1)).as("gate shut, 90 / 18 is odd").isEqualTo(0x10);
        pit.out(0x61, 1, 1);
        bench.advance(139_999);
        assertThat(pit.in(0x61, 1)).isEqualTo(0x11);
        bench.advance(140_000);
        assertThat(pit.in(0x61, 1)).isEqualTo(0x31);
        bench.advance(144_000);
        assertThat(pit.in(0x61, 1)).isEqualTo(0x21);
    }

    @Test
    @DisplayName("Read-back latches count and status of the chosen counters")
    void readBack() {
        pit.out(0x43, 1, 0x14);
        pit.out(0x40, 1, 100);
        pit.out(0x43, 1, 0x56);
        pit.out(0x41, 1, 18);
        bench.advance(11_000);
        pit.out(0x43, 1, 0xc6);
        bench.advance(30_000);
        assertThat(pit.in(0x40, 1)).as("status").isEqualTo(0x94);
        assertThat(pit.in(0x40, 1)).as("count").isEqualTo(90);
        assertThat(pit.in(0x41, 1)).as("high half has 9 pulses, two a count").isEqualTo(0x16 & 0x3f | 0x00);
        assertThat(pit.in(0x43, 1)).isEqualTo(0xff);
    }

    @Test
    @DisplayName("The counter latch command")
    void latch() {
        pit.out(0x43, 1, 0x34);
        pit.out(0x40, 1, 0);
        pit.out(0x40, 1, 0);
        bench.advance(257_000);
        pit.out(0x43, 1, 0x00);
        bench.advance(999_000);
        assertThat(pit.in(0x40, 1)).isZero();
        assertThat(pit.in(0x40, 1)).isEqualTo(0xff);
    }
}
