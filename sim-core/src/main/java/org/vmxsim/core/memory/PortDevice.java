package org.vmxsim.core.memory;

/** A device behind I/O ports (IN, OUT, INS, OUTS). Guest software reaches it; it never throws. */
public interface PortDevice {
    /**
     * An input from a port.
     *
     * @param port the port number, 0 to 0xffff
     * @param sizeBytes 1, 2 or 4
     * @return the value, zero-extended
     */
    int in(int port, int sizeBytes);

    /**
     * An output to a port.
     *
     * @param port the port number, 0 to 0xffff
     * @param sizeBytes 1, 2 or 4
     * @param value the value, zero-extended
     */
    void out(int port, int sizeBytes, int value);
}
