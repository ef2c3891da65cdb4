package org.vmxsim.vmx;

import java.util.List;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Event;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.vmx.control.SecondaryControls;
import org.vmxsim.vmx.control.VmxError;
import org.vmxsim.vmx.control.VmxStatus;
import org.vmxsim.vmx.entry.CheckedSettings;
import org.vmxsim.vmx.entry.EntryFields;
import org.vmxsim.vmx.entry.EntryRule;
import org.vmxsim.vmx.entry.ExecutionControlRules;
import org.vmxsim.vmx.entry.GuestActivityRules;
import org.vmxsim.vmx.entry.GuestRegisterRules;
import org.vmxsim.vmx.entry.GuestSegmentRules;
import org.vmxsim.vmx.entry.HostStateRules;
import org.vmxsim.vmx.entry.TransitionControlRules;
import org.vmxsim.vmx.ept.EptControls;
import org.vmxsim.vmx.exit.ExitReason;
import org.vmxsim.vmx.nonroot.BoundaryEvents;
import org.vmxsim.vmx.nonroot.Interceptor;
import org.vmxsim.vmx.nonroot.VmxContext;
import org.vmxsim.vmx.vmcs.ControlField;
import org.vmxsim.vmx.vmcs.GuestField;
import org.vmxsim.vmx.vmcs.Vmcs;

/** VM entry, in the manual's order: basic checks, controls and host state, guest state, loading, injection. */
final class VmEntry {
    private static final int VALID = 1 << 31;
    private static final int TYPE_OTHER = 7;
    private static final long QUALIFICATION_PDPTE = 2;
    private static final long QUALIFICATION_NMI = 3;
    private static final long QUALIFICATION_LINK = 4;

    private final VmxContext vmx;
    private final Processor cpu;
    private final ExitTransition exits;
    private final GuestState guest;
    private final BoundaryEvents boundary;
    private final Interceptor interceptor;
    private final MsrLists msrs;
    private final EntryFields fields;
    private final CheckedSettings checked = new CheckedSettings();
    private EntryRule broken;

    VmEntry(VmxContext vmx, Transitions parts) {
        this.vmx = vmx;
        this.cpu = vmx.cpu;
        this.exits = parts.exits();
        this.guest = parts.guest();
        this.boundary = parts.boundary();
        this.interceptor = parts.interceptor();
        this.msrs = parts.msrs();
        this.fields = new EntryFields(vmx.capabilities, vmx.eptCapabilities, vmx.memory);
    }

    /** What VM entry and VM exit work with. */
    record Transitions(
            ExitTransition exits, GuestState guest, BoundaryEvents boundary, Interceptor interceptor, MsrLists msrs) {}

    /** The rule that refused the last entry, or null. */
    EntryRule broken() {
        return broken;
    }

    VmxStatus enter(boolean launch, boolean java) {
        Vmcs vmcs = vmx.current;
        broken = null;
        if (vmcs == null) {
            return VmxStatus.FAIL_INVALID;
        }
        if (!java && (cpu.interruptibility & CpuState.BLOCKING_BY_MOV_SS) != 0) {
            return vmx.fail(VmxError.ENTRY_BLOCKED_BY_MOV_SS);
        }
        if (launch == vmcs.launched()) {
            return vmx.fail(launch ? VmxError.VMLAUNCH_NOT_CLEAR : VmxError.VMRESUME_NOT_LAUNCHED);
        }
        fields.take(vmcs, (cpu.efer & GuestState.EFER_LMA) != 0);
        if (!checked.holdsFor(fields, java)) {
            if (breaks(ExecutionControlRules.RULES) || breaks(TransitionControlRules.RULES)) {
                return vmx.fail(VmxError.ENTRY_INVALID_CONTROL);
            }
            if (!java && breaks(HostStateRules.RULES)) {
                return vmx.fail(VmxError.ENTRY_INVALID_HOST_STATE);
            }
            checked.passed(fields, java);
        }
        vmx.javaHost = java;
        vmx.controls.load(vmcs);
        return enterGuest(vmcs);
    }

    private boolean breaks(List<EntryRule> rules) {
        broken = EntryRule.firstBroken(rules, fields);
        return broken != null;
    }

