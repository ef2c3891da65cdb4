package org.vmxsim.core.system;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Event;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.SegmentRegister;
import org.vmxsim.core.cpu.VmxOperands;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.segment.Descriptors;
import org.vmxsim.core.segment.SegmentLimits;

/**
 * The r/m operand of a system instruction, register or memory: what its handler keeps of the decoded instruction. Loads
 * and stores leave a fault pending.
 */
final class MemoryOperand {
    private static final int ALIGNMENT_CHECK = 17;

    /** Whether the operand is memory. */
    final boolean isMemory;
    /** Register number, if it is not memory. */
    final int register;

    private final boolean is64;
    private final int base;
    private final int index;
    private final int scaleShift;
    private final long displacement;
    private final boolean ripRelative;
    private final int segment;
    private final int addressBytes;
    private final int operandBytes;
    private final int modRmReg;
    private final int lengthBytes;

    MemoryOperand(DecodedInstruction instruction) {
        isMemory = instruction.memory;
        register = instruction.rm;
        is64 = instruction.is64();
        base = instruction.base;
        index = instruction.index;
        scaleShift = instruction.scaleShift;
        displacement = instruction.displacement;
        ripRelative = instruction.ripRelative;
        segment = instruction.segment;
        addressBytes = instruction.addressSizeBytes;
        operandBytes = instruction.operandSizeBytes;
        modRmReg = instruction.hasModRm ? instruction.reg : -1;
        lengthBytes = instruction.length;
    }

    /** Offset in the segment. */
    long offset(Processor cpu, long nextRip) {
        long sum = cpu.gpr[base] + (cpu.gpr[index] << scaleShift) + displacement + (ripRelative ? nextRip : 0);
        return addressBytes == 8 ? sum : sum & (1L << 8 * addressBytes) - 1;
    }

    /** Displacement as exit qualifications have it: with RIP-relative addressing the sum with the next RIP. */
    long displacement(long nextRip) {
        return ripRelative ? displacement + nextRip : displacement;
    }

    /** Whether faults of the address are stack faults. */
    boolean isStack() {
        return segment == CpuState.SS;
    }

    /** Linear address, unchecked. */
    long linear(Processor cpu, long nextRip) {
        return linearOf(cpu, segment, offset(cpu, nextRip), is64);
    }

    static long linearOf(Processor cpu, int segment, long offset, boolean is64) {
        if (is64) {
            return segment >= CpuState.FS ? cpu.segments[segment].base + offset : offset;
        }
        return cpu.segments[segment].base + offset & 0xffff_ffffL;
    }

    /**
     * Checks segment limit and rights outside 64-bit mode; raises #GP(0) or #SS(0) and answers false if they forbid.
     */
    static boolean allows(Processor cpu, int segment, long offset, int sizeBytes, boolean write) {
        SegmentRegister register = cpu.segments[segment];
        boolean code = (register.accessRights & 8) != 0;
        boolean second = (register.accessRights & 2) != 0;
        boolean right = write ? !code && second : !code || second;
        if ((right || Descriptors.usesRealSegments(cpu)) && SegmentLimits.holds(register, offset, sizeBytes)) {
            return true;
        }
        cpu.raise(segment == CpuState.SS ? Event.STACK_FAULT : Event.GENERAL_PROTECTION, 0);
        return false;
    }

    /** Loads from memory at an offset behind the operand's address. */
    long load(Processor cpu, long nextRip, int plus, int sizeBytes) {
        long offset = offset(cpu, nextRip) + plus;
        if (cpu.pending != Processor.NOTHING || !is64 && !allows(cpu, segment, offset, sizeBytes, false)) {
            return 0;
        }
        return cpu.mem.slow().load(linearOf(cpu, segment, offset, is64), sizeBytes);
    }

    /** Stores to memory at an offset behind the operand's address. */
    void store(Processor cpu, long nextRip, int plus, int sizeBytes, long value) {
        long offset = offset(cpu, nextRip) + plus;
        if (cpu.pending == Processor.NOTHING && (is64 || allows(cpu, segment, offset, sizeBytes, true))) {
            cpu.mem.slow().store(linearOf(cpu, segment, offset, is64), sizeBytes, value);
        }
    }

    /** Checks that all of a range can be stored, for operands that are stored in parts. */
    void probeStore(Processor cpu, long nextRip, int sizeBytes) {
        long offset = offset(cpu, nextRip);
        if (is64 || allows(cpu, segment, offset, sizeBytes, true)) {
            cpu.mem.slow().probe(linearOf(cpu, segment, offset, is64), sizeBytes, true);
        }
    }

    /**
     * Raises #AC(0) where a register of descriptor tables would be stored unaligned. SDM table "Alignment Requirements
     * by Data Type": their contents need the alignment of a doubleword, whatever their sizes.
     */
    void requireAlignment(Processor cpu, long nextRip, int plus, int sizeBytes) {
        if (!cpu.mem.slow().checksAlignment()) {
            return;
        }
        long address = linear(cpu, nextRip) + plus;
        boolean good =
                is64 ? cpu.isCanonical(address) : allows(cpu, segment, offset(cpu, nextRip), plus + sizeBytes, true);
        if (good && (address & 3) != 0) {
            cpu.raise(ALIGNMENT_CHECK, 0);
        }
    }

    /** Reads register or memory. */
    long read(Processor cpu, long nextRip, int sizeBytes) {
        if (isMemory) {
            return load(cpu, nextRip, 0, sizeBytes);
        }
        return sizeBytes == 8 ? cpu.gpr[register] : cpu.gpr[register] & (1L << 8 * sizeBytes) - 1;
    }

    /** Fills what VMX and instruction-information fields want. */
    VmxOperands fill(Processor cpu, long nextRip, VmxOperands out) {
        out.memory = isMemory;
        out.segment = segment;
        out.base = isMemory && base != DecodedInstruction.NO_REGISTER ? base : -1;
        out.index = isMemory && index != DecodedInstruction.NO_REGISTER ? index : -1;
        out.scaleShift = scaleShift;
        out.displacement = displacement(nextRip);
        out.addressSizeBytes = addressBytes;
        out.operandSizeBytes = operandBytes;
        out.rmRegister = isMemory ? -1 : register;
        out.register = modRmReg;
        out.offset = isMemory ? offset(cpu, nextRip) : 0;
        out.linear = isMemory ? linear(cpu, nextRip) : 0;
        return out;
    }

    /** Abandons the instruction after a fault of this operand. */
    Handler abort(Processor cpu, Handler handler) {
        return isMemory && isStack() ? cpu.abortStack(handler) : cpu.abort(handler);
    }

    @Override
    public String toString() {
        return isMemory ? "memory, length " + lengthBytes : "register " + register;
    }
}
