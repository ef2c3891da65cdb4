package org.vmxsim.core.platform;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PlatformTest {
    private final StringBuilder line = new StringBuilder();
    private final Uart16550 uart = new Uart16550(octet -> line.append((char) octet));

    @Test
    void theTransmitterIsAlwaysReadyAndBytesGoOut() {
        uart.out(0x3fb, 1, 0x80); // divisor latch
        uart.out(0x3f8, 1, 1);
        uart.out(0x3f9, 1, 0);
        uart.out(0x3fb, 1, 3);
        uart.out(0x3f8, 1, 'h');
        uart.out(0x3f8, 1, 'i' | 0xff00);

        assertThat(uart.in(0x3fd, 1)).isEqualTo(0x60);
        assertThat(line).hasToString("hi");
    }

    @Test
    void theDivisorLatchHidesDataAndInterruptEnable() {
        uart.out(0x3fb, 1, 0x80);
        uart.out(0x3f8, 1, 0x34);
        uart.out(0x3f9, 1, 0x12);

        assertThat(uart.in(0x3f8, 1)).isEqualTo(0x34);
        assertThat(uart.in(0x3f9, 1)).isEqualTo(0x12);
        uart.out(0x3fb, 1, 3);
        assertThat(uart.in(0x3f9, 1)).isZero();
        assertThat(line).isEmpty();
    }

    @Test
    void loopBackReflectsTheModemOutputs() {
        uart.out(0x3fc, 1, 0x1f);

        assertThat(uart.in(0x3fe, 1)).isEqualTo(0xf0);
        uart.out(0x3fc, 1, 0x12);
        assertThat(uart.in(0x3fe, 1) & 0xf0).isEqualTo(0x10);
    }

    @Test
    void theFirstExitCodeCounts() {
        int[] stops = {0};
        DebugExit exit = new DebugExit(() -> stops[0]++);

        assertThat(exit.written()).isFalse();
        exit.out(0xf4, 4, 5);
        exit.out(0xf4, 4, 6);

        assertThat(exit.code()).isEqualTo(5);
        assertThat(stops[0]).isEqualTo(2);
    }

    @Test
    void theDebugConsoleIsDetectedByItsPortNumber() {
        assertThat(new DebugConsole(line::append).in(0xe9, 1)).isEqualTo(0xe9);
    }
}
