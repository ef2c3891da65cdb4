package org.vmxsim.mmu.guest;

import org.vmxsim.core.memory.PortDevice;

/** A device whose writes end the virtual machine. */
public final class EndPort implements PortDevice {
    private Integer value;

    /** Nothing written. */
    public EndPort() {
        // Nothing to make.
    }

    /**
     * What was written, once.
     *
     * @return the value, or null
     */
    public Integer take() {
        Integer taken = value;
        value = null;
        return taken;
    }

    @Override
    public int in(int at, int sizeBytes) {
        return 0;
    }

    @Override
    public void out(int at, int sizeBytes, int written) {
        value = written;
    }
}
