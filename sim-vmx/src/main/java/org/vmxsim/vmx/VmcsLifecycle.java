package org.vmxsim.vmx;

import org.vmxsim.vmx.control.VmxError;
import org.vmxsim.vmx.control.VmxStatus;
import org.vmxsim.vmx.nonroot.VmxContext;
import org.vmxsim.vmx.vmcs.Vmcs;

/**
 * VMXON, VMXOFF, VMCLEAR, VMPTRLD: which VMCSs are active and which is current (SDM "VMCS Launch State", "Software Use
 * of Virtual-Machine Control Structures"). Operands are given; what the instructions check before is elsewhere.
 */
final class VmcsLifecycle {
    private final VmxContext vmx;

    VmcsLifecycle(VmxContext vmx) {
        this.vmx = vmx;
    }

    VmxStatus vmxon(long hpa) {
        if (vmx.inVmxOperation()) {
            return vmx.fail(VmxError.VMXON_IN_ROOT);
        }
        if (!isRegion(hpa) || vmx.memory.readInt(hpa) != Vmcs.REVISION) {
            return VmxStatus.FAIL_INVALID;
        }
        vmx.vmxonPointer = hpa;
        vmx.current = null;
        return VmxStatus.SUCCEED;
    }

    /** The manual asks software to VMCLEAR first; what it forgot is written back, so that nothing is lost. */
    void vmxoff() {
        for (Vmcs vmcs : vmx.active.values()) {
            vmcs.store(vmx.memory);
        }
        vmx.active.clear();
        vmx.current = null;
        vmx.vmxonPointer = VmxContext.NO_POINTER;
    }

    VmxStatus vmclear(long hpa) {
        vmx.chargeVmcsAccess();
        if (!isRegion(hpa)) {
            return vmx.fail(VmxError.VMCLEAR_INVALID_ADDRESS);
        }
        if (hpa == vmx.vmxonPointer) {
            return vmx.fail(VmxError.VMCLEAR_VMXON_POINTER);
        }
        Vmcs vmcs = vmx.active.remove(hpa);
        if (vmcs == null) {
            vmcs = new Vmcs(hpa);
            vmcs.load(vmx.memory);
        }
        vmcs.launched(false);
        vmcs.store(vmx.memory);
        if (vmx.current == vmcs) {
            vmx.current = null;
        }
        return VmxStatus.SUCCEED;
    }

    VmxStatus vmptrld(long hpa) {
        vmx.chargeVmcsAccess();
        if (!isRegion(hpa)) {
            return vmx.fail(VmxError.VMPTRLD_INVALID_ADDRESS);
        }
        if (hpa == vmx.vmxonPointer) {
            return vmx.fail(VmxError.VMPTRLD_VMXON_POINTER);
        }
        // the shadow-VMCS indicator is bit 31, and no modelled processor has VMCS shadowing: it must be 0 too
        if (vmx.memory.readInt(hpa) != Vmcs.REVISION) {
            return vmx.fail(VmxError.VMPTRLD_INCORRECT_REVISION);
        }
        Vmcs vmcs = vmx.active.get(hpa);
        if (vmcs == null) {
            vmcs = new Vmcs(hpa);
            vmcs.load(vmx.memory);
            vmx.active.put(hpa, vmcs);
        }
        vmx.current = vmcs;
        return VmxStatus.SUCCEED;
    }

    private boolean isRegion(long hpa) {
        return (hpa & Vmcs.REGION_BYTES - 1) == 0 && vmx.capabilities.isPhysical(hpa);
    }
}
