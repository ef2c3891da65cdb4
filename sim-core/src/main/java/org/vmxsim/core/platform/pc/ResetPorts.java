package org.vmxsim.core.platform.pc;

import org.vmxsim.core.memory.PortBus;
import org.vmxsim.core.memory.PortDevice;

/**
 * The two reset registers of a PC's chip set: 0xcf9 (a reset when bit 2 rises; bit 1 says whether a full one) and 0x92
 * (a reset when bit 0 rises; bit 1 is the A20 gate, which is always open). Intel ICH data sheets, "Reset Control
 * Register", "Fast A20 and INIT Register".
 */
final class ResetPorts implements PortDevice {
    private static final int RESET_CONTROL = 0xcf9;
    private static final int FAST_RESET = 0x92;
    private static final int RESET_PROCESSOR = 1 << 2;
    private static final int KEPT = 0xa;
    private static final int A20_OPEN = 2;

    private final Runnable reset;
    private int resetControl;
    private int fastReset;

    ResetPorts(Runnable reset) {
        this.reset = reset;
    }

    void attach(PortBus ports) {
        ports.attach(RESET_CONTROL, 1, this);
        ports.attach(FAST_RESET, 1, this);
    }

    @Override
    public int in(int port, int sizeBytes) {
        return port == RESET_CONTROL ? resetControl : fastReset | A20_OPEN;
    }

    @Override
    public void out(int port, int sizeBytes, int value) {
        boolean resets;
        if (port == RESET_CONTROL) {
            resets = (value & ~resetControl & RESET_PROCESSOR) != 0;
            resetControl = value & (KEPT | RESET_PROCESSOR);
        } else {
            resets = (value & ~fastReset & 1) != 0;
            fastReset = value & 1;
        }
        if (resets) {
            reset.run();
        }
    }
}
