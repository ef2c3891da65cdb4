package org.vmxsim.vmx.ept;

/**
 * What the end of a guest-physical access depends on besides tables and controls: the state of the processor at that
 * moment. Implementations: VMX over a processor; {@link #QUIET} where there is no processor.
 */
public interface GuestCondition {
    /**
     * Whether the guest is in protected mode.
     *
     * @return CR0.PE
     */
    boolean protectedMode();

    /**
     * Whether an event is being delivered through the IDT.
     *
     * @return true from the recognition of the event until its handler's first instruction
     */
    boolean deliveringEvent();

    /**
     * Whether the instruction is an IRET that has unblocked NMIs. SDM Vol. 3C, "Exit Qualification for EPT Violations",
     * bit 12.
     *
     * @return the value of exit-qualification bit 12
     */
    boolean nmiUnblocking();

    /** Protected mode, and nothing going on. */
    GuestCondition QUIET = new GuestCondition() {
        @Override
        public boolean protectedMode() {
            return true;
        }

        @Override
        public boolean deliveringEvent() {
            return false;
        }

        @Override
        public boolean nmiUnblocking() {
            return false;
        }
    };
}
