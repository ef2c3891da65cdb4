package org.vmxsim.mmu;

/** Whether a denied write could be discarded. */
public enum SkipOutcome {
    /** The instruction, or the iteration of a repeated string instruction, is done without its write. */
    SKIPPED,
    /** Refused: the vCPU does not stand at a denied write. */
    NO_DENIED_WRITE,
    /** Refused: the write belongs to the delivery of an event, and the event would be lost or run twice. */
    EVENT_DELIVERY,
    /** Refused: the processor itself was setting flags in the guest's paging structures, not an instruction. */
    PAGING_STRUCTURE,
    /** Refused: the instruction's bytes cannot be read, so it is not known whether it repeats. */
    UNREADABLE_INSTRUCTION
}
