package org.vmxsim.core.platform.pc;

import java.util.function.Supplier;
import org.vmxsim.core.memory.PortBus;
import org.vmxsim.core.memory.PortDevice;
import org.vmxsim.core.x87.ErrorPins;

/**
 * Ports F0 and F1 of the board: a write says that the handler of interrupt request 13 has begun, and asserts IGNNE#.
 * SDM Vol. 1, "MS-DOS* Compatibility Sub-mode".
 */
final class CoprocessorPorts implements PortDevice {
    private static final int CLEAR_BUSY = 0xf0;

    private final Supplier<ErrorPins> pins;

    CoprocessorPorts(Supplier<ErrorPins> pins) {
        this.pins = pins;
    }

    void attach(PortBus ports) {
        ports.attach(CLEAR_BUSY, 2, this);
    }

    @Override
    public int in(int port, int sizeBytes) {
        return -1 >>> 32 - 8 * sizeBytes;
    }

    @Override
    public void out(int port, int sizeBytes, int value) {
        pins.get().ignore();
    }
}
