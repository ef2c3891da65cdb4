package org.vmxsim.core.system;

import org.vmxsim.core.cpu.Event;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Interception;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.Virtualization;
import org.vmxsim.core.cpu.VmxOperands;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.segment.Descriptors;

/** What handlers of system instructions have in common: how they end. */
abstract class SystemHandler extends Handler {
    /** Vector of the invalid-opcode exception. */
    static final int INVALID_OPCODE = 6;

    /** Effective operand size: 2, 4 or 8. */
    final int operandBytes;
    /** Whether this is 64-bit code. */
    final boolean is64;

    SystemHandler(DecodedInstruction instruction) {
        length = instruction.length;
        operandBytes = instruction.operandSizeBytes;
        is64 = instruction.is64();
    }

    /** RIP of the next instruction. */
    final long nextRip(Processor cpu) {
        long next = cpu.codeBase + pageOffset + length;
        return is64 ? next : next & 0xffff_ffffL;
    }

    /** Goes on with the next instruction; nothing has changed that the next instruction's decoding depends on. */
    final Handler advance(Processor cpu) {
        if (next == null) {
            cpu.rip = nextRip(cpu);
        }
        return next;
    }

    /** Goes on with the next instruction, fetched anew. */
    final Handler leave(Processor cpu) {
        cpu.rip = nextRip(cpu);
        return null;
    }

    /** Goes on with the next instruction after a change of what addresses and instructions mean. */
    final Handler leaveChanged(Processor cpu) {
        cpu.rip = nextRip(cpu);
        cpu.modeChanged();
        return null;
    }

    final Handler undefined(Processor cpu) {
        cpu.raise(INVALID_OPCODE);
        return cpu.abort(this);
    }

    final Handler protection(Processor cpu) {
        cpu.raise(Event.GENERAL_PROTECTION, 0);
        return cpu.abort(this);
    }

    /** Asks VMX; if the answer is true an exit is pending, and the handler must abort. */
    static boolean intercepted(Processor cpu, Interception point, long qualification, long value) {
        return intercepted(cpu, point, qualification, value, null);
    }

    /**
     * Asks VMX, with operands for the instruction-information field. VMX may have requested an exception instead of an
     * exit: the #UD of instructions that a control does not enable.
     */
    static boolean intercepted(
            Processor cpu, Interception point, long qualification, long value, VmxOperands operands) {
        Virtualization virtualization = cpu.virtualization();
        boolean exit = virtualization.inNonRoot() && virtualization.intercepts(point, qualification, value, operands);
        if (exit && cpu.pending == Processor.NOTHING) {
            cpu.pending = Processor.VM_EXIT;
        }
        return exit;
    }

    static boolean inProtectedMode(Processor cpu) {
        return (cpu.cr0 & 1) != 0;
    }

    /** Whether selectors name descriptors: "not recognized in real-address and virtual-8086 modes". */
    static boolean usesDescriptors(Processor cpu) {
        return !Descriptors.usesRealSegments(cpu);
    }

    /** Writes a register as an instruction of an operand size does: 4 bytes clear the upper half, 2 keep the rest. */
    static void setRegister(Processor cpu, int register, int sizeBytes, long value) {
        cpu.gpr[register] = switch (sizeBytes) {
            case 8 -> value;
            case 4 -> value & 0xffff_ffffL;
            case 2 -> cpu.gpr[register] & ~0xffffL | value & 0xffff;
            default -> throw new AssertionError("sizeBytes=" + sizeBytes);
        };
    }
}
