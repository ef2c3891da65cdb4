package org.vmxsim.kvmi.guest;

import org.vmxsim.mmu.Vm;

/** Frames that the tool adds to the guest. */
public final class GuestFrames {
    private final Vm vm;

    /**
     * Nothing added.
     *
     * @param vm the virtual machine
     */
    public GuestFrames(Vm vm) {
        this.vm = vm;
    }

    /** Takes away what the tool added. */
    public void clear() {}
}
