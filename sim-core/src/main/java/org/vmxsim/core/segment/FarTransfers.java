package org.vmxsim.core.segment;

import static org.vmxsim.core.cpu.Event.GENERAL_PROTECTION;

import org.vmxsim.core.cet.ShadowTransfer;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;

/**
 * Far JMP and far CALL: to code segments, through call gates, to other tasks. SDM "JMP-Jump", "CALL-Call Procedure",
 * "Accessing a Code Segment Through a Call Gate". Each transfer either commits RIP, CS and the stack, or leaves a fault
 * pending.
 *
 * <p>One object serves one execution.
 */
public final class FarTransfers {
    private final Processor cpu;
    private final TransferStack stack;
    private final CodeTarget code;
    private final ShadowTransfer shadow;
    private final int operandBytes;
    private long returnRip;
    private boolean isCall;
    private boolean switched;

    /**
     * A transfer to be made.
     *
     * @param cpu the processor
     * @param operandBytes operand size: 2, 4 or 8
     */
    public FarTransfers(Processor cpu, int operandBytes) {
        this.cpu = cpu;
        this.operandBytes = operandBytes;
        this.stack = new TransferStack(cpu);
        this.code = new CodeTarget(cpu);
        this.shadow = new ShadowTransfer(cpu);
    }

    /**
     * Far JMP.
     *
     * @param selector the selector
     * @param offset the offset
     * @param nextRip RIP of the next instruction, at which a task that is left goes on
     */
    public void jump(int selector, long offset, long nextRip) {
        isCall = false;
        returnRip = nextRip;
        transfer(selector, offset);
    }

    /**
     * Far CALL.
     *
     * @param selector the selector
     * @param offset the offset
     * @param nextRip the return address
     */
    public void call(int selector, long offset, long nextRip) {
        isCall = true;
        returnRip = nextRip;
        shadow.begin(nextRip, 0);
        transfer(selector, offset);
    }

    private void transfer(int selector, long offset) {
        stack.present(0);
        if (Descriptors.usesRealSegments(cpu)) {
            real(selector, offset);
            return;
        }
        if (!code.read(selector)) {
            return;
        }
        if (Descriptors.isCode(code.descriptor)) {
            direct(selector, offset);
        } else {
            system(selector);
        }
    }

    private void real(int selector, long offset) {
        if (offset > (cpu.segments[CpuState.CS].limit & 0xffff_ffffL)) {
            cpu.raise(GENERAL_PROTECTION, 0);
            return;
        }
        if (isCall) {
            stack.push(cpu.segments[CpuState.CS].selector, operandBytes);
            stack.push(returnRip, operandBytes);
        }
        if (cpu.pending == Processor.NOTHING) {
            cpu.gpr[CpuState.RSP] = stack.committedPointer();
            SegmentLoad.loadRealCode(cpu, selector);
            cpu.rip = offset;
            cpu.modeChanged();
        }
    }

    private void direct(int selector, long offset) {
        if (!code.checkDirect(selector)) {
            return;
        }
        push(code.is64() && !isCall ? 8 : operandBytes);
        code.commit(selector, cpu.cpl, offset, stack, shadow);
    }

    private void push(int sizeBytes) {
        if (isCall && stack.hasRoom(2 * sizeBytes)) {
            stack.push(cpu.segments[CpuState.CS].selector, sizeBytes);
            stack.push(returnRip, sizeBytes);
        }
    }

    private void system(int selector) {
        int type = Descriptors.type(code.descriptor);
        boolean longMode = Descriptors.inLongMode(cpu);
        boolean gate = type == Descriptors.CALL_GATE || type == Descriptors.CALL_GATE_16 && !longMode;
        boolean toTask = !longMode
                && (type == Descriptors.TASK_GATE
                        || type == Descriptors.TSS_AVAILABLE
                        || type == Descriptors.TSS16_AVAILABLE);
        int dpl = Descriptors.dpl(code.descriptor);
        if (!gate && !toTask || dpl < cpu.cpl || (selector & 3) > dpl) {
            cpu.raise(GENERAL_PROTECTION, selector & 0xfffc);
        } else if (!Descriptors.isPresent(code.descriptor)) {
            cpu.raise(Descriptors.NOT_PRESENT, selector & 0xfffc);
        } else if (toTask) {
            switchTask(type == Descriptors.TASK_GATE ? (int) (code.descriptor >>> 16) & 0xffff : selector);
        } else {
            throughGate(selector, code.descriptor);
        }
    }

