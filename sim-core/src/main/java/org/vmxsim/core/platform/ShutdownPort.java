package org.vmxsim.core.platform;

import java.nio.charset.StandardCharsets;
import org.vmxsim.core.memory.PortDevice;

/** The power-off port of Bochs and of QEMU before ACPI: the bytes "Shutdown", one after the other, switch off. */
public final class ShutdownPort implements PortDevice {
    /** The I/O port. */
    public static final int PORT = 0x8900;

    private static final byte[] WORD = "Shutdown".getBytes(StandardCharsets.US_ASCII);

    private final Runnable powerOff;
    private int matched;

    /**
     * A power-off port.
     *
     * @param powerOff what switching off does
     */
    public ShutdownPort(Runnable powerOff) {
        this.powerOff = powerOff;
    }

    @Override
    public int in(int port, int sizeBytes) {
        return -1;
    }

    @Override
    public void out(int port, int sizeBytes, int value) {
        int octet = value & 0xff;
        // the word's first letter comes in it once only: a mismatch may begin it anew
        matched = octet == WORD[matched] ? matched + 1 : octet == WORD[0] ? 1 : 0;
        if (matched == WORD.length) {
            matched = 0;
            powerOff.run();
        }
    }
}
