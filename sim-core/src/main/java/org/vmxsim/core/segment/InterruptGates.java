package org.vmxsim.core.segment;

import org.vmxsim.core.cet.BranchTracking;
import org.vmxsim.core.cet.ShadowStack;
import org.vmxsim.core.cet.ShadowTransfer;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Event;
import org.vmxsim.core.cpu.EventDelivery;
import org.vmxsim.core.cpu.Processor;

/**
 * How an event passes through the IDT: interrupt and trap gates in protected mode and IA-32e mode, the vector table in
 * real-address mode, task gates. SDM "INT n/INTO/INT3/INT1-Call to Interrupt Procedure", "Interrupt and Exception
 * Handling".
 *
 * <p>Out of virtual-8086 mode the frame has the data segment registers too. SDM "Handling an Interrupt or Exception
 * Through a Protected-Mode Trap or Interrupt Gate".
 */
public final class InterruptGates extends EventDelivery {
    private static final long TF = 1 << 8;
    private static final long IF = 1 << 9;
    private static final long CLEARED = TF | 1 << 14 | 1 << 16 | 1 << 17;
    /** Error-code bit: the selector index names a gate of the IDT. */
    private static final int IN_IDT = 2;

    /** Pushed in this order, and cleared, on the way out of virtual-8086 mode. */
    private static final int[] DATA_SEGMENTS = {CpuState.GS, CpuState.FS, CpuState.DS, CpuState.ES};

    private final TransferStack stack;
    private final ShadowTransfer shadow;
    private int ext;
    private long gateLow;
    private long target;
    private long interruptSsp;
    private int codeSelector;
    private long codeDescriptor;
    private int newCpl;
    private boolean toInner;

    /**
     * Event delivery of a processor.
     *
     * @param cpu the processor
     */
    public InterruptGates(Processor cpu) {
        super(cpu);
        stack = new TransferStack(cpu);
        shadow = new ShadowTransfer(cpu);
    }

    @Override
    protected void throughGate(Event event) {
        ext = event.ext();
        shadow.begin(event.returnRip, ext);
        if (Descriptors.inRealMode(cpu)) {
            throughVectorTable(event);
        } else if (Descriptors.inLongMode(cpu)) {
            throughLongGate(event);
        } else {
            throughProtectedGate(event);
        }
    }

    private void throughVectorTable(Event event) {
        int offset = event.vector * 4;
        if (offset + 3 > (cpu.idtrLimit & 0xffff)) {
            cpu.raise(Event.GENERAL_PROTECTION);
            return;
        }
        long entry = cpu.mem.slow().loadSystem(cpu.idtrBase + offset, 4);
        stack.present(0);
        stack.push(event.pushedFlags, 2);
        stack.push(cpu.segments[CpuState.CS].selector, 2);
        stack.push(event.returnRip, 2);
        if (cpu.pending != Processor.NOTHING) {
            return;
        }
        cpu.gpr[CpuState.RSP] = stack.committedPointer();
        SegmentLoad.loadReal(cpu.segments[CpuState.CS], (int) (entry >>> 16) & 0xffff);
        cpu.segments[CpuState.CS].accessRights |= 8;
        cpu.rip = entry & 0xffff;
        cpu.rflagsSystem &= ~(IF | TF | 1 << 16 | 1 << 18);
        cpu.modeChanged();
    }

    private void throughLongGate(Event event) {
        if (!readGate(event, 16, 14)) {
            return;
        }
        long high = cpu.mem.slow().loadSystem(cpu.idtrBase + event.vector * 16L + 8, 8);
        if (cpu.pending != Processor.NOTHING || !checkCode(0b10)) {
            return;
        }
        target = gateOffset32() | high << 32;
        if (!selectLongStack()) {
            return;
        }
        if (!stack.hasRoom(0)) {
            return;
        }
        if (!cpu.isCanonical(target)) {
            cpu.raise(Event.GENERAL_PROTECTION, ext);
            return;
        }
        stack.pointer &= ~0xfL;
        stack.push(cpu.segments[CpuState.SS].selector, 8);
        stack.push(cpu.gpr[CpuState.RSP], 8);
        pushReturn(event, 8);
        if (cpu.pending == Processor.NOTHING && commitCode() && shadowsLong()) {
            shadow.commit();
            if (toInner) {
                SegmentLoad.nullStack(cpu, newCpl);
            }
            cpu.gpr[CpuState.RSP] = stack.pointer;
            enter();
        }
    }

