package org.vmxsim.core.decode;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.VmxOperands;

/**
 * One decoded instruction: a reusable cursor of plain fields. Whoever keeps something of it copies that; handlers are
 * built from it and keep nothing.
 */
public final class DecodedInstruction {
    /** Register number that stands for "none": {@code gpr} of that number is always 0. */
    public static final int NO_REGISTER = CpuState.NO_REGISTER;

    /** What to do. */
    public Op op = Op.UNDEFINED;
    /** Length in bytes, 1 to 15. */
    public int length;
    /** Offset of the first byte in its 4-KiB page; set by who asks for decoding, 0 if it does not matter. */
    public int pageOffset;
    /** Code size: 16, 32 or 64 bits. */
    public int codeBits;
    /** Effective operand size in bytes: 2, 4 or 8. Byte operands say so themselves. */
    public int operandSizeBytes;
    /** Effective address size in bytes: 2, 4 or 8. */
    public int addressSizeBytes;
    /** LOCK prefix. */
    public boolean lock;
    /** Prefix 3E, which exempts an indirect branch from tracking whatever other segment prefixes there are. */
    public boolean noTrack;
    /** Whether control-flow enforcement is in force for the code; set by who asks for the handler. */
    public boolean controlFlow;
    /** The last of the prefixes F2 and F3: 0xf2, 0xf3, or 0. */
    public int repeat;
    /** Prefix 66. */
    public boolean operandSizePrefix;
    /** REX prefix as it stands (0x40 to 0x4f), or 0. */
    public int rex;
    /** The opcode byte, last of the opcode. */
    public int opcode;
    /** Whether there is a ModR/M byte. */
    public boolean hasModRm;
    /** ModR/M.mod. */
    public int mod;
    /** ModR/M.reg with REX.R. */
    public int reg;
    /** ModR/M.rm with REX.B, where it is a register. */
    public int rm;
    /** VEX.vvvv as a register number. */
    public int vvvv;
    /** Whether there is a memory operand at the address below. */
    public boolean memory;
    /** Base register of the memory operand, or {@link #NO_REGISTER}. */
    public int base = NO_REGISTER;
    /** Index register of the memory operand, or {@link #NO_REGISTER}. */
    public int index = NO_REGISTER;
    /** log2 of the index scale, 0 to 3. */
    public int scaleShift;
    /** Displacement, sign-extended. */
    public long displacement;
    /** Whether the displacement is relative to the next instruction. */
    public boolean ripRelative;
    /**
     * Segment of the memory operand (of DS:rSI for strings), override applied; in 64-bit mode only FS and GS have
     * bases.
     */
    public int segment;
    /** Immediate, sign-extended from its size in the instruction. */
    public long immediate;
    /** Second immediate: selector of a far pointer, nesting level of ENTER. */
    public int immediate2;
    /** Operands, in the manual's order; unused ones are of kind {@link OperandKind#NONE}. */
    public final Operand[] operands = {new Operand(), new Operand(), new Operand(), new Operand()};

    /** Nothing decoded yet. */
    public DecodedInstruction() {}

    /**
     * Whether the code is 64-bit code.
     *
     * @return true in 64-bit mode
     */
    public boolean is64() {
        return codeBits == 64;
    }

    /**
     * First operand.
     *
     * @return the destination, as a rule
     */
    public Operand first() {
        return operands[0];
    }

    /**
     * Second operand.
     *
     * @return the source, as a rule
     */
    public Operand second() {
        return operands[1];
    }

    /**
     * Third operand.
     *
     * @return the third operand; of kind {@link OperandKind#NONE} if there is none
     */
    public Operand third() {
        return operands[2];
    }

    /**
     * The memory operand's offset in its segment, from the registers as they are now.
     *
     * @param cpu the registers
     * @param nextRip RIP of the next instruction
     * @return the effective address, truncated to the address size
     */
    public long effectiveAddress(CpuState cpu, long nextRip) {
        long sum = cpu.gpr[base] + (cpu.gpr[index] << scaleShift) + displacement + (ripRelative ? nextRip : 0);
        return addressSizeBytes == 8 ? sum : sum & (1L << 8 * addressSizeBytes) - 1;
    }

    /**
     * Fills the operands that VMX and instruction-information fields want, from the registers as they are now.
     *
     * @param cpu the processor's state
     * @param nextRip RIP of the next instruction
     * @param out what to fill
     */
    public void operands(CpuState cpu, long nextRip, VmxOperands out) {
        out.memory = memory;
        out.segment = segment;
        out.base = memory && base != NO_REGISTER ? base : -1;
        out.index = memory && index != NO_REGISTER ? index : -1;
        out.scaleShift = scaleShift;
        // the exit qualification of a RIP-relative operand is the sum of the displacement and the next RIP
        out.displacement = ripRelative ? displacement + nextRip : displacement;
        out.addressSizeBytes = addressSizeBytes;
        out.operandSizeBytes = operandSizeBytes;
        out.rmRegister = hasModRm && !memory ? rm : -1;
        out.register = hasModRm ? reg : -1;
        out.offset = memory ? effectiveAddress(cpu, nextRip) : 0;
        out.linear = memory ? linear(cpu, out.offset) : 0;
    }

    private long linear(CpuState cpu, long offset) {
        if (codeBits == 64) {
            return segment >= CpuState.FS ? cpu.segments[segment].base + offset : offset;
        }
        return cpu.segments[segment].base + offset & 0xffff_ffffL;
    }

    /** Forgets the previous instruction; {@link #pageOffset} stays. */
    void clear(int newCodeBits) {
        op = Op.UNDEFINED;
        codeBits = newCodeBits;
        lock = false;
        repeat = 0;
        operandSizePrefix = false;
        noTrack = false;
        controlFlow = false;
        rex = 0;
        hasModRm = false;
        mod = 0;
        reg = 0;
        rm = 0;
        vvvv = 0;
        memory = false;
        ripRelative = false;
        immediate = 0;
        immediate2 = 0;
        noAddress();
        for (Operand operand : operands) {
            operand.set(OperandKind.NONE, 0, 0);
        }
    }

    void noAddress() {
        base = NO_REGISTER;
        index = NO_REGISTER;
        scaleShift = 0;
        displacement = 0;
    }
}
