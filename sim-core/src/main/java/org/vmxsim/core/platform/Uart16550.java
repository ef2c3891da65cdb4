package org.vmxsim.core.platform;

import java.util.function.IntConsumer;
import org.vmxsim.core.memory.PortDevice;

/**
 * A 16550 serial port without a line: what is transmitted goes to a sink at once, so the transmitter is always ready;
 * nothing is ever received and no interrupt is raised. Registers keep what was written, FIFO and divisor latch included
 * (PC16550D data sheet, "Registers").
 */
public final class Uart16550 implements PortDevice {
    /** First I/O port of COM1. */
    public static final int COM1 = 0x3f8;
    /** I/O ports that the device takes. */
    public static final int PORTS = 8;

    private static final int DIVISOR_LATCH_ACCESS = 0x80;
    private static final int TRANSMITTER_EMPTY = 0x60;
    private static final int MODEM_READY = 0xb0;
    private static final int LOOPBACK = 0x10;
    private static final int FIFO_ENABLED = 0xc0;
    private static final int NO_INTERRUPT = 0x01;

    private final IntConsumer sink;
    private int interruptEnable;
    private int fifoControl;
    private int lineControl;
    private int modemControl;
    private int scratch;
    private int divisor = 12;

    /**
     * A serial port.
     *
     * @param sink gets each transmitted byte, 0 to 255
     */
    public Uart16550(IntConsumer sink) {
        this.sink = sink;
    }

    @Override
    public int in(int port, int sizeBytes) {
        boolean latch = (lineControl & DIVISOR_LATCH_ACCESS) != 0;
        return switch (port & 7) {
            case 0 -> latch ? divisor & 0xff : 0;
            case 1 -> latch ? divisor >>> 8 : interruptEnable;
            case 2 -> NO_INTERRUPT | ((fifoControl & 1) != 0 ? FIFO_ENABLED : 0);
            case 3 -> lineControl;
            case 4 -> modemControl;
            case 5 -> TRANSMITTER_EMPTY;
            case 6 -> (modemControl & LOOPBACK) != 0 ? loopedModemStatus() : MODEM_READY;
            default -> scratch;
        };
    }

    /** In loop-back mode the four modem outputs are seen as the four modem inputs. */
    private int loopedModemStatus() {
        int dtr = modemControl & 1;
        int rts = modemControl >>> 1 & 1;
        return (modemControl & 0xc) << 4 | dtr << 5 | rts << 4;
    }

    @Override
    public void out(int port, int sizeBytes, int value) {
        int octet = value & 0xff;
        boolean latch = (lineControl & DIVISOR_LATCH_ACCESS) != 0;
        switch (port & 7) {
            case 0 -> {
                if (latch) {
                    divisor = divisor & 0xff00 | octet;
                } else if ((modemControl & LOOPBACK) == 0) {
                    sink.accept(octet);
                }
            }
            case 1 -> {
                if (latch) {
                    divisor = divisor & 0xff | octet << 8;
                } else {
                    interruptEnable = octet & 0xf;
                }
            }
            case 2 -> fifoControl = octet;
            case 3 -> lineControl = octet;
            case 4 -> modemControl = octet & 0x1f;
            case 7 -> scratch = octet;
            default -> {
                // line status and modem status are read-only
            }
        }
    }
}