    private VmxStatus enterGuest(Vmcs vmcs) {
        long qualification = guestQualification();
        if (broken != null) {
            return fail(ExitReason.ENTRY_FAILURE_GUEST_STATE, qualification);
        }
        if (cpu.cycles != null) {
            cpu.cycles.entry();
        }
        guest.load(vmcs);
        int failed = msrs.loadGuest(vmcs);
        if (failed != 0) {
            return fail(ExitReason.ENTRY_FAILURE_MSR_LOADING, failed);
        }
        vmcs.launched(true);
        vmx.inNonRoot = true;
        loadTranslation(vmcs);
        cpu.pending = Processor.NOTHING;
        // SDM "Clearing Address-Range Monitoring"
        cpu.monitor.disarm();
        cpu.modeChanged();
        cpu.events().stateLoaded();
        inject(vmcs);
        return VmxStatus.SUCCEED;
    }

    private VmxStatus fail(ExitReason reason, long qualification) {
        exits.failEntry(reason, qualification);
        return VmxStatus.ENTRY_FAILED;
    }

    /** Checks the guest state; the answer counts if a rule is broken. */
    private long guestQualification() {
        if (breaks(GuestRegisterRules.RULES) || breaks(GuestSegmentRules.RULES) || breaks(GuestActivityRules.RULES)) {
            return 0;
        }
        if (breaks(GuestActivityRules.NMI_RULES)) {
            return QUALIFICATION_NMI;
        }
        if (breaks(GuestActivityRules.LINK_RULES)) {
            return QUALIFICATION_LINK;
        }
        return breaks(GuestActivityRules.PDPTE_RULES) ? QUALIFICATION_PDPTE : 0;
    }

    private void loadTranslation(Vmcs vmcs) {
        if (!vmx.controls.hasSecondary(SecondaryControls.VPID)) {
            vmx.translations.vmTransition();
        }
        if (!vmx.controls.hasSecondary(SecondaryControls.EPT)) {
            return;
        }
        EptControls ept = vmx.ept.controls();
        ept.eptp(vmcs.get(ControlField.EPT_POINTER));
        ept.modeBasedExecute = vmx.controls.hasSecondary(SecondaryControls.MODE_BASED_EXECUTE);
        ept.subPageWrite = vmx.controls.hasSecondary(SecondaryControls.SUB_PAGE_WRITE);
        ept.spptp = vmcs.get(ControlField.SUB_PAGE_PERMISSION_TABLE_POINTER);
        ept.pageModificationLog = vmx.controls.hasSecondary(SecondaryControls.PML);
        ept.pmlAddress = vmcs.get(ControlField.PML_ADDRESS);
        ept.pmlIndex = vmcs.getInt(GuestField.PML_INDEX);
        ept.violationVe = vmx.controls.hasSecondary(SecondaryControls.EPT_VIOLATION_VE);
        ept.veInformationAddress = vmcs.get(ControlField.VIRTUALIZATION_EXCEPTION_INFORMATION_ADDRESS);
        ept.eptpIndex = vmcs.getInt(ControlField.EPTP_INDEX);
        vmx.ept.exit().pending = false;
        cpu.translator(vmx.ept);
    }

    /** SDM "Event Injection"; type 7 is a pending MTF VM exit. */
    private void inject(Vmcs vmcs) {
        int information = vmcs.getInt(ControlField.ENTRY_INTERRUPTION_INFORMATION);
        boolean valid = (information & VALID) != 0;
        boolean other = valid && (information >>> 8 & 7) == TYPE_OTHER;
        boundary.entered(vmcs, other);
        interceptor.entered();
        if (dropsDebugExceptions(valid && !other, information >>> 8 & 7)) {
            cpu.pendingDebugExceptions = 0;
        }
        if (valid && !other) {
            int errorCode = vmcs.getInt(ControlField.ENTRY_EXCEPTION_ERROR_CODE);
            cpu.inject(information, errorCode, vmcs.getInt(ControlField.ENTRY_INSTRUCTION_LENGTH));
        }
    }

    /** SDM "Delivery of Pending Debug Exceptions after VM Entry": when there are none whatever the field says. */
    private boolean dropsDebugExceptions(boolean vectoring, int type) {
        if (!vectoring) {
            return cpu.activity == CpuState.SHUTDOWN || cpu.activity == CpuState.WAIT_FOR_SIPI;
        }
        boolean software = type == Event.SOFTWARE_INTERRUPT || type == Event.SOFTWARE_EXCEPTION;
        return !software || (cpu.interruptibility & CpuState.BLOCKING_BY_MOV_SS) == 0;
    }
}
