package org.vmxsim.core.platform;

import java.util.ArrayDeque;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.vmxsim.core.memory.PortDevice;

/**
 * A 16550 serial port on a line that takes no time: what is transmitted goes to a sink at once, so the transmitter is
 * always ready; what the other side sends waits on the line until the receiver has room, so nothing is lost. The modem
 * inputs CTS, DSR and DCD are asserted. Interrupts reach the board while the output OUT2 is asserted, as on a PC.
 *
 * <p>PC16550D data sheet, "Registers": FIFO control, interrupt identification by priority, line and modem status,
 * loop-back. As no byte takes time, the time-out of the receiver's FIFO comes at once.
 */
public final class Uart16550 implements PortDevice {
    /** First I/O port of COM1. */
    public static final int COM1 = 0x3f8;
    /** I/O ports that the device takes. */
    public static final int PORTS = 8;
    /** Interrupt request of COM1. */
    public static final int COM1_REQUEST = 4;

    private static final int DIVISOR_LATCH_ACCESS = 0x80;
    private static final int LOOPBACK = 0x10;
    private static final int OUT2 = 0x08;

    private static final int DATA_READY = 0x01;
    private static final int OVERRUN = 0x02;
    private static final int TRANSMITTER_EMPTY = 0x60;

    private static final int ENABLES_RECEIVED = 0x01;
    private static final int ENABLES_TRANSMITTER = 0x02;
    private static final int ENABLES_LINE = 0x04;
    private static final int ENABLES_MODEM = 0x08;

    private static final int MODEM_CHANGED = 0x00;
    private static final int NO_INTERRUPT = 0x01;
    private static final int TRANSMITTER_IS_EMPTY = 0x02;
    private static final int RECEIVED = 0x04;
    private static final int LINE_ERROR = 0x06;
    private static final int RECEIVER_TIME_OUT = 0x0c;
    private static final int FIFO_ENABLED = 0xc0;

    private static final int MODEM_READY = 0xb0;
    private static final int RING = 0x40;
    private static final int CHANGES = 0x0f;

    private static final int FIFO_BYTES = 16;
    private static final int[] TRIGGER_LEVELS = {1, 4, 8, 14};

    private final IntConsumer sink;
    private final Consumer<Boolean> interrupt;
    private final ArrayDeque<Integer> line = new ArrayDeque<>();
    private final ArrayDeque<Integer> received = new ArrayDeque<>();
    private int interruptEnable;
    private int fifoControl;
    private int lineControl;
    private int modemControl;
    private int scratch;
    private int divisor = 12;
    private int modemChanges;
    private boolean overrun;
    /** The transmitter has become empty since this was last said. */
    private boolean emptied;

    private boolean requested;

    /**
     * A serial port whose interrupt nobody hears.
     *
     * @param sink gets each transmitted byte, 0 to 255
     */
    public Uart16550(IntConsumer sink) {
        this(sink, level -> {});
    }

    /**
     * A serial port.
     *
     * @param sink gets each transmitted byte, 0 to 255
     * @param interrupt told when the interrupt request changes
     */
    public Uart16550(IntConsumer sink, Consumer<Boolean> interrupt) {
        this.sink = sink;
        this.interrupt = interrupt;
    }

    /**
     * The other side sends a byte.
     *
     * @param octet the byte; bits above 7 are ignored
     */
    public void receive(int octet) {
        line.add(octet & 0xff);
        takeFromLine();
        updateRequest();
    }

    private boolean hasFifo() {
        return (fifoControl & 1) != 0;
    }

    private boolean isLooped() {
        return (modemControl & LOOPBACK) != 0;
    }

    private int capacity() {
        return hasFifo() ? FIFO_BYTES : 1;
    }

    /** In loop-back mode the receiver does not hear the line. */
    private void takeFromLine() {
        while (!isLooped() && !line.isEmpty() && received.size() < capacity()) {
            received.add(line.remove());
        }
    }

    @Override
    public int in(int port, int sizeBytes) {
        boolean latch = (lineControl & DIVISOR_LATCH_ACCESS) != 0;
        int value = switch (port & 7) {
            case 0 -> latch ? divisor & 0xff : takeReceived();
            case 1 -> latch ? divisor >>> 8 : interruptEnable;
            case 2 -> takeIdentification();
            case 3 -> lineControl;
            case 4 -> modemControl;
            case 5 -> takeLineStatus();
            case 6 -> takeModemStatus();
            default -> scratch;
        };
        updateRequest();
        return value;
    }