    /** Reads the low 8 bytes of the gate and checks it; false if something is pending. */
    private boolean readGate(Event event, int gateBytes, int gateType) {
        int code = event.vector * 8 | IN_IDT | ext;
        if (event.vector * gateBytes + gateBytes - 1 > (cpu.idtrLimit & 0xffff)) {
            cpu.raise(Event.GENERAL_PROTECTION, code);
            return false;
        }
        gateLow = cpu.mem.slow().loadSystem(cpu.idtrBase + (long) event.vector * gateBytes, 8);
        if (cpu.pending != Processor.NOTHING) {
            return false;
        }
        int type = Descriptors.type(gateLow);
        boolean narrow = gateBytes == 8 && ((type | 1) == 7 || type == Descriptors.TASK_GATE);
        if ((type | 1) != (gateType | 1) && !narrow) {
            cpu.raise(Event.GENERAL_PROTECTION, code);
        } else if (event.ext() == 0 && Descriptors.dpl(gateLow) < cpu.cpl) {
            // "software interrupt ... gate DPL < CPL": INT n, INT3 and INTO, not INT1 and not events
            cpu.raise(Event.GENERAL_PROTECTION, code);
        } else if (!Descriptors.isPresent(gateLow)) {
            cpu.raise(Descriptors.NOT_PRESENT, code);
        }
        return cpu.pending == Processor.NOTHING;
    }

    private long gateOffset32() {
        return gateLow & 0xffff | gateLow >>> 32 & 0xffff_0000L;
    }

    /**
     * Checks the code segment that the gate names; {@code sizeFlags} is what L (bit 1) and D (bit 0) must be, or -1.
     */
    private boolean checkCode(int sizeFlags) {
        codeSelector = (int) (gateLow >>> 16) & 0xffff;
        if (Descriptors.isNull(codeSelector)) {
            cpu.raise(Event.GENERAL_PROTECTION, ext);
            return false;
        }
        codeDescriptor = Descriptors.read(cpu, codeSelector, Event.GENERAL_PROTECTION, ext);
        if (cpu.pending != Processor.NOTHING) {
            return false;
        }
        int code = codeSelector & 0xfffc | ext;
        int dpl = Descriptors.dpl(codeDescriptor);
        int size = (int) (codeDescriptor >>> 53) & 1;
        size = size << 1 | (int) (codeDescriptor >>> 54) & 1;
        if (!Descriptors.isCode(codeDescriptor) || dpl > cpu.cpl) {
            cpu.raise(Event.GENERAL_PROTECTION, code);
        } else if (!Descriptors.isPresent(codeDescriptor)) {
            cpu.raise(Descriptors.NOT_PRESENT, code);
        } else if (sizeFlags >= 0 && size != sizeFlags) {
            cpu.raise(Event.GENERAL_PROTECTION, code);
        }
        toInner = !Descriptors.isConforming(codeDescriptor) && dpl < cpu.cpl;
        newCpl = toInner ? dpl : cpu.cpl;
        return cpu.pending == Processor.NOTHING;
    }

    /** SDM "Interrupt Stack Table", "Stack Switching in IA-32e Mode". */
    private boolean selectLongStack() {
        int ist = interruptStack();
        if (ist == 0 && !toInner) {
            stack.present64(ext);
            return true;
        }
        int offset = ist != 0 ? ist * 8 + 28 : newCpl * 8 + 4;
        long pointer = TaskState.load(cpu, offset, 8, ext);
        boolean shadows = ist != 0 && ShadowStack.isEnabledAt(cpu, toInner ? 0 : cpu.cpl);
        interruptSsp = shadows ? cpu.mem.slow().loadSystem(cpu.interruptSspTable + ist * 8L, 8) : 0;
        if (cpu.pending != Processor.NOTHING) {
            return false;
        }
        stack.inner64(pointer, ext);
        // on the IST without a change of level the accesses are those of the present level
        stack.implicitSupervisor(toInner);
        return true;
    }

