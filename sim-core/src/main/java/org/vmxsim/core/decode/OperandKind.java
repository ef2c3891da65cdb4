package org.vmxsim.core.decode;

/** What an operand of a {@link DecodedInstruction} is. */
public enum OperandKind {
    /** No operand. */
    NONE,
    /** A general-purpose register, 0 to 15; of byte operands the low byte. */
    REGISTER,
    /** AH, CH, DH or BH: the second byte of register 0 to 3. */
    HIGH_BYTE,
    /** Memory at the address that ModR/M, or the instruction's own address, describes. */
    MEMORY,
    /** The immediate, sign-extended to 64 bits. */
    IMMEDIATE,
    /** A displacement from the next instruction, in the immediate. */
    RELATIVE,
    /** A far pointer in the instruction: offset in the immediate, selector in the second immediate. */
    FAR_POINTER,
    /** A segment register, in the processor's numbering. */
    SEGMENT,
    /** A control register. */
    CONTROL,
    /** A debug register. */
    DEBUG,
    /** String element at DS:rSI (segment may be overridden). */
    STRING_SOURCE,
    /** String element at ES:rDI. */
    STRING_DESTINATION
}
