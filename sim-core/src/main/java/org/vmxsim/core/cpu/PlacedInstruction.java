package org.vmxsim.core.cpu;

/** Where a decoded instruction lies: what the processor must know of it to stop at it. */
public abstract class PlacedInstruction {
    /** Offset of the first byte of the instruction in its 4-KiB page. */
    public int pageOffset;
    /** Length of the instruction in bytes, 1 to 15. */
    public int length;

    /** An instruction that is not yet placed. */
    protected PlacedInstruction() {}
}
