package org.vmxsim.core.debug;

/**
 * A debugger outside the machine, as one processor asks it. It uses nothing of the machine's own debug registers, and
 * nothing that it does can be seen by software.
 */
public interface ExternalDebugger {
    /**
     * Whether the processor asks before each instruction; otherwise it asks at some boundaries only, and at the next
     * one after an access of interest.
     *
     * @return true while there are breakpoints on code, or single steps
     */
    boolean watchesInstructions();

    /**
     * Asked at an instruction boundary, all events of which have been taken.
     *
     * @param linear linear address of the next instruction
     * @return true to end the run before this instruction
     */
    boolean stopsBefore(long linear);

    /**
     * Whether accesses are watched at all.
     *
     * @return true if some are
     */
    boolean watchesData();

    /**
     * Whether accesses to a page are watched.
     *
     * @param linear a linear address in the 4-KiB page
     * @return true if accesses to the page must be told
     */
    boolean watchesPage(long linear);

    /**
     * Told of a data access that is allowed and about to be made.
     *
     * @param linear linear address of the first byte
     * @param sizeBytes bytes
     * @param write whether it writes
     * @return whether the run shall end behind the instruction
     */
    boolean accessed(long linear, int sizeBytes, boolean write);
}
