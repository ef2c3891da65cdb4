package org.vmxsim.vmx.nonroot;

import org.vmxsim.vmx.control.PrimaryControls;
import org.vmxsim.vmx.control.SecondaryControls;

/** PAUSE exiting and PAUSE-loop exiting (SDM "PAUSE" under "Instructions That Cause VM Exits Conditionally"). */
final class PauseLoop {
    private final VmxContext vmx;
    private boolean seen;
    private long first;
    private long last;

    PauseLoop(VmxContext vmx) {
        this.vmx = vmx;
    }

    /** "The first execution of PAUSE at CPL 0 after VM entry" begins a loop. */
    void entered() {
        seen = false;
    }

    boolean causesExit() {
        if (vmx.controls.hasPrimary(PrimaryControls.PAUSE_EXITING)) {
            return true;
        }
        if (vmx.cpu.cpl != 0 || !vmx.controls.hasSecondary(SecondaryControls.PAUSE_LOOP_EXITING)) {
            return false;
        }
        long now = vmx.cpu.timeStamp();
        boolean newLoop = !seen || Long.compareUnsigned(now - last, vmx.controls.pleGap & 0xffff_ffffL) > 0;
        if (newLoop) {
            seen = true;
            first = now;
        }
        last = now;
        return !newLoop && Long.compareUnsigned(now - first, vmx.controls.pleWindow & 0xffff_ffffL) > 0;
    }
}