    private void switchTask(int selector) {
        TaskSwitch task = new TaskSwitch(cpu, isCall ? TaskSwitch.Source.CALL : TaskSwitch.Source.JUMP, 0);
        task.to(selector, returnRip, cpu.rflags());
        switched = task.committed();
    }

    /**
     * Whether the transfer has come to another task: a fault that is pending is one of the new task then, whose RIP and
     * other registers are loaded.
     *
     * @return true behind the commit point of a task switch
     */
    public boolean hasSwitched() {
        return switched;
    }

    private void throughGate(int gateSelector, long gate) {
        boolean longMode = Descriptors.inLongMode(cpu);
        boolean narrow = Descriptors.type(gate) == Descriptors.CALL_GATE_16;
        long offset = gate & 0xffff | (narrow ? 0 : gate >>> 32 & 0xffff_0000L);
        if (longMode) {
            offset |= upperHalf(gateSelector) << 32;
        }
        int selector = (int) (gate >>> 16) & 0xffff;
        if (cpu.pending != Processor.NOTHING || !code.read(selector) || !code.checkThroughGate(selector, isCall)) {
            return;
        }
        int sizeBytes = longMode ? 8 : narrow ? 2 : 4;
        int newCpl = cpu.cpl;
        int level = Descriptors.dpl(code.descriptor);
        if (isCall && !Descriptors.isConforming(code.descriptor) && level < cpu.cpl) {
            newCpl = level;
            if (!changeStack(level, sizeBytes, (int) (gate >>> 32) & 31)) {
                return;
            }
        }
        push(sizeBytes);
        code.commit(selector, newCpl, offset, stack, shadow);
    }

    /** The upper half of a 16-byte call gate: bits 63:32 of the offset, and a type field that must be 0. */
    private long upperHalf(int gateSelector) {
        long address = Descriptors.address(cpu, gateSelector, 16);
        if (address == -1) {
            cpu.raise(GENERAL_PROTECTION, gateSelector & 0xfffc);
            return 0;
        }
        long upper = cpu.mem.slow().loadSystem(address + 8, 8);
        if (cpu.pending == Processor.NOTHING && (upper >>> 40 & 0x1f) != 0) {
            cpu.raise(GENERAL_PROTECTION, gateSelector & 0xfffc);
        }
        return upper & 0xffff_ffffL;
    }

    private boolean changeStack(int level, int sizeBytes, int parameters) {
        int oldSelector = cpu.segments[CpuState.SS].selector;
        long oldPointer = cpu.gpr[CpuState.RSP];
        if (Descriptors.inLongMode(cpu)) {
            long pointer = TaskState.load(cpu, level * 8 + 4, 8, 0);
            stack.inner64(pointer, 0);
            if (cpu.pending != Processor.NOTHING || !stack.hasRoom(32)) {
                return false;
            }
            stack.push(oldSelector, sizeBytes);
            stack.push(oldPointer, sizeBytes);
            return cpu.pending == Processor.NOTHING;
        }
        TransferStack old = new TransferStack(cpu);
        old.present(0);
        if (!TaskState.innerStack(cpu, level, 0, stack) || !stack.hasRoom(sizeBytes * (4 + parameters))) {
            return false;
        }
        stack.push(oldSelector, sizeBytes);
        stack.push(oldPointer, sizeBytes);
        for (int i = parameters - 1; i >= 0; i--) {
            stack.push(old.peek(i * sizeBytes, sizeBytes), sizeBytes);
        }
        return cpu.pending == Processor.NOTHING;
    }
}
