package org.vmxsim.core.platform.apic;

import java.util.Arrays;
import org.vmxsim.core.memory.MmioDevice;

/**
 * The I/O APIC: 24 interrupt inputs, each with an entry of the redirection table. Inputs are given as "asserted" in the
 * polarity in which the board wires them; the polarity bit is kept and changes nothing.
 *
 * <p>Source: Intel 82093AA data sheet, "Register Description"; version and EOI register as in Intel's ICH data sheets.
 */
public final class IoApic implements MmioDevice {
    /** Physical address of the registers. */
    public static final long BASE = 0xfec0_0000L;
    /** Size of the register page, in bytes. */
    public static final long SIZE_BYTES = 0x1000;
    /** Interrupt inputs. */
    public static final int PINS = 24;

    private static final int SELECT = 0x00;
    private static final int WINDOW = 0x10;
    private static final int END_OF_INTERRUPT = 0x40;
    private static final int VERSION = PINS - 1 << 16 | 0x20;
    private static final int TABLE = 0x10;
    private static final long WRITABLE = 0xff00_0000_0001_afffL;
    private static final long MASKED = 1 << 16;
    private static final long LEVEL = 1 << 15;
    private static final long REMOTE_IRR = 1 << 14;

    private final ApicBus bus;
    private final long[] entries = new long[PINS];
    private final boolean[] asserted = new boolean[PINS];
    private int select;
    private int id;

    /**
     * An I/O APIC after reset: all inputs masked.
     *
     * @param bus where its messages go, and ends of interrupts come from
     */
    public IoApic(ApicBus bus) {
        this.bus = bus;
        bus.add(this);
        reset();
    }

    /** Puts the registers into the state after reset; inputs stay. */
    public void reset() {
        Arrays.fill(entries, MASKED);
        select = 0;
        id = 0;
    }

    /**
     * An input changes. Edges on a masked input are forgotten.
     *
     * @param pin 0 to 23
     * @param level whether it is asserted now
     */
    public void input(int pin, boolean level) {
        boolean rises = level && !asserted[pin];
        asserted[pin] = level;
        boolean edge = !isLevel(pin);
        if (edge && rises && (entries[pin] & MASKED) == 0) {
            send(pin);
        } else if (!edge) {
            serveLevel(pin);
        }
    }

    /** A level-triggered input is sent once until its interrupt has been ended. */
    private void serveLevel(int pin) {
        if (asserted[pin] && isLevel(pin) && (entries[pin] & (MASKED | REMOTE_IRR)) == 0) {
            // set first: the receiver may answer at once
            entries[pin] |= REMOTE_IRR;
            send(pin);
        }
    }

    /** NMI, INIT and the like are edges, even if the entry says level. */
    private boolean isLevel(int pin) {
        int deliveryMode = (int) (entries[pin] >>> 8) & 7;
        return (entries[pin] & LEVEL) != 0 && deliveryMode <= InterruptMessage.LOWEST_PRIORITY;
    }

    private void send(int pin) {
        long entry = entries[pin];
        int deliveryMode = (int) (entry >>> 8) & 7;
        boolean logical = (entry & 1 << 11) != 0;
        bus.send(new InterruptMessage(
                (int) (entry >>> 56), logical, false, deliveryMode, (int) entry & 0xff, isLevel(pin)));
    }

    /** An EOI with this vector: level-triggered inputs of it may be sent again. */
    void endOfInterrupt(int vector) {
        for (int pin = 0; pin < PINS; pin++) {
            if ((entries[pin] & 0xff) == vector && isLevel(pin)) {
                entries[pin] &= ~REMOTE_IRR;
                serveLevel(pin);
            }
        }
    }

    @Override
    public long read(long offset, int sizeBytes) {
        return switch ((int) offset & ~3) {
            case SELECT -> select;
            case WINDOW -> readRegister() & 0xffff_ffffL;
            default -> 0;
        };
    }

    private int readRegister() {
        int pin = select - TABLE >> 1;
        if (select >= TABLE && pin < PINS) {
            return (int) (entries[pin] >>> 32 * (select & 1));
        }
        return switch (select) {
            case 0, 2 -> id << 24;
            case 1 -> VERSION;
            default -> 0;
        };
    }

    @Override
    public void write(long offset, int sizeBytes, long value) {
        switch ((int) offset & ~3) {
            case SELECT -> select = (int) value & 0xff;
            case WINDOW -> writeRegister((int) value);
            case END_OF_INTERRUPT -> endOfInterrupt((int) value & 0xff);
            default -> {
                // nothing is there
            }
        }
    }

    private void writeRegister(int value) {
        int pin = select - TABLE >> 1;
        if (select == 0) {
            id = value >>> 24 & 15;
        } else if (select >= TABLE && pin < PINS) {
            int shift = 32 * (select & 1);
            long merged = entries[pin] & ~(0xffff_ffffL << shift) | (value & 0xffff_ffffL) << shift;
            long remoteIrr = (merged & LEVEL) != 0 ? entries[pin] & REMOTE_IRR : 0;
            entries[pin] = merged & WRITABLE | remoteIrr;
            serveLevel(pin);
        }
    }
}