    /** SDM Vol. 1, "Supervisor Shadow Stack Token": an interrupt stack has a shadow stack of its own. */
    private boolean shadowsLong() {
        if (interruptStack() == 0) {
            return shadow.enter(newCpl, true);
        }
        return shadow.callSwitching(newCpl, interruptSsp, true);
    }

    private int interruptStack() {
        return (int) (gateLow >>> 32) & 7;
    }

    private void pushReturn(Event event, int sizeBytes) {
        stack.push(event.pushedFlags, sizeBytes);
        stack.push(cpu.segments[CpuState.CS].selector, sizeBytes);
        stack.push(event.returnRip, sizeBytes);
        if (event.hasErrorCode) {
            stack.push(event.errorCode & 0xffff_ffffL, sizeBytes);
        }
    }

    private void throughProtectedGate(Event event) {
        if (!readGate(event, 8, 14)) {
            return;
        }
        if (Descriptors.type(gateLow) == Descriptors.TASK_GATE) {
            toTask(event);
        } else if (checkCode(-1) && virtual8086MayEnter()) {
            throughInterruptGate(event);
        }
    }

    private void toTask(Event event) {
        TaskSwitch task = new TaskSwitch(cpu, TaskSwitch.Source.EVENT, ext);
        task.to((int) (gateLow >>> 16) & 0xffff, event.returnRip, event.pushedFlags);
        if (cpu.pending == Processor.NOTHING && event.hasErrorCode) {
            task.pushErrorCode(stack, event.errorCode & 0xffff_ffffL);
        }
    }

    /** Handlers of interrupts out of virtual-8086 mode run at level 0, in a segment that is not conforming. */
    private boolean virtual8086MayEnter() {
        if (Descriptors.inVirtual8086(cpu) && !(toInner && newCpl == 0)) {
            cpu.raise(Event.GENERAL_PROTECTION, codeSelector & 0xfffc | ext);
            return false;
        }
        return true;
    }

    private void throughInterruptGate(Event event) {
        boolean virtual = Descriptors.inVirtual8086(cpu);
        boolean wide = Descriptors.type(gateLow) >= 14;
        int sizeBytes = wide ? 4 : 2;
        target = wide ? gateOffset32() : gateLow & 0xffff;
        stack.present(ext);
        if (toInner && !TaskState.innerStack(cpu, newCpl, ext, stack)) {
            return;
        }
        int items = 3 + (event.hasErrorCode ? 1 : 0) + (toInner ? 2 : 0) + (virtual ? 4 : 0);
        if (!stack.hasRoom(sizeBytes * items)) {
            return;
        }
        if (target > (Descriptors.limit(codeDescriptor) & 0xffff_ffffL)) {
            cpu.raise(Event.GENERAL_PROTECTION, ext);
            return;
        }
        for (int i = 0; virtual && i < DATA_SEGMENTS.length; i++) {
            stack.push(cpu.segments[DATA_SEGMENTS[i]].selector, sizeBytes);
        }
        if (toInner) {
            stack.push(cpu.segments[CpuState.SS].selector, sizeBytes);
            stack.push(cpu.gpr[CpuState.RSP], sizeBytes);
        }
        pushReturn(event, sizeBytes);
        if (cpu.pending == Processor.NOTHING && commitCode() && shadow.enter(newCpl, false)) {
            shadow.commit();
            for (int i = 0; virtual && i < DATA_SEGMENTS.length; i++) {
                SegmentLoad.loadNull(cpu.segments[DATA_SEGMENTS[i]], 0);
            }
            cpu.segments[CpuState.SS].set(stack.segment);
            cpu.gpr[CpuState.RSP] = stack.committedPointer();
            enter();
        }
    }

    private boolean commitCode() {
        codeDescriptor = Descriptors.markAccessed(cpu, codeSelector, codeDescriptor);
        return cpu.pending == Processor.NOTHING;
    }

    private void enter() {
        Descriptors.fill(cpu.segments[CpuState.CS], codeSelector & ~3 | newCpl, codeDescriptor);
        cpu.cpl = newCpl;
        cpu.rip = target;
        boolean interruptGate = (Descriptors.type(gateLow) & 1) == 0;
        cpu.rflagsSystem &= ~(CLEARED | (interruptGate ? IF : 0));
        BranchTracking.far(cpu);
        cpu.modeChanged();
    }
}
