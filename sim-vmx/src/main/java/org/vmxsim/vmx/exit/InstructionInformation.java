package org.vmxsim.vmx.exit;

import org.vmxsim.core.cpu.VmxOperands;

/**
 * VM-exit instruction information (SDM "Information for VM Exits Due to Instruction Execution"). The formats of the
 * instructions agree where they have the same part:
 *
 * <pre>
 *  1:0   scaling of the index         10     1: the r/m operand is a register
 *  6:3   register operand (Reg1)      17:15  segment register
 *  9:7   address size 0:16 1:32 2:64  21:18  index register, 22 invalid
 *  12:11 operand size                 26:23  base register, 27 invalid
 *                                     31:28  Reg2, or 29:28 instruction identity
 * </pre>
 */
public final class InstructionInformation {
    /** Bit 10: the r/m operand is a register. */
    public static final int REGISTER_FORM = 1 << 10;

    private static final int NO_INDEX = 1 << 22;
    private static final int NO_BASE = 1 << 27;

    private InstructionInformation() {}

    /**
     * INVEPT, INVVPID, INVPCID, VMREAD, VMWRITE (and, with no register operand, VMCLEAR, VMPTRLD, VMPTRST, VMXON).
     *
     * @param operands the operands
     * @return the field
     */
    public static int ofMemoryAndRegister(VmxOperands operands) {
        int reg2 = operands.register < 0 ? 0 : operands.register << 28;
        return rm(operands) | reg2;
    }

    /**
     * LGDT, LIDT, SGDT, SIDT.
     *
     * @param operands the operands
     * @param identity 0 SGDT, 1 SIDT, 2 LGDT, 3 LIDT
     * @return the field
     */
    public static int ofTable(VmxOperands operands, int identity) {
        int operandSize = operands.operandSizeBytes == 2 ? 0 : 1 << 11;
        return memory(operands) | operandSize | identity << 28;
    }

    /**
     * LLDT, LTR, SLDT, STR.
     *
     * @param operands the operands
     * @param identity 0 SLDT, 1 STR, 2 LLDT, 3 LTR
     * @return the field
     */
    public static int ofSystemSegment(VmxOperands operands, int identity) {
        return rm(operands) | identity << 28;
    }

    /**
     * RDRAND, RDSEED, TPAUSE, UMWAIT.
     *
     * @param operands the operands
     * @return the field
     */
    public static int ofRegister(VmxOperands operands) {
        return operands.rmRegister << 3 | sizeCode(operands.operandSizeBytes) << 11;
    }

    /**
     * INS, OUTS.
     *
     * @param operands the operands
     * @return the field
     */
    public static int ofStringIo(VmxOperands operands) {
        return sizeCode(operands.addressSizeBytes) << 7 | operands.segment << 15;
    }

    private static int rm(VmxOperands operands) {
        return operands.memory ? memory(operands) : REGISTER_FORM | operands.rmRegister << 3;
    }

    private static int memory(VmxOperands operands) {
        int index = operands.index < 0 ? NO_INDEX : operands.scaleShift | operands.index << 18;
        int base = operands.base < 0 ? NO_BASE : operands.base << 23;
        return index | base | sizeCode(operands.addressSizeBytes) << 7 | operands.segment << 15;
    }

    /** 0 for 2 bytes, 1 for 4, 2 for 8. */
    private static int sizeCode(int sizeBytes) {
        return sizeBytes >>> 2;
    }
}
