package org.vmxsim.core.segment;

import static org.vmxsim.core.cpu.Event.GENERAL_PROTECTION;

import org.vmxsim.core.cet.ShadowTransfer;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.SegmentRegister;

/**
 * Far RET and IRET. SDM "RET-Return From Procedure", "IRET/IRETD/IRETQ-Interrupt Return". A return either commits
 * everything or leaves a fault pending. One object serves one execution.
 */
public final class FarReturns {
    private static final long NT = 1 << 14;
    private static final long VM = 1 << 17;
    private static final long TF = 1 << 8;
    private static final long IF = 1 << 9;
    private static final long VIF = 1 << 19;
    private static final long VIP = 1 << 20;
    private static final long VME = 1;
    private static final long CET = 1 << 23;
    private static final long SH_STK_OR_ENDBR = 1 | 1 << 2;

    private final Processor cpu;
    private final TransferStack stack;
    private final CodeTarget code;
    private final ShadowTransfer shadow;
    private final int operandBytes;
    private long target;
    private int selector;
    private long newPointer;
    private int newStackSelector;
    private long newStackDescriptor;
    private boolean switched;

    /**
     * A return to be made.
     *
     * @param cpu the processor
     * @param operandBytes operand size: 2, 4 or 8
     */
    public FarReturns(Processor cpu, int operandBytes) {
        this.cpu = cpu;
        this.operandBytes = operandBytes;
        this.stack = new TransferStack(cpu);
        this.code = new CodeTarget(cpu);
        this.shadow = new ShadowTransfer(cpu);
    }

    /**
     * Far RET.
     *
     * @param releaseBytes parameters to release from both stacks
     */
    public void ret(int releaseBytes) {
        stack.present(0);
        pop();
        if (cpu.pending != Processor.NOTHING) {
            return;
        }
        int frameBytes = 2 * operandBytes + releaseBytes;
        if (Descriptors.usesRealSegments(cpu)) {
            commitReal(frameBytes);
            return;
        }
        if (!code.read(selector) || !code.checkReturn(selector)) {
            return;
        }
        boolean outer = (selector & 3) > cpu.cpl;
        if (outer && !readStack(frameBytes) || !code.holds(target)) {
            return;
        }
        if (outer) {
            commitOuter(releaseBytes);
        } else {
            commitSame(frameBytes, false);
        }
        cpu.modeChanged();
    }

    /**
     * IRET, IRETD, IRETQ.
     *
     * @param nextRip RIP of the next instruction, at which a task that is left goes on
     */
    public void iret(long nextRip) {
        cpu.events().unblockNmi();
        stack.present(0);
        if (Descriptors.inVirtual8086(cpu)) {
            fromVirtual8086();
            return;
        }
        if (!Descriptors.inRealMode(cpu) && (cpu.rflagsSystem & NT) != 0) {
            toPreviousTask(nextRip);
            return;
        }
        pop();
        long flags = stack.peek(2 * operandBytes, operandBytes);
        if (cpu.pending != Processor.NOTHING) {
            return;
        }
        if (Descriptors.inRealMode(cpu)) {
            commitReal(3 * operandBytes);
            if (cpu.pending == Processor.NOTHING) {
                flags(flags, 0, 0);
            }
            return;
        }
        if (!Descriptors.inLongMode(cpu) && operandBytes == 4 && cpu.cpl == 0 && (flags & VM) != 0) {
            toVirtual8086(flags);
            return;
        }
        protectedReturn(flags);
    }

    private void toPreviousTask(long nextRip) {
        if (Descriptors.inLongMode(cpu)) {
            cpu.raise(GENERAL_PROTECTION, 0);
            return;
        }
        int previous = (int) TaskState.load(cpu, 0, 2, 0);
        if (cpu.pending == Processor.NOTHING) {
            TaskSwitch task = new TaskSwitch(cpu, TaskSwitch.Source.IRET, 0);
            task.to(previous, nextRip, cpu.rflags());
            switched = task.committed();
        }
    }

    /**
     * Whether the return has come to another task: a fault that is pending is one of the new task then, whose RIP and
     * other registers are loaded.
     *
     * @return true behind the commit point of a task switch
     */
    public boolean hasSwitched() {
        return switched;
    }

