package org.vmxsim.vmx;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.vmx.control.SecondaryControls;
import org.vmxsim.vmx.ept.Eptp;
import org.vmxsim.vmx.exit.ExitReason;
import org.vmxsim.vmx.nonroot.VmxContext;
import org.vmxsim.vmx.vmcs.ControlField;

/** VMFUNC and its one function, EPTP switching (SDM "VM Functions"). */
final class VmFunctions {
    /** VM function 0 and its bit in the VM-function controls. */
    private static final int EPTP_SWITCHING = 0;

    private static final int FUNCTIONS = 64;
    private static final int EPTP_LIST_ENTRIES = 512;
    private static final int UNDEFINED_OPCODE = 6;

    private final VmxContext vmx;

    VmFunctions(VmxContext vmx) {
        this.vmx = vmx;
    }

    /** Undefined outside non-root operation, without the control, or for EAX above 63; any CPL may use it. */
    void vmfunc() {
        Processor cpu = vmx.cpu;
        int function = (int) cpu.gpr[CpuState.RAX];
        if (!vmx.inNonRoot
                || !vmx.controls.hasSecondary(SecondaryControls.VM_FUNCTIONS)
                || Integer.compareUnsigned(function, FUNCTIONS) >= 0) {
            cpu.raise(UNDEFINED_OPCODE);
            return;
        }
        long enabled = vmx.current.get(ControlField.VM_FUNCTION_CONTROLS);
        boolean done = function == EPTP_SWITCHING
                && (enabled & 1L << EPTP_SWITCHING) != 0
                && switchEptp((int) cpu.gpr[CpuState.RCX]);
        if (!done) {
            vmx.record(ExitReason.VMFUNC, 0);
            cpu.pending = Processor.VM_EXIT;
        }
    }

    /** SDM "EPTP Switching": false if it causes a VM exit. */
    private boolean switchEptp(int index) {
        if (index < 0 || index >= EPTP_LIST_ENTRIES) {
            return false;
        }
        long list = vmx.current.get(ControlField.EPTP_LIST_ADDRESS);
        long eptp = vmx.memory.readLong(list + 8L * index);
        if (!Eptp.isValid(eptp, vmx.eptCapabilities)) {
            return false;
        }
        vmx.current.set(ControlField.EPT_POINTER, eptp);
        vmx.current.set(ControlField.EPTP_INDEX, index);
        vmx.ept.controls().eptp(eptp);
        vmx.ept.controls().eptpIndex = index;
        vmx.cpu.modeChanged();
        return true;
    }
}
