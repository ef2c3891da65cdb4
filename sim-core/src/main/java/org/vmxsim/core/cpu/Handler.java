package org.vmxsim.core.cpu;

/**
 * One decoded instruction: what it does, and a link to the instruction after it. Handlers of a page form chains;
 * {@code h = h.exec(cpu)} is the whole engine.
 *
 * <p>The protocol of {@link #exec}: return the next handler if it is known ({@link #next}, or the handler at the target
 * of a branch inside the page) and leave {@code cpu.rip} alone; or set {@code cpu.rip} to the next instruction and
 * return null. If {@code cpu.pending} became non-zero (a fault or an exit), return {@code cpu.abort(this)} and have no
 * other effect than the manual allows.
 */
public abstract class Handler {
    /** Offset of the first byte of the instruction in its 4-KiB page. */
    public int pageOffset;
    /** Length of the instruction in bytes, 1 to 15. */
    public int length;
    /**
     * The handler of the instruction behind this one, or a link that finds it when executed; never null once placed.
     */
    public Handler next;

    /** A handler that is not yet placed. */
    protected Handler() {}

    /**
     * Executes the instruction.
     *
     * @param cpu the processor
     * @return the next handler, or null if {@code cpu.rip} says where to go on
     */
    public abstract Handler exec(Processor cpu);

    /**
     * Whether the instruction, which has just been executed, was a taken branch, for single-stepping on branches.
     *
     * @param cpu the processor
     * @param rip RIP of the instruction
     * @return true if execution did not fall through to the next instruction
     */
    public boolean branched(Processor cpu, long rip) {
        long mask = cpu.mode == Processor.CODE_64 ? -1 : 0xffff_ffffL;
        return cpu.rip == rip ? !cpu.repeating : cpu.rip != (rip + length & mask);
    }

    /**
     * Whether an indirect branch may end here while the tracker waits: at the ENDBR of the code size, and at INT3,
     * which leaves the tracker as it is. SDM Vol. 1, "Indirect Branch Tracking", "INT3 Treatment".
     *
     * @return true if no control-protection exception is due
     */
    public boolean isLandingPad() {
        return false;
    }

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
        public abstract Handler at(Processor cpu);
    }
}
