package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;

/**
 * The stack as PUSH, POP, CALL, RET, ENTER and LEAVE use it (SDM Vol. 1, "Stack Behavior in 64-Bit Mode" and "Stack
 * Segment Descriptor", B flag). Pointers move only when their user says so, after all accesses have succeeded.
 */
final class Stack {
    private Stack() {}

    /** Mask of the stack pointer's width: 16, 32 or 64 bits. */
    static long mask(Processor cpu) {
        if (cpu.mode == Processor.CODE_64) {
            return -1;
        }
        return cpu.segments[CpuState.SS].big() ? 0xffff_ffffL : 0xffff;
    }

    /** The linear address of an item at an offset from the stack pointer. */
    static long linear(Processor cpu, long relative, int sizeBytes, boolean write) {
        return at(cpu, cpu.gpr[CpuState.RSP] + relative, sizeBytes, write);
    }

    /** The linear address of an item at an offset in the stack segment. */
    static long at(Processor cpu, long pointer, int sizeBytes, boolean write) {
        if (cpu.mode == Processor.CODE_64) {
            return pointer;
        }
        return SegmentAccess.linear(cpu, CpuState.SS, pointer & mask(cpu), sizeBytes, write);
    }

    /** Stores an item below the stack pointer, which does not move. */
    static void store(Processor cpu, int sizeBytes, long value) {
        cpu.mem.store(linear(cpu, -sizeBytes, sizeBytes, true), sizeBytes, value);
    }

    /** Loads the item at the stack pointer, which does not move. */
    static long load(Processor cpu, int sizeBytes) {
        return cpu.mem.load(linear(cpu, 0, sizeBytes, false), sizeBytes);
    }

    /** Moves the stack pointer. */
    static void move(Processor cpu, long bytes) {
        set(cpu, CpuState.RSP, cpu.gpr[CpuState.RSP] + bytes);
    }

    /** Sets rSP or rBP in the width of the stack pointer: 16 bits leave the rest alone. */
    static void set(Processor cpu, int register, long value) {
        long mask = mask(cpu);
        cpu.gpr[register] = mask == 0xffff ? cpu.gpr[register] & ~mask | value & mask : value & mask;
    }
}
