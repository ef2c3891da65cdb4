package org.vmxsim.core.segment;

import static org.vmxsim.core.cpu.Event.GENERAL_PROTECTION;

import org.vmxsim.core.cet.BranchTracking;
import org.vmxsim.core.cet.ShadowTransfer;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.SegmentRegister;

/** The code segment that a far transfer goes to: read, checked, committed. */
final class CodeTarget {
    /** The descriptor read last. */
    long descriptor;

    private final Processor cpu;

    CodeTarget(Processor cpu) {
        this.cpu = cpu;
    }

    /** Reads the descriptor of a selector; false with #GP(0) for null, #GP(selector) outside the table. */
    boolean read(int selector) {
        if (Descriptors.isNull(selector)) {
            cpu.raise(GENERAL_PROTECTION, 0);
            return false;
        }
        descriptor = Descriptors.read(cpu, selector);
        return cpu.pending == Processor.NOTHING;
    }

    /** Whether the segment holds 64-bit code. */
    boolean is64() {
        return Descriptors.inLongMode(cpu) && (descriptor >>> 53 & 1) != 0;
    }

    private boolean hasBadSize() {
        return is64() && (descriptor >>> 54 & 1) != 0;
    }

    /** Checks of a direct far JMP or CALL. */
    boolean checkDirect(int selector) {
        int dpl = Descriptors.dpl(descriptor);
        boolean allowed =
                Descriptors.isConforming(descriptor) ? dpl <= cpu.cpl : dpl == cpu.cpl && (selector & 3) <= cpu.cpl;
        return settle(selector, allowed && !hasBadSize());
    }

    /** Checks of a far JMP or CALL through a call gate. */
    boolean checkThroughGate(int selector, boolean isCall) {
        int dpl = Descriptors.dpl(descriptor);
        boolean conforming = Descriptors.isConforming(descriptor);
        boolean allowed = Descriptors.isCode(descriptor)
                && (isCall || conforming ? dpl <= cpu.cpl : dpl == cpu.cpl)
                && (!Descriptors.inLongMode(cpu) || is64() && !hasBadSize());
        return settle(selector, allowed);
    }

    /** Checks of RET and IRET. */
    boolean checkReturn(int selector) {
        int dpl = Descriptors.dpl(descriptor);
        int rpl = selector & 3;
        boolean allowed = Descriptors.isCode(descriptor)
                && rpl >= cpu.cpl
                && (Descriptors.isConforming(descriptor) ? dpl <= rpl : dpl == rpl)
                && !hasBadSize();
        return settle(selector, allowed);
    }

    private boolean settle(int selector, boolean allowed) {
        if (!allowed) {
            cpu.raise(GENERAL_PROTECTION, selector & 0xfffc);
        } else if (!Descriptors.isPresent(descriptor)) {
            cpu.raise(Descriptors.NOT_PRESENT, selector & 0xfffc);
        }
        return allowed && cpu.pending == Processor.NOTHING;
    }

    /** Whether the segment holds an offset; raises #GP(0) if not. */
    boolean holds(long offset) {
        boolean good = is64()
                ? cpu.isCanonical(offset)
                : offset >= 0 && offset <= (Descriptors.limit(descriptor) & 0xffff_ffffL);
        if (!good) {
            cpu.raise(GENERAL_PROTECTION, 0);
        }
        return good;
    }

    /** Loads CS, RIP, the CPL and, if the transfer used a stack, that stack; unless something is pending. */
    void commit(int selector, int newCpl, long offset, TransferStack stack, ShadowTransfer shadow) {
        if (cpu.pending != Processor.NOTHING || !holds(offset)) {
            return;
        }
        long marked = Descriptors.markAccessed(cpu, selector, descriptor);
        if (cpu.pending != Processor.NOTHING || !shadow.enter(newCpl, is64())) {
            return;
        }
        shadow.commit();
        boolean longMode = Descriptors.inLongMode(cpu);
        if (newCpl < cpu.cpl && longMode) {
            SegmentLoad.nullStack(cpu, newCpl);
        } else if (newCpl < cpu.cpl) {
            cpu.segments[CpuState.SS].set(stack.segment);
        }
        cpu.gpr[CpuState.RSP] = stack.committedPointer();
        enter(cpu.segments[CpuState.CS], selector, newCpl, marked);
        cpu.rip = offset;
        BranchTracking.far(cpu);
        cpu.modeChanged();
    }

    /** Linear address of an offset in the segment. */
    long linear(long offset) {
        return is64() ? offset : Descriptors.base(descriptor) + offset & 0xffff_ffffL;
    }

    /** Loads CS and the CPL. */
    void enter(SegmentRegister cs, int selector, int newCpl, long marked) {
        Descriptors.fill(cs, selector & 0xfffc | newCpl, marked);
        cpu.cpl = newCpl;
    }
}
