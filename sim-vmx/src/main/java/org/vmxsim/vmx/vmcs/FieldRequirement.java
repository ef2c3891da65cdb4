package org.vmxsim.vmx.vmcs;

import org.vmxsim.vmx.control.ControlGroup;
import org.vmxsim.vmx.control.EntryControls;
import org.vmxsim.vmx.control.ExitControls;
import org.vmxsim.vmx.control.PinControls;
import org.vmxsim.vmx.control.PrimaryControls;
import org.vmxsim.vmx.control.SecondaryControls;
import org.vmxsim.vmx.control.VmxCapabilities;

/**
 * The control whose 1-setting a processor must support for a field to exist (SDM appendix "Field Encoding in VMCS",
 * footnotes).
 */
public enum FieldRequirement {
    /** Every processor has the field. */
    ALWAYS(ControlGroup.PIN, 0),
    /** No processor that is modelled has it. */
    NEVER(ControlGroup.PIN, 0),
    /** "Activate VMX-preemption timer". */
    PREEMPTION_TIMER(ControlGroup.PIN, PinControls.PREEMPTION_TIMER),
    /** "Process posted interrupts". */
    POSTED_INTERRUPTS(ControlGroup.PIN, PinControls.POSTED_INTERRUPTS),
    /** "Use TPR shadow". */
    TPR_SHADOW(ControlGroup.PRIMARY, PrimaryControls.TPR_SHADOW),
    /** "Use MSR bitmaps". */
    MSR_BITMAPS(ControlGroup.PRIMARY, PrimaryControls.MSR_BITMAPS),
    /** "Activate secondary controls". */
    SECONDARY_CONTROLS(ControlGroup.PRIMARY, PrimaryControls.SECONDARY_CONTROLS),
    /** "Activate tertiary controls". */
    TERTIARY_CONTROLS(ControlGroup.PRIMARY, PrimaryControls.TERTIARY_CONTROLS),
    /** Loadable 64-bit "HLAT" of the tertiary controls. */
    HLAT(ControlGroup.PRIMARY, PrimaryControls.TERTIARY_CONTROLS),
    /** "IPI virtualization" of the tertiary controls. */
    IPI_VIRTUALIZATION(ControlGroup.PRIMARY, PrimaryControls.TERTIARY_CONTROLS),
    /** "Virtualize IA32_SPEC_CTRL" of the tertiary controls. */
    SPEC_CTRL_VIRTUALIZATION(ControlGroup.PRIMARY, PrimaryControls.TERTIARY_CONTROLS),
    /** "Virtualize APIC accesses". */
    APIC_ACCESSES(ControlGroup.SECONDARY, SecondaryControls.VIRTUALIZE_APIC_ACCESSES),
    /** "Enable EPT". */
    EPT(ControlGroup.SECONDARY, SecondaryControls.EPT),
    /** "Enable VPID". */
    VPID(ControlGroup.SECONDARY, SecondaryControls.VPID),
    /** "Virtual-interrupt delivery". */
    VIRTUAL_INTERRUPT_DELIVERY(ControlGroup.SECONDARY, SecondaryControls.VIRTUAL_INTERRUPT_DELIVERY),
    /** "PAUSE-loop exiting". */
    PAUSE_LOOP_EXITING(ControlGroup.SECONDARY, SecondaryControls.PAUSE_LOOP_EXITING),
    /** "Enable VM functions". */
    VM_FUNCTIONS(ControlGroup.SECONDARY, SecondaryControls.VM_FUNCTIONS),
    /** "VMCS shadowing". */
    VMCS_SHADOWING(ControlGroup.SECONDARY, SecondaryControls.VMCS_SHADOWING),
    /** "Enable ENCLS exiting". */
    ENCLS_EXITING(ControlGroup.SECONDARY, SecondaryControls.ENCLS_EXITING),
    /** "Enable PML". */
    PML(ControlGroup.SECONDARY, SecondaryControls.PML),
    /** "EPT-violation #VE". */
    VIRTUALIZATION_EXCEPTION(ControlGroup.SECONDARY, SecondaryControls.EPT_VIOLATION_VE),
    /** "Enable XSAVES/XRSTORS". */
    XSAVES(ControlGroup.SECONDARY, SecondaryControls.XSAVES),
    /** "PASID translation". */
    PASID_TRANSLATION(ControlGroup.SECONDARY, SecondaryControls.PASID_TRANSLATION),
    /** "Sub-page write permissions for EPT". */
    SUB_PAGE_WRITE(ControlGroup.SECONDARY, SecondaryControls.SUB_PAGE_WRITE),
    /** "Use TSC scaling". */
    TSC_SCALING(ControlGroup.SECONDARY, SecondaryControls.TSC_SCALING),
    /** "Enable PCONFIG". */
    PCONFIG(ControlGroup.SECONDARY, SecondaryControls.PCONFIG),
    /** "Enable ENCLV exiting". */
    ENCLV_EXITING(ControlGroup.SECONDARY, SecondaryControls.ENCLV_EXITING),
    /** "Instruction timeout". */
    INSTRUCTION_TIMEOUT(ControlGroup.SECONDARY, SecondaryControls.INSTRUCTION_TIMEOUT),
    /** "Activate secondary controls" of the VM-exit controls. */
    SECONDARY_EXIT_CONTROLS(ControlGroup.EXIT, ExitControls.SECONDARY_CONTROLS),
    /** "Load IA32_PAT" at VM entry. */
    PAT(ControlGroup.ENTRY, EntryControls.LOAD_PAT),
    /** "Load IA32_EFER" at VM entry. */
    EFER(ControlGroup.ENTRY, EntryControls.LOAD_EFER),
    /** "Load IA32_PERF_GLOBAL_CTRL" at VM entry. */
    PERF_GLOBAL_CTRL(ControlGroup.ENTRY, EntryControls.LOAD_PERF_GLOBAL_CTRL),
    /** "Load IA32_BNDCFGS" at VM entry. */
    BNDCFGS(ControlGroup.ENTRY, EntryControls.LOAD_BNDCFGS),
    /** "Load IA32_RTIT_CTL" at VM entry. */
    RTIT_CTL(ControlGroup.ENTRY, EntryControls.LOAD_RTIT_CTL),
    /** "Load guest IA32_LBR_CTL" at VM entry. */
    LBR_CTL(ControlGroup.ENTRY, EntryControls.LOAD_LBR_CTL),
    /** "Load PKRS" at VM entry. */
    PKRS(ControlGroup.ENTRY, EntryControls.LOAD_PKRS),
    /** "Load CET state" at VM entry. */
    CET(ControlGroup.ENTRY, EntryControls.LOAD_CET),
    /** "Load IA32_PAT" at VM exit. */
    HOST_PAT(ControlGroup.EXIT, ExitControls.LOAD_PAT),
    /** "Load IA32_EFER" at VM exit. */
    HOST_EFER(ControlGroup.EXIT, ExitControls.LOAD_EFER),
    /** "Load IA32_PERF_GLOBAL_CTRL" at VM exit. */
    HOST_PERF_GLOBAL_CTRL(ControlGroup.EXIT, ExitControls.LOAD_PERF_GLOBAL_CTRL),
    /** "Load PKRS" at VM exit. */
    HOST_PKRS(ControlGroup.EXIT, ExitControls.LOAD_PKRS),
    /** "Load CET state" at VM exit. */
    HOST_CET(ControlGroup.EXIT, ExitControls.LOAD_CET);

    private final ControlGroup group;
    private final int control;

    FieldRequirement(ControlGroup group, int control) {
        this.group = group;
        this.control = control;
    }

    /**
     * Whether a processor has the fields with this requirement.
     *
     * @param capabilities what the processor supports
     * @return true if the fields exist
     */
    public boolean metBy(VmxCapabilities capabilities) {
        return this == ALWAYS || capabilities.allows(group, control);
    }
}
