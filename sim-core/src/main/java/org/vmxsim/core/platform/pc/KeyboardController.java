package org.vmxsim.core.platform.pc;

import org.vmxsim.core.memory.PortBus;
import org.vmxsim.core.memory.PortDevice;

/**
 * A keyboard controller without a keyboard at ports 0x60 and 0x64: commands are done at once, data for the keyboard
 * gets no answer, and the pulse of output line 0 resets the machine. Intel 8042 as programmed for the PC/AT (IBM
 * Personal Computer AT Technical Reference, "Keyboard Controller").
 */
final class KeyboardController implements PortDevice {
    private static final int DATA = 0x60;
    private static final int COMMAND = 0x64;
    private static final int OUTPUT_FULL = 0x01;
    private static final int SYSTEM_FLAG = 0x04;
    private static final int LAST_WAS_COMMAND = 0x08;
    private static final int NOT_LOCKED = 0x10;
    /** Output port: A20 open, line 0 (reset, active low) high. */
    private static final int OUTPUT_PORT = 0x03;

    private static final int DISABLED = 0x10;

    private final Runnable reset;
    private int mode = 0x05;
    private int output;
    private boolean full;
    private boolean command;
    /** The command that waits for a byte at the data port; 0 if none. */
    private int waiting;

    KeyboardController(Runnable reset) {
        this.reset = reset;
    }

    void attach(PortBus ports) {
        ports.attach(DATA, 1, this);
        ports.attach(COMMAND, 1, this);
    }

    @Override
    public int in(int port, int sizeBytes) {
        if (port == DATA) {
            full = false;
            return output;
        }
        return (full ? OUTPUT_FULL : 0) | mode & SYSTEM_FLAG | (command ? LAST_WAS_COMMAND : 0) | NOT_LOCKED;
    }

    @Override
    public void out(int port, int sizeBytes, int value) {
        int octet = value & 0xff;
        command = port == COMMAND;
        if (command) {
            obey(octet);
        } else {
            data(octet);
        }
    }

    private void data(int octet) {
        if (waiting == 0x60) {
            mode = octet;
        } else if (waiting == 0xd1 && (octet & 1) == 0) {
            reset.run();
        }
        waiting = 0;
    }

    private void obey(int octet) {
        waiting = octet == 0x60 || octet == 0xd1 ? octet : 0;
        switch (octet) {
            case 0x20 -> answer(mode);
            case 0xaa -> answer(0x55);
            case 0xab -> answer(0);
            case 0xad -> mode |= DISABLED;
            case 0xae -> mode &= ~DISABLED;
            case 0xd0 -> answer(OUTPUT_PORT);
            default -> {
                // 0xf0 to 0xff pulse the output lines whose bits are 0
                if (octet >= 0xf0 && (octet & 1) == 0) {
                    reset.run();
                }
            }
        }
    }

    private void answer(int octet) {
        output = octet;
        full = true;
    }
}
