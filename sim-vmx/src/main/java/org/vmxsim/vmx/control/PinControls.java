package org.vmxsim.vmx.control;

/** Pin-based VM-execution controls, as masks of one bit (SDM "Pin-Based VM-Execution Controls"). */
public final class PinControls {
    /** "External-interrupt exiting". */
    public static final int EXTERNAL_INTERRUPT_EXITING = 1 << 0;
    /** "NMI exiting". */
    public static final int NMI_EXITING = 1 << 3;
    /** "Virtual NMIs". */
    public static final int VIRTUAL_NMIS = 1 << 5;
    /** "Activate VMX-preemption timer". */
    public static final int PREEMPTION_TIMER = 1 << 6;
    /** "Process posted interrupts". */
    public static final int POSTED_INTERRUPTS = 1 << 7;
    /** Controls that software which does not know them must set (SDM "Reserved Controls and Default Settings"). */
    public static final int DEFAULT1 = 0x16;

    private PinControls() {}
}
