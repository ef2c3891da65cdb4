package org.vmxsim.core.platform.pc;

import org.vmxsim.core.memory.PortBus;
import org.vmxsim.core.memory.PortDevice;

/**
 * Configuration mechanism 1 of an empty PCI bus: the address register 0xcf8 keeps what was written as 32 bits, and
 * every register of every function reads as ones. PCI Local Bus Specification 3.0, "Software Generation of
 * Configuration Transactions".
 */
final class PciConfigurationPorts implements PortDevice {
    private static final int ADDRESS = 0xcf8;
    private static final int DATA = 0xcfc;
    private static final int WRITABLE = 0x80ff_fffc;

    private int address;

    void attach(PortBus ports) {
        ports.attach(ADDRESS, 1, this);
        ports.attach(DATA, 4, this);
    }

    @Override
    public int in(int port, int sizeBytes) {
        return port == ADDRESS && sizeBytes == 4 ? address : -1;
    }

    @Override
    public void out(int port, int sizeBytes, int value) {
        if (port == ADDRESS && sizeBytes == 4) {
            address = value & WRITABLE;
        }
    }
}
