package org.vmxsim.vmx;

import org.vmxsim.vmx.control.VmxCapabilities;
import org.vmxsim.vmx.control.VmxError;
import org.vmxsim.vmx.control.VmxStatus;
import org.vmxsim.vmx.ept.Eptp;
import org.vmxsim.vmx.nonroot.VmxContext;

/** INVEPT and INVVPID: the checks of type and descriptor, then the invalidation. */
final class Invalidation {
    private static final int SINGLE_CONTEXT = 1;
    private static final int ALL_CONTEXTS = 2;
    private static final int INDIVIDUAL_ADDRESS = 0;

    private final VmxContext vmx;

    Invalidation(VmxContext vmx) {
        this.vmx = vmx;
    }

    /** SDM "INVEPT - Invalidate Translations Derived from EPT". */
    VmxStatus invept(long type, long eptp) {
        boolean known = type >= SINGLE_CONTEXT
                && type <= ALL_CONTEXTS
                && (vmx.capabilities.eptVpid() & VmxCapabilities.INVEPT_SINGLE << type - 1) != 0;
        // single-context: the EPTP must be one that VM entry would accept
        if (!known || type == SINGLE_CONTEXT && !Eptp.isValid(eptp, vmx.eptCapabilities)) {
            return vmx.fail(VmxError.INVALID_INVALIDATION_OPERAND);
        }
        if (vmx.cpu.cycles != null) {
            vmx.cpu.cycles.invept();
        }
        vmx.translations.invept((int) type, eptp & Eptp.ADDRESS.mask());
        return VmxStatus.SUCCEED;
    }

    /** SDM "INVVPID - Invalidate Translations Based on VPID". */
    VmxStatus invvpid(long type, long vpid, long linear) {
        boolean known = type >= INDIVIDUAL_ADDRESS
                && type <= 3
                && (vmx.capabilities.eptVpid() & VmxCapabilities.INVVPID_INDIVIDUAL << type) != 0;
        if (!known
                || vpid >>> 16 != 0
                || type != ALL_CONTEXTS && vpid == 0
                || type == INDIVIDUAL_ADDRESS && !vmx.isCanonical(linear)) {
            return vmx.fail(VmxError.INVALID_INVALIDATION_OPERAND);
        }
        if (vmx.cpu.cycles != null) {
            vmx.cpu.cycles.invvpid();
        }
        vmx.translations.invvpid((int) type, (int) vpid, linear);
        return VmxStatus.SUCCEED;
    }
}
