package org.vmxsim.mmu.view;

/** Who decides about accesses that the overlay of a view denies. */
@FunctionalInterface
public interface ViewAccessHandler {
    /** What becomes of a denied access. */
    enum Answer {
        /**
         * This one access is made; the instruction is emulated, and asked about again for every other denied access.
         */
        CONTINUE,
        /** The access is made by the processor itself, which runs one instruction with the page unrestricted. */
        STEP,
        /** The access is not made and the guest executes the instruction again: something was changed for it. */
        RETRY,
        /** The vCPU comes back to its caller with the access. */
        EXIT
    }

    /**
     * Decides about one access. What a handler changes (the overlay, the vCPU's view, registers or memory) takes effect
     * when it answers {@link Answer#RETRY}.
     *
     * @param access the access
     * @return what becomes of it
     */
    Answer denied(ViewAccess access);
}
