package org.vmxsim.vmx.control;

/**
 * Secondary processor-based VM-execution controls, as masks of one bit (SDM "Processor-Based VM-Execution Controls").
 */
public final class SecondaryControls {
    /** "Virtualize APIC accesses". */
    public static final int VIRTUALIZE_APIC_ACCESSES = 1 << 0;
    /** "Enable EPT". */
    public static final int EPT = 1 << 1;
    /** "Descriptor-table exiting". */
    public static final int DESCRIPTOR_TABLE_EXITING = 1 << 2;
    /** "Enable RDTSCP". */
    public static final int RDTSCP = 1 << 3;
    /** "Virtualize x2APIC mode". */
    public static final int VIRTUALIZE_X2APIC_MODE = 1 << 4;
    /** "Enable VPID". */
    public static final int VPID = 1 << 5;
    /** "WBINVD exiting". */
    public static final int WBINVD_EXITING = 1 << 6;
    /** "Unrestricted guest". */
    public static final int UNRESTRICTED_GUEST = 1 << 7;
    /** "APIC-register virtualization". */
    public static final int APIC_REGISTER_VIRTUALIZATION = 1 << 8;
    /** "Virtual-interrupt delivery". */
    public static final int VIRTUAL_INTERRUPT_DELIVERY = 1 << 9;
    /** "PAUSE-loop exiting". */
    public static final int PAUSE_LOOP_EXITING = 1 << 10;
    /** "RDRAND exiting". */
    public static final int RDRAND_EXITING = 1 << 11;
    /** "Enable INVPCID". */
    public static final int INVPCID = 1 << 12;
    /** "Enable VM functions". */
    public static final int VM_FUNCTIONS = 1 << 13;
    /** "VMCS shadowing". */
    public static final int VMCS_SHADOWING = 1 << 14;
    /** "Enable ENCLS exiting". */
    public static final int ENCLS_EXITING = 1 << 15;
    /** "RDSEED exiting". */
    public static final int RDSEED_EXITING = 1 << 16;
    /** "Enable PML". */
    public static final int PML = 1 << 17;
    /** "EPT-violation #VE". */
    public static final int EPT_VIOLATION_VE = 1 << 18;
    /** "Enable XSAVES/XRSTORS". */
    public static final int XSAVES = 1 << 20;
    /** "PASID translation". */
    public static final int PASID_TRANSLATION = 1 << 21;
    /** "Mode-based execute control for EPT". */
    public static final int MODE_BASED_EXECUTE = 1 << 22;
    /** "Sub-page write permissions for EPT". */
    public static final int SUB_PAGE_WRITE = 1 << 23;
    /** "Use TSC scaling". */
    public static final int TSC_SCALING = 1 << 25;
    /** "Enable user wait and pause". */
    public static final int USER_WAIT_PAUSE = 1 << 26;
    /** "Enable PCONFIG". */
    public static final int PCONFIG = 1 << 27;
    /** "Enable ENCLV exiting". */
    public static final int ENCLV_EXITING = 1 << 28;
    /** "Instruction timeout". */
    public static final int INSTRUCTION_TIMEOUT = 1 << 31;

    private SecondaryControls() {}
}
