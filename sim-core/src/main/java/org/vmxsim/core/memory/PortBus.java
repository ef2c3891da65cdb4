package org.vmxsim.core.memory;

import java.util.Arrays;

/** The 65,536 I/O ports. A port without a device reads as all ones and ignores writes, as an idle bus does. */
public final class PortBus {
    private static final int PORTS = 0x10000;
    private final PortDevice[] devices = new PortDevice[PORTS];

    /** An empty bus. */
    public PortBus() {}

    /**
     * Puts a device behind a range of ports; a later device replaces an earlier one.
     *
     * @param firstPort the first port, 0 to 0xffff
     * @param count how many ports, at least 1
     * @param device who answers
     * @throws IllegalArgumentException if the range leaves 0 to 0xffff, or there is no device
     */
    public void attach(int firstPort, int count, PortDevice device) {
        if (device == null) {
            throw new IllegalArgumentException("need a device for port 0x" + Integer.toHexString(firstPort));
        }
        if (firstPort < 0 || count < 1 || count > PORTS - firstPort) {
            throw new IllegalArgumentException(
                    "need ports within 0 to 0xffff, got first=0x" + Integer.toHexString(firstPort) + " count=" + count);
        }
        Arrays.fill(devices, firstPort, firstPort + count, device);
    }

    /**
     * Whether a device answers at a port.
     *
     * @param port the port number, 0 to 0xffff
     * @return false on an idle bus
     */
    public boolean isAttached(int port) {
        return devices[port & 0xffff] != null;
    }

    /**
     * An input.
     *
     * @param port the port number, 0 to 0xffff
     * @param sizeBytes 1, 2 or 4
     * @return the value, zero-extended to 32 bits
     */
    public int in(int port, int sizeBytes) {
        PortDevice device = devices[port & 0xffff];
        int ones = ones(sizeBytes);
        return device == null ? ones : device.in(port & 0xffff, sizeBytes) & ones;
    }

    private static int ones(int sizeBytes) {
        return sizeBytes == 4 ? -1 : (1 << 8 * sizeBytes) - 1;
    }

    /**
     * An output.
     *
     * @param port the port number, 0 to 0xffff
     * @param sizeBytes 1, 2 or 4
     * @param value the value
     */
    public void out(int port, int sizeBytes, int value) {
        PortDevice device = devices[port & 0xffff];
        if (device != null) {
            device.out(port & 0xffff, sizeBytes, value & ones(sizeBytes));
        }
    }
}
