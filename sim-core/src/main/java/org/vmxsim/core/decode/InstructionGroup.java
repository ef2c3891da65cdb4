package org.vmxsim.core.decode;

/** Groups of instructions, as the manual's summary groups them (SDM Vol. 1, "Instruction Set Summary"). */
public enum InstructionGroup {
    /** "Data Transfer Instructions". */
    DATA_TRANSFER,
    /** "Binary Arithmetic Instructions". */
    BINARY_ARITHMETIC,
    /** "Decimal Arithmetic Instructions". */
    DECIMAL_ARITHMETIC,
    /** "Logical Instructions". */
    LOGICAL,
    /** "Shift and Rotate Instructions". */
    SHIFT_AND_ROTATE,
    /** "Bit and Byte Instructions". */
    BIT_AND_BYTE,
    /** "Control Transfer Instructions", near transfers. */
    CONTROL_TRANSFER,
    /** "String Instructions". */
    STRING,
    /** "Enter and Leave Instructions". */
    ENTER_AND_LEAVE,
    /** "Flag Control (EFLAG) Instructions". */
    FLAG_CONTROL,
    /** "Miscellaneous Instructions". */
    MISCELLANEOUS,
    /** "Shadow Stack Management Instructions" and "Control Transfer Terminating Instructions". */
    CONTROL_FLOW_ENFORCEMENT,
    /** "x87 FPU Instructions" and "x87 FPU and SIMD State Management Instructions", but for FNOP and FWAIT. */
    FLOATING_POINT,
    /** "BMI1 and BMI2 Instructions". */
    BIT_MANIPULATION,
    /** "I/O Instructions", far transfers, interrupts, "System Instructions" and VMX: not of this package's concern. */
    SYSTEM,
    /** Encodings that raise an exception whatever the state. */
    INVALID
}
