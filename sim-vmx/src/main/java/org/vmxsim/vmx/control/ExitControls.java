package org.vmxsim.vmx.control;

/** Primary VM-exit controls, as masks of one bit (SDM "VM-Exit Controls"). */
public final class ExitControls {
    /** "Save debug controls". */
    public static final int SAVE_DEBUG_CONTROLS = 1 << 2;
    /** "Host address-space size". */
    public static final int HOST_ADDRESS_SPACE_SIZE = 1 << 9;
    /** "Load IA32_PERF_GLOBAL_CTRL". */
    public static final int LOAD_PERF_GLOBAL_CTRL = 1 << 12;
    /** "Acknowledge interrupt on exit". */
    public static final int ACKNOWLEDGE_INTERRUPT = 1 << 15;
    /** "Save IA32_PAT". */
    public static final int SAVE_PAT = 1 << 18;
    /** "Load IA32_PAT". */
    public static final int LOAD_PAT = 1 << 19;
    /** "Save IA32_EFER". */
    public static final int SAVE_EFER = 1 << 20;
    /** "Load IA32_EFER". */
    public static final int LOAD_EFER = 1 << 21;
    /** "Save VMX-preemption timer value". */
    public static final int SAVE_PREEMPTION_TIMER = 1 << 22;
    /** "Load CET state". */
    public static final int LOAD_CET = 1 << 28;
    /** "Load PKRS". */
    public static final int LOAD_PKRS = 1 << 29;
    /** "Activate secondary controls". */
    public static final int SECONDARY_CONTROLS = 1 << 31;
    /** Controls that software which does not know them must set (SDM "Reserved Controls and Default Settings"). */
    public static final int DEFAULT1 = 0x36dff;

    private ExitControls() {}
}
