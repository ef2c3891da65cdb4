package org.vmxsim.core.platform;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Numbers typed from the PC16550D data sheet: registers by offset, interrupt codes by priority. */
class Uart16550Test {
    private final StringBuilder sent = new StringBuilder();
    private final List<Boolean> requests = new ArrayList<>();
    private final Uart16550 uart = new Uart16550(octet -> sent.append((char) octet), requests::add);

    private int in(int register) {
        return uart.in(0x3f8 + register, 1);
    }

    private void out(int register, int value) {
        uart.out(0x3f8 + register, 1, value);
    }

    @Test
    @DisplayName("Registers after reset; scratch keeps a byte; a FIFO shows in IIR bits 7:6")
    void registers() {
        assertThat(List.of(in(1), in(2), in(3), in(4), in(5), in(6))).containsExactly(0, 1, 0, 0, 0x60, 0xb0);
        out(7, 0xa5);
        assertThat(in(7)).isEqualTo(0xa5);
        out(2, 7);
        assertThat(in(2)).isEqualTo(0xc1);
        out(2, 0xc0);
        assertThat(in(2)).as("bit 0 is 0: FIFOs off").isEqualTo(1);
        out(1, 0xff);
        assertThat(in(1)).isEqualTo(0x0f);
        out(4, 0xff);
        assertThat(in(4)).isEqualTo(0x1f);
    }

    @Test
    @DisplayName("THRE: when enabled and after each byte; IIR or nothing else takes it back; OUT2 lets it out")
    void transmitter() {
        out(1, 2);
        assertThat(requests).as("OUT2 is off").isEmpty();
        out(4, 8);
        assertThat(requests).containsExactly(true);
        assertThat(in(5)).isEqualTo(0x60);
        assertThat(in(2)).isEqualTo(2);
        assertThat(in(2)).isEqualTo(1);
        assertThat(requests).containsExactly(true, false);
        out(0, 'a');
        assertThat(sent).hasToString("a");
        assertThat(in(2)).isEqualTo(2);
        assertThat(requests).containsExactly(true, false, true, false);
        out(1, 0);
        out(1, 2);
        assertThat(in(2)).as("enabled anew").isEqualTo(2);
    }

    @Test
    @DisplayName("Received bytes wait on the line behind one without FIFO")
    void receiverWithoutFifo() {
        out(1, 1);
        out(4, 8);
        uart.receive('x');
        uart.receive('y' | 0x100);
        assertThat(requests).containsExactly(true);
        assertThat(List.of(in(5), in(2))).containsExactly(0x61, 4);
        assertThat(in(0)).isEqualTo('x');
        assertThat(in(5)).as("the next has come").isEqualTo(0x61);
        assertThat(in(0)).isEqualTo('y');
        assertThat(List.of(in(5), in(2))).containsExactly(0x60, 1);
        assertThat(requests).as("each byte is an edge").containsExactly(true, false, true, false);
    }

    @Test
    @DisplayName("A FIFO of 16: code 4 from the trigger level of 8, time-out 0xc below it; clearing it")
    void receiverFifo() {
        out(2, 0x81);
        out(1, 1);
        out(4, 8);
        for (int i = 0; i < 20; i++) {
            uart.receive(i);
        }
        assertThat(in(2)).isEqualTo(0xc4);
        for (int i = 0; i < 12; i++) {
            assertThat(in(0)).isEqualTo(i);
        }
        assertThat(in(2)).as("8 are left").isEqualTo(0xc4);
        assertThat(requests).containsExactly(true);
        in(0);
        assertThat(requests).containsExactly(true, false, true);
        assertThat(in(2)).as("7 are left").isEqualTo(0xcc);
        out(2, 0x83);
        assertThat(List.of(in(5), in(2))).containsExactly(0x60, 0xc1);
    }

    @Test
    @DisplayName("Loop-back: bytes come back, overrun is the first in priority, modem outputs change modem inputs")
    void loopBack() {
        out(4, 0x1f);
        assertThat(in(6)).as("inputs as outputs; all but RI were on before").isEqualTo(0xf0);
        out(4, 0x13);
        assertThat(in(6)).as("DCD changed, RI ended").isEqualTo(0x3c);
        assertThat(in(6)).isEqualTo(0x30);
        out(0, 'p');
        out(0, 'q');
        assertThat(sent).isEmpty();
        out(1, 0xf);
        assertThat(in(2)).isEqualTo(6);
        assertThat(in(5)).isEqualTo(0x63);
        assertThat(in(2)).isEqualTo(4);
        assertThat(in(0)).isEqualTo('q');
        assertThat(in(2)).isEqualTo(2);
        assertThat(in(2)).isEqualTo(1);
        out(4, 0x12);
        assertThat(in(2)).as("DSR has changed").isZero();
        assertThat(in(6)).isEqualTo(0x12);
        assertThat(in(2)).isEqualTo(1);
        out(4, 0x1a);
        assertThat(in(2)).as("DCD has changed; the pin OUT2 is inactive").isZero();
        assertThat(requests).as("no interrupt leaves in loop-back mode").isEmpty();
    }

    @Test
    @DisplayName("The word Shutdown, and only that, switches off")
    void shutdownPort() {
        int[] offs = {0};
        ShutdownPort port = new ShutdownPort(() -> offs[0]++);
        "Shutdow SShutdown".chars().forEach(octet -> port.out(0x8900, 1, octet));
        assertThat(offs[0]).isEqualTo(1);
        "shutdown".chars().forEach(octet -> port.out(0x8900, 1, octet));
        assertThat(offs[0]).isEqualTo(1);
        assertThat(port.in(0x8900, 1) & 0xff).isEqualTo(0xff);
    }
}
