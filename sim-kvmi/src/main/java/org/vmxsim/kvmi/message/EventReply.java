package org.vmxsim.kvmi.message;

/**
 * A tool's reply to an {@link Event}. Which form it has follows from the event: {@link NewValue} for
 * {@link EventKind#CR} and {@link EventKind#MSR}, {@link AfterFault} for {@link EventKind#PAGE_FAULT}, {@link Plain}
 * for all others. Source: kvmi.rst, "KVMI_EVENT_REPLY".
 */
public sealed interface EventReply {
    /**
     * What is to become of the vCPU.
     *
     * @return the action
     */
    Action action();

    /**
     * A reply that says nothing more.
     *
     * @param action what is to become of the vCPU
     * @return the reply
     */
    static EventReply of(Action action) {
        return new Plain(action);
    }

    /**
     * A reply that says nothing more.
     *
     * @param action what is to become of the vCPU
     */
    record Plain(Action action) implements EventReply {}

    /**
     * A reply to a write of a register.
     *
     * @param action what is to become of the vCPU
     * @param value with {@link Action#CONTINUE}, what is written instead
     */
    record NewValue(Action action, long value) implements EventReply {}

    /**
     * A reply to a page fault.
     *
     * @param action what is to become of the vCPU
     * @param trapAccess whether the access is to be trapped again (only the first format has it, and nobody heeds it)
     * @param singlestep with {@link Action#RETRY}: let the vCPU execute one instruction with the rights lifted
     * @param repComplete with {@link Action#CONTINUE}: let a repeated instruction run to its end
     * @param contextAddress guest-virtual address from which {@code context} is seen (the first format has none: 0,
     *     meaning the address of the fault)
     * @param context what emulated reads find instead of memory, at most 256 bytes; empty: memory
     */
    record AfterFault(
            Action action,
            boolean trapAccess,
            boolean singlestep,
            boolean repComplete,
            long contextAddress,
            byte[] context)
            implements EventReply {
        /** Most bytes of {@code context}. */
        public static final int MAX_CONTEXT_BYTES = 256;

        /**
         * Checks the context.
         *
         * @throws IllegalArgumentException if it is longer than {@value #MAX_CONTEXT_BYTES} bytes
         */
        public AfterFault {
            if (context.length > MAX_CONTEXT_BYTES) {
                throw new IllegalArgumentException(
                        "need a context of at most " + MAX_CONTEXT_BYTES + " bytes, got " + context.length);
            }
        }

        /**
         * A reply to a page fault that asks for nothing special.
         *
         * @param action what is to become of the vCPU
         */
        public AfterFault(Action action) {
            this(action, false, false, false, 0, new byte[0]);
        }
    }
}
