package org.vmxsim.core.decode;

/** One operand of a {@link DecodedInstruction}: plain fields, overwritten by the next decode. */
public final class Operand {
    /** What the operand is. */
    public OperandKind kind = OperandKind.NONE;
    /** Register number, where {@link #kind} names a register file. */
    public int register;
    /** Size in bytes; 0 for memory that only gives an address. */
    public int sizeBytes;

    /** No operand. */
    public Operand() {}

    void set(OperandKind newKind, int newRegister, int newSizeBytes) {
        this.kind = newKind;
        this.register = newRegister;
        this.sizeBytes = newSizeBytes;
    }

    /**
     * Whether the operand lies in memory at a ModR/M or direct address.
     *
     * @return true for {@link OperandKind#MEMORY}
     */
    public boolean isMemory() {
        return kind == OperandKind.MEMORY;
    }

    /**
     * Whether the operand is a whole register or its low part, not AH to BH.
     *
     * @return true for {@link OperandKind#REGISTER}
     */
    public boolean isRegister() {
        return kind == OperandKind.REGISTER;
    }
}
