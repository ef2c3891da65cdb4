package org.vmxsim.core.vectors;

import java.util.HexFormat;

/**
 * One instruction with the state before it and what a real processor made of it at CPL 3.
 *
 * @param form the instruction
 * @param seed what the state before follows from, but for what the form overrides
 * @param before state before
 * @param after state after; after a fault as the handler finds it
 * @param outcome how it ended
 */
record InstructionVector(VectorForm form, long seed, UserState before, UserState after, Outcome outcome) {
    /** {@link Outcome#fault} of an instruction that completes. */
    static final int NO_FAULT = 0xff;

    /**
     * How an instruction ended.
     *
     * @param fault vector of the exception, or {@link #NO_FAULT}
     * @param errorCode error code of the exception, 0 if it has none
     * @param cr2 CR2 after a page fault
     * @param ripDelta RIP after, less {@link VectorForm#start}: 32 bits; 0 after most faults
     */
    record Outcome(int fault, int errorCode, long cr2, int ripDelta) {
        /**
         * Whether it completed.
         *
         * @return true unless there was an exception
         */
        boolean completed() {
            return fault == NO_FAULT;
        }
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(form.toString());
        text.append(" seed 0x").append(Long.toHexString(seed)).append(" before:");
        for (int i = 0; i < before.gpr().length; i++) {
            text.append(" r").append(i).append('=').append(Long.toHexString(before.gpr()[i]));
        }
        text.append(" flags=").append(Integer.toHexString(before.flags()));
        return text.append(" scratch=")
                .append(HexFormat.of().formatHex(before.scratch()))
                .toString();
    }
}
