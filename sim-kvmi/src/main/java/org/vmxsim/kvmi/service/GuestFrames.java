package org.vmxsim.kvmi.service;

import org.vmxsim.mmu.Vm;

/** Frames that the tool adds to the guest. */
final class GuestFrames {
    private final Vm vm;

    GuestFrames(Vm vm) {
        this.vm = vm;
    }

    /** Takes away what the tool added. */
    void clear() {}
}