    /** "RETURN-TO-VIRTUAL-8086-MODE": all of EFLAGS, and six segment registers. */
    private void toVirtual8086(long flags) {
        if ((cpu.cr4 & CET) != 0 && (cpu.userCet & SH_STK_OR_ENDBR) != 0) {
            cpu.raise(GENERAL_PROTECTION, 0);
            return;
        }
        newPointer = stack.peek(12, 4);
        int[] selectors = new int[CpuState.GS + 1];
        selectors[CpuState.SS] = (int) stack.peek(16, 4) & 0xffff;
        selectors[CpuState.ES] = (int) stack.peek(20, 4) & 0xffff;
        selectors[CpuState.DS] = (int) stack.peek(24, 4) & 0xffff;
        selectors[CpuState.FS] = (int) stack.peek(28, 4) & 0xffff;
        selectors[CpuState.GS] = (int) stack.peek(32, 4) & 0xffff;
        selectors[CpuState.CS] = selector;
        if (cpu.pending == Processor.NOTHING && target > 0xffff) {
            cpu.raise(GENERAL_PROTECTION, 0);
        }
        if (cpu.pending != Processor.NOTHING || !shadow.returnToVirtual8086()) {
            return;
        }
        for (int i = CpuState.ES; i <= CpuState.GS; i++) {
            SegmentLoad.loadVirtual8086(cpu.segments[i], selectors[i]);
        }
        cpu.gpr[CpuState.RSP] = newPointer;
        cpu.rip = target;
        cpu.cpl = 3;
        cpu.rflags(flags & FlagsImage.DEFINED);
        cpu.events().resumeFlagLoaded();
        cpu.modeChanged();
    }

    /** "RETURN-FROM-VIRTUAL-8086-MODE": with IOPL 3 as in real-address mode, else by the virtual interrupt flag. */
    private void fromVirtual8086() {
        boolean trusted = (cpu.rflagsSystem >>> 12 & 3) == 3;
        boolean extended = (cpu.cr4 & VME) != 0 && operandBytes == 2;
        if (!trusted && !extended) {
            cpu.raise(GENERAL_PROTECTION, 0);
            return;
        }
        pop();
        long flags = stack.peek(2 * operandBytes, operandBytes);
        if (cpu.pending != Processor.NOTHING) {
            return;
        }
        boolean wantsInterrupts = (flags & IF) != 0;
        if (!trusted && ((flags & TF) != 0 || wantsInterrupts && (cpu.rflagsSystem & VIP) != 0)) {
            cpu.raise(GENERAL_PROTECTION, 0);
            return;
        }
        commitReal(3 * operandBytes);
        if (cpu.pending != Processor.NOTHING) {
            return;
        }
        flags(flags, 3, 0);
        if (!trusted) {
            cpu.rflagsSystem = cpu.rflagsSystem & ~VIF | (wantsInterrupts ? VIF : 0);
        }
    }

    private void protectedReturn(long flags) {
        if (!code.read(selector) || !code.checkReturn(selector)) {
            return;
        }
        boolean outer = (selector & 3) > cpu.cpl;
        boolean withStack = outer || cpu.mode == Processor.CODE_64;
        if (withStack && !readStack(3 * operandBytes) || !code.holds(target)) {
            return;
        }
        int oldCpl = cpu.cpl;
        if (withStack) {
            commitOuter(0);
        } else {
            commitSame(3 * operandBytes, Descriptors.inLongMode(cpu));
        }
        if (cpu.pending == Processor.NOTHING) {
            flags(flags, oldCpl, oldCpl == 0 ? FlagsImage.VIRTUAL_INTERRUPT : 0);
        }
    }

    private void pop() {
        target = stack.peek(0, operandBytes);
        selector = (int) stack.peek(operandBytes, operandBytes) & 0xffff;
    }

