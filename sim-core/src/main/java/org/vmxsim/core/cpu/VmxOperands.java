package org.vmxsim.core.cpu;

/**
 * Decoded operands of a VMX instruction or of an instruction whose exit carries an instruction-information field. Plain
 * reusable fields. Register numbers are 0 to 15; -1 where there is none.
 */
public final class VmxOperands {
    /** Whether the r/m operand is memory. */
    public boolean memory;
    /** Linear address of the memory operand, segment base added, address size applied. */
    public long linear;
    /** Offset of the memory operand inside its segment (effective address). */
    public long offset;
    /** Displacement, sign-extended: the exit qualification of memory forms. */
    public long displacement;
    /** Segment number of the memory operand. */
    public int segment;
    /** Base register, or -1. */
    public int base = -1;
    /** Index register, or -1. */
    public int index = -1;
    /** log2 of the scale, 0 to 3. */
    public int scaleShift;
    /** Address size in bytes: 2, 4 or 8. */
    public int addressSizeBytes = 8;
    /** Operand size in bytes: 2, 4 or 8. */
    public int operandSizeBytes = 8;
    /** Register number of the r/m operand if it is not memory, else -1. */
    public int rmRegister = -1;
    /** Register number of the reg operand, or -1. */
    public int register = -1;

    /** No operands. */
    public VmxOperands() {}
}
