package org.vmxsim.vmx.entry;

import static org.vmxsim.vmx.entry.EntryRule.rule;

import java.util.List;
import org.vmxsim.vmx.control.ControlGroup;
import org.vmxsim.vmx.control.PinControls;
import org.vmxsim.vmx.control.PrimaryControls;
import org.vmxsim.vmx.control.SecondaryControls;
import org.vmxsim.vmx.ept.Eptp;
import org.vmxsim.vmx.vmcs.ControlField;

/** SDM "VM-Execution Control Fields" (of "Checks on VMX Controls"), in its order; a broken rule is VMfail 7. */
public final class ExecutionControlRules {
    private static final int MOST_CR3_TARGETS = 4;
    private static final long EPTP_SWITCHING = 1;

    /** The rules in the order of the checks. */
    public static final List<EntryRule> RULES = List.of(
            rule("reserved pin-based controls", f -> f.capabilities.supports(ControlGroup.PIN, f.pin)),
            rule("reserved primary controls", f -> f.capabilities.supports(ControlGroup.PRIMARY, f.primary)),
            rule("reserved secondary controls", f -> f.capabilities.supports(ControlGroup.SECONDARY, f.secondary)),
            rule(
                    "CR3-target count at most 4",
                    f -> Integer.compareUnsigned(f.getInt(ControlField.CR3_TARGET_COUNT), MOST_CR3_TARGETS) <= 0),
            rule(
                    "I/O bitmaps are pages",
                    f -> !f.primary(PrimaryControls.IO_BITMAPS)
                            || f.isPage(ControlField.IO_BITMAP_A_ADDRESS)
                                    && f.isPage(ControlField.IO_BITMAP_B_ADDRESS)),
            rule(
                    "MSR bitmaps are a page",
                    f -> !f.primary(PrimaryControls.MSR_BITMAPS) || f.isPage(ControlField.MSR_BITMAPS_ADDRESS)),
            rule(
                    "virtual NMIs need NMI exiting",
                    f -> f.pin(PinControls.NMI_EXITING) || !f.pin(PinControls.VIRTUAL_NMIS)),
            rule(
                    "NMI-window exiting needs virtual NMIs",
                    f -> f.pin(PinControls.VIRTUAL_NMIS) || !f.primary(PrimaryControls.NMI_WINDOW_EXITING)),
            rule("VPID is not 0", f -> !f.secondary(SecondaryControls.VPID) || f.getInt(ControlField.VPID) != 0),
            rule(
                    "EPT pointer is valid",
                    f -> !f.ept || Eptp.isValid(f.get(ControlField.EPT_POINTER), f.eptCapabilities)),
            rule(
                    "PML needs EPT and a page",
                    f -> !f.secondary(SecondaryControls.PML) || f.ept && f.isPage(ControlField.PML_ADDRESS)),
            rule("unrestricted guest needs EPT", f -> !f.unrestricted || f.ept),
            rule(
                    "mode-based execute control needs EPT",
                    f -> !f.secondary(SecondaryControls.MODE_BASED_EXECUTE) || f.ept),
            rule("sub-page write permissions need EPT", f -> !f.secondary(SecondaryControls.SUB_PAGE_WRITE) || f.ept),
            rule(
                    "SPPTP is a page",
                    f -> !f.secondary(SecondaryControls.SUB_PAGE_WRITE)
                            || f.isPage(ControlField.SUB_PAGE_PERMISSION_TABLE_POINTER)),
            rule("VM functions are supported and their fields valid", ExecutionControlRules::functions),
            rule(
                    "#VE information is a page",
                    f -> !f.secondary(SecondaryControls.EPT_VIOLATION_VE)
                            || f.isPage(ControlField.VIRTUALIZATION_EXCEPTION_INFORMATION_ADDRESS)),
            rule(
                    "TSC multiplier is not 0",
                    f -> !f.secondary(SecondaryControls.TSC_SCALING) || f.get(ControlField.TSC_MULTIPLIER) != 0));

    private ExecutionControlRules() {}

    private static boolean functions(EntryFields f) {
        if (!f.secondary(SecondaryControls.VM_FUNCTIONS)) {
            return true;
        }
        long enabled = f.get(ControlField.VM_FUNCTION_CONTROLS);
        boolean supported = (enabled & ~f.capabilities.vmFunctions()) == 0;
        boolean switching = (enabled & EPTP_SWITCHING) != 0;
        return supported && (!switching || f.ept && f.isPage(ControlField.EPTP_LIST_ADDRESS));
    }
}
