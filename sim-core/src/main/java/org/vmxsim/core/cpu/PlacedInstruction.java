package org.vmxsim.core.cpu;

/** A decoded instruction as the processor's loop sees it: where it lies, to stop at it, and how to execute it. */
public abstract class PlacedInstruction {
    /** Offset of the first byte of the instruction in its 4-KiB page. */
    public int pageOffset;
    /** Length of the instruction in bytes, 1 to 15. */
    public int length;

    /** An instruction that is not yet placed. */
    protected PlacedInstruction() {}

    /**
     * Executes the instruction.
     *
     * @param cpu the processor
     * @return the next instruction, or null if {@code cpu.rip} says where to go on or {@code cpu.pending} is set
     */
    public abstract PlacedInstruction exec(Processor cpu);

    /** Where the processor's loop gets decoded instructions: the code cache of an engine. */
    public abstract static class Source {
        /** For implementations. */
        protected Source() {}

        /**
         * The instruction at {@code cpu.rip} in the present mode. Sets {@code cpu.codeBase} to the RIP of the first
         * byte of its page.
         *
         * @param cpu the processor
         * @return the instruction, or null if the fetch left an exception or exit in {@code cpu.pending}
         */
        public abstract PlacedInstruction at(Processor cpu);
    }
}
