package org.vmxsim.vmx.control;

/** VM-entry controls, as masks of one bit (SDM "VM-Entry Controls"). */
public final class EntryControls {
    /** "Load debug controls". */
    public static final int LOAD_DEBUG_CONTROLS = 1 << 2;
    /** "IA-32e mode guest". */
    public static final int IA32E_MODE_GUEST = 1 << 9;
    /** "Entry to SMM". */
    public static final int ENTRY_TO_SMM = 1 << 10;
    /** "Deactivate dual-monitor treatment". */
    public static final int DEACTIVATE_DUAL_MONITOR = 1 << 11;
    /** "Load IA32_PERF_GLOBAL_CTRL". */
    public static final int LOAD_PERF_GLOBAL_CTRL = 1 << 13;
    /** "Load IA32_PAT". */
    public static final int LOAD_PAT = 1 << 14;
    /** "Load IA32_EFER". */
    public static final int LOAD_EFER = 1 << 15;
    /** "Load IA32_BNDCFGS". */
    public static final int LOAD_BNDCFGS = 1 << 16;
    /** "Load IA32_RTIT_CTL". */
    public static final int LOAD_RTIT_CTL = 1 << 18;
    /** "Load CET state". */
    public static final int LOAD_CET = 1 << 20;
    /** "Load guest IA32_LBR_CTL". */
    public static final int LOAD_LBR_CTL = 1 << 21;
    /** "Load PKRS". */
    public static final int LOAD_PKRS = 1 << 22;
    /** Controls that software which does not know them must set (SDM "Reserved Controls and Default Settings"). */
    public static final int DEFAULT1 = 0x11ff;

    private EntryControls() {}
}