    /** Reads and checks the stack of the level that is returned to. */
    private boolean readStack(int offset) {
        newPointer = stack.peek(offset, operandBytes);
        newStackSelector = (int) stack.peek(offset + operandBytes, operandBytes) & 0xffff;
        if (cpu.pending != Processor.NOTHING) {
            return false;
        }
        int rpl = selector & 3;
        newStackDescriptor = 0;
        if (Descriptors.isNull(newStackSelector)) {
            boolean allowed = code.is64() && rpl != 3 && (newStackSelector & 3) == rpl;
            if (!allowed) {
                cpu.raise(GENERAL_PROTECTION, 0);
            }
            return allowed;
        }
        newStackDescriptor = Descriptors.read(cpu, newStackSelector);
        return cpu.pending == Processor.NOTHING
                && SegmentLoad.stackIsGood(cpu, newStackSelector, newStackDescriptor, rpl, GENERAL_PROTECTION);
    }

    private void commitOuter(int releaseBytes) {
        int newCpl = selector & 3;
        long markedCode = Descriptors.markAccessed(cpu, selector, code.descriptor);
        long markedStack =
                newStackDescriptor == 0 ? 0 : Descriptors.markAccessed(cpu, newStackSelector, newStackDescriptor);
        boolean outer = newCpl > cpu.cpl;
        // at the same level only IRET has the stack in its frame, and there in 64-bit mode
        if (cpu.pending != Processor.NOTHING || !(outer ? shadowsOuter(newCpl) : shadowsSame(true))) {
            return;
        }
        code.enter(cpu.segments[CpuState.CS], selector, newCpl, markedCode);
        SegmentRegister ss = cpu.segments[CpuState.SS];
        if (newStackDescriptor == 0) {
            SegmentLoad.nullStack(cpu, newCpl);
        } else {
            Descriptors.fill(ss, newStackSelector, markedStack);
        }
        long pointer = newPointer + releaseBytes;
        if (code.is64() || ss.big()) {
            cpu.gpr[CpuState.RSP] = code.is64() ? pointer : pointer & 0xffff_ffffL;
        } else {
            cpu.gpr[CpuState.RSP] = cpu.gpr[CpuState.RSP] & ~0xffffL | pointer & 0xffff;
        }
        cpu.rip = target;
        if (outer) {
            SegmentLoad.dropPrivileged(cpu);
        }
    }

    private void commitSame(int frameBytes, boolean releasesToken) {
        long marked = Descriptors.markAccessed(cpu, selector, code.descriptor);
        if (cpu.pending != Processor.NOTHING || !shadowsSame(releasesToken)) {
            return;
        }
        code.enter(cpu.segments[CpuState.CS], selector, cpu.cpl, marked);
        release(frameBytes);
        cpu.rip = target;
    }

    private boolean shadowsSame(boolean releasesToken) {
        boolean good = (cpu.cr4 & CET) == 0 || shadow.returnSame(shadowTarget(), releasesToken);
        return good && commitShadow();
    }

    private boolean shadowsOuter(int newCpl) {
        boolean good = (cpu.cr4 & CET) == 0 || shadow.returnOuter(newCpl, shadowTarget());
        return good && commitShadow();
    }

    private ShadowTransfer.Target shadowTarget() {
        return new ShadowTransfer.Target(selector, code.linear(target), code.is64());
    }

    /** From here on nothing can fail. */
    private boolean commitShadow() {
        if ((cpu.cr4 & CET) != 0) {
            shadow.commit();
        }
        return true;
    }

    private void release(int frameBytes) {
        stack.release(frameBytes);
        cpu.gpr[CpuState.RSP] = stack.committedPointer();
    }

    private void commitReal(int frameBytes) {
        if (target > (cpu.segments[CpuState.CS].limit & 0xffff_ffffL)) {
            cpu.raise(GENERAL_PROTECTION, 0);
            return;
        }
        SegmentLoad.loadRealCode(cpu, selector);
        release(frameBytes);
        cpu.rip = target;
        cpu.modeChanged();
    }

    /** "In real-address mode" VIF and VIP stay, as they do outside CPL 0. */
    private void flags(long popped, int oldCpl, long virtualInterrupt) {
        long also = FlagsImage.RESUME | virtualInterrupt;
        cpu.rflags(FlagsImage.merged(cpu.rflags(), popped, operandBytes, oldCpl, also));
        cpu.events().resumeFlagLoaded();
        cpu.modeChanged();
    }
}
