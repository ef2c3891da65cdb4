package org.vmxsim.core.platform.pc;

import org.vmxsim.core.boot.GuestMemory;
import org.vmxsim.core.memory.PortBus;

/**
 * What the firmware of a PC leaves behind for the program that it starts: interrupt vectors of real mode with handlers
 * behind them, the 8259 pair at vectors 0x08 and 0x70 with the timer enabled, and the 8254 ticking 18.2 times a second.
 * Programs in real mode count on it: HLT with interrupts enabled ends at the next tick. There are no other services.
 *
 * <p>Addresses of the handlers and of the tick count: IBM "Personal Computer AT Technical Reference", listing of the
 * BIOS (INT 8 at F000:FEA5, the empty handler at F000:FF53, the timer's count at 0040:006C).
 */
public final class FirmwareState {
    private static final int SEGMENT = 0xf000;
    private static final int TICK = 0xfea5;
    private static final int EMPTY = 0xff53;
    private static final int REQUEST = 0xff60;
    private static final int VECTORS = 256;
    private static final int FIRST_REQUEST = 0x08;
    private static final int NINTH_REQUEST = 0x70;
    private static final int REQUESTS_OF_A_CHIP = 8;

    private static final int MASTER = 0x20;
    private static final int SLAVE = 0xa0;
    /** All masked but the timer and the second chip. */
    private static final int MASTER_MASK = 0xfa;

    private static final int TIMER = 0x40;
    private static final int TIMER_CONTROL = 0x43;
    private static final int CHANNEL_0_SQUARE_WAVE = 0x36;

    /** PUSH AX; PUSH DS; MOV AX,40H; MOV DS,AX; INC DWORD [6CH]; MOV AL,20H; OUT 20H,AL; POP DS; POP AX; IRET. */
    private static final int[] TICK_CODE = {
        0x50, 0x1e, 0xb8, 0x40, 0x00, 0x8e, 0xd8, 0x66, 0xff, 0x06, 0x6c, 0x00, 0xb0, 0x20, 0xe6, 0x20, 0x1f, 0x58, 0xcf
    };
    /** IRET. */
    private static final int[] EMPTY_CODE = {0xcf};
    /** PUSH AX; MOV AL,20H; OUT A0H,AL; OUT 20H,AL; POP AX; IRET. */
    private static final int[] REQUEST_CODE = {0x50, 0xb0, 0x20, 0xe6, 0xa0, 0xe6, 0x20, 0x58, 0xcf};

    private FirmwareState() {}

    /**
     * Leaves this state; before an image is loaded, so that the image may lie anywhere.
     *
     * @param memory gets vectors and handlers, in its first mebibyte
     * @param ports have the devices of a PC
     */
    public static void leave(GuestMemory memory, PortBus ports) {
        memory.load(0, vectors());
        place(memory, TICK, TICK_CODE);
        place(memory, EMPTY, EMPTY_CODE);
        place(memory, REQUEST, REQUEST_CODE);
        initialize(ports, MASTER, FIRST_REQUEST, 1 << 2, MASTER_MASK);
        initialize(ports, SLAVE, NINTH_REQUEST, 2, 0xff);
        ports.out(TIMER_CONTROL, 1, CHANNEL_0_SQUARE_WAVE);
        ports.out(TIMER, 1, 0);
        ports.out(TIMER, 1, 0);
    }

    private static byte[] vectors() {
        byte[] table = new byte[4 * VECTORS];
        for (int vector = 0; vector < VECTORS; vector++) {
            int handler = handler(vector);
            table[4 * vector] = (byte) handler;
            table[4 * vector + 1] = (byte) (handler >> 8);
            table[4 * vector + 2] = (byte) SEGMENT;
            table[4 * vector + 3] = (byte) (SEGMENT >> 8);
        }
        return table;
    }

    private static int handler(int vector) {
        if (vector == FIRST_REQUEST) {
            return TICK;
        }
        boolean request = vector / REQUESTS_OF_A_CHIP == FIRST_REQUEST / REQUESTS_OF_A_CHIP
                || vector / REQUESTS_OF_A_CHIP == NINTH_REQUEST / REQUESTS_OF_A_CHIP;
        return request ? REQUEST : EMPTY;
    }

    private static void place(GuestMemory memory, int offset, int[] code) {
        byte[] bytes = new byte[code.length];
        for (int i = 0; i < code.length; i++) {
            bytes[i] = (byte) code[i];
        }
        memory.load((SEGMENT << 4) + offset, bytes);
    }

    /** The four initialization words of an 8259, and its mask. Intel 8259A data sheet. */
    private static void initialize(PortBus ports, int port, int firstVector, int cascade, int mask) {
        ports.out(port, 1, 0x11);
        ports.out(port + 1, 1, firstVector);
        ports.out(port + 1, 1, cascade);
        ports.out(port + 1, 1, 1);
        ports.out(port + 1, 1, mask);
    }
}