    /** Below the trigger level the request falls, and rises anew for what is left or comes next. */
    private int takeReceived() {
        int octet = received.isEmpty() ? 0 : received.remove();
        if (requested && identification() != RECEIVED || !hasFifo()) {
            request(false);
        }
        takeFromLine();
        return octet;
    }

    private int takeLineStatus() {
        int status = TRANSMITTER_EMPTY | (received.isEmpty() ? 0 : DATA_READY) | (overrun ? OVERRUN : 0);
        overrun = false;
        return status;
    }

    /** In loop-back mode the four modem outputs are seen as the four modem inputs. */
    private int modemInputs() {
        if (!isLooped()) {
            return MODEM_READY;
        }
        int dtr = modemControl & 1;
        int rts = modemControl >>> 1 & 1;
        return (modemControl & 0xc) << 4 | dtr << 5 | rts << 4;
    }

    private int takeModemStatus() {
        int status = modemInputs() | modemChanges;
        modemChanges = 0;
        return status;
    }

    /** The interrupt of highest priority, in the code of the interrupt identification register. */
    private int identification() {
        boolean receives = (interruptEnable & ENABLES_RECEIVED) != 0 && !received.isEmpty();
        if (overrun && (interruptEnable & ENABLES_LINE) != 0) {
            return LINE_ERROR;
        }
        if (receives) {
            boolean reached = !hasFifo() || received.size() >= TRIGGER_LEVELS[fifoControl >>> 6];
            return reached ? RECEIVED : RECEIVER_TIME_OUT;
        }
        if (emptied && (interruptEnable & ENABLES_TRANSMITTER) != 0) {
            return TRANSMITTER_IS_EMPTY;
        }
        return modemChanges != 0 && (interruptEnable & ENABLES_MODEM) != 0 ? MODEM_CHANGED : NO_INTERRUPT;
    }

    /** "Transmitter holding register empty" is reset by being identified. */
    private int takeIdentification() {
        int code = identification();
        if (code == TRANSMITTER_IS_EMPTY) {
            emptied = false;
        }
        return code | (hasFifo() ? FIFO_ENABLED : 0);
    }

    @Override
    public void out(int port, int sizeBytes, int value) {
        int octet = value & 0xff;
        boolean latch = (lineControl & DIVISOR_LATCH_ACCESS) != 0;
        switch (port & 7) {
            case 0 -> {
                if (latch) {
                    divisor = divisor & 0xff00 | octet;
                } else {
                    transmit(octet);
                }
            }
            case 1 -> {
                if (latch) {
                    divisor = divisor & 0xff | octet << 8;
                } else {
                    enableInterrupts(octet & 0xf);
                }
            }
            case 2 -> controlFifo(octet);
            case 3 -> lineControl = octet;
            case 4 -> controlModem(octet & 0x1f);
            case 7 -> scratch = octet;
            default -> {
                // line status and modem status are read-only
            }
        }
        updateRequest();
    }

    private void transmit(int octet) {
        if (!isLooped()) {
            sink.accept(octet);
        } else if (received.size() < capacity()) {
            received.add(octet);
        } else {
            overrun = true;
            if (!hasFifo()) {
                // the holding register is overwritten; a full FIFO keeps what it has
                received.remove();
                received.add(octet);
            }
        }
        emptied = true;
    }

    /** The transmitter is empty, which is said when its interrupt becomes enabled. */
    private void enableInterrupts(int enabled) {
        if ((enabled & ~interruptEnable & ENABLES_TRANSMITTER) != 0) {
            emptied = true;
        }
        interruptEnable = enabled;
    }

    /** Bit 0 must be 1 for the others to be programmed; its change clears both FIFOs, bit 1 the receiver's. */
    private void controlFifo(int octet) {
        boolean changes = ((octet ^ fifoControl) & 1) != 0;
        fifoControl = (octet & 1) != 0 ? octet & 0xc9 : 0;
        if (changes || (octet & 3) == 3) {
            received.clear();
            takeFromLine();
        }
    }

    /** Changes of modem inputs are remembered until modem status is read; of RI, only that it ends. */
    private void controlModem(int octet) {
        int before = modemInputs();
        modemControl = octet;
        int after = modemInputs();
        int changed = (before ^ after) & ~RING | before & ~after & RING;
        modemChanges |= changed >>> 4 & CHANGES;
        takeFromLine();
    }

    /** The board hears the interrupt if OUT2 is asserted, which it is not in loop-back mode. */
    private void updateRequest() {
        boolean heard = (modemControl & (OUT2 | LOOPBACK)) == OUT2;
        boolean level = heard && identification() != NO_INTERRUPT;
        request(level);
    }

    private void request(boolean level) {
        if (level != requested) {
            requested = level;
            interrupt.accept(level);
        }
    }
}
