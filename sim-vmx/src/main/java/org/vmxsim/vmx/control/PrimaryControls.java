package org.vmxsim.vmx.control;

/** Primary processor-based VM-execution controls, as masks of one bit (SDM "Processor-Based VM-Execution Controls"). */
public final class PrimaryControls {
    /** "Interrupt-window exiting". */
    public static final int INTERRUPT_WINDOW_EXITING = 1 << 2;
    /** "Use TSC offsetting". */
    public static final int TSC_OFFSETTING = 1 << 3;
    /** "HLT exiting". */
    public static final int HLT_EXITING = 1 << 7;
    /** "INVLPG exiting". */
    public static final int INVLPG_EXITING = 1 << 9;
    /** "MWAIT exiting". */
    public static final int MWAIT_EXITING = 1 << 10;
    /** "RDPMC exiting". */
    public static final int RDPMC_EXITING = 1 << 11;
    /** "RDTSC exiting". */
    public static final int RDTSC_EXITING = 1 << 12;
    /** "CR3-load exiting". */
    public static final int CR3_LOAD_EXITING = 1 << 15;
    /** "CR3-store exiting". */
    public static final int CR3_STORE_EXITING = 1 << 16;
    /** "Activate tertiary controls". */
    public static final int TERTIARY_CONTROLS = 1 << 17;
    /** "CR8-load exiting". */
    public static final int CR8_LOAD_EXITING = 1 << 19;
    /** "CR8-store exiting". */
    public static final int CR8_STORE_EXITING = 1 << 20;
    /** "Use TPR shadow". */
    public static final int TPR_SHADOW = 1 << 21;
    /** "NMI-window exiting". */
    public static final int NMI_WINDOW_EXITING = 1 << 22;
    /** "MOV-DR exiting". */
    public static final int MOV_DR_EXITING = 1 << 23;
    /** "Unconditional I/O exiting". */
    public static final int UNCONDITIONAL_IO_EXITING = 1 << 24;
    /** "Use I/O bitmaps". */
    public static final int IO_BITMAPS = 1 << 25;
    /** "Monitor trap flag". */
    public static final int MONITOR_TRAP_FLAG = 1 << 27;
    /** "Use MSR bitmaps". */
    public static final int MSR_BITMAPS = 1 << 28;
    /** "MONITOR exiting". */
    public static final int MONITOR_EXITING = 1 << 29;
    /** "PAUSE exiting". */
    public static final int PAUSE_EXITING = 1 << 30;
    /** "Activate secondary controls". */
    public static final int SECONDARY_CONTROLS = 1 << 31;
    /** Controls that software which does not know them must set (SDM "Reserved Controls and Default Settings"). */
    public static final int DEFAULT1 = 0x4006172;

    private PrimaryControls() {}
}
