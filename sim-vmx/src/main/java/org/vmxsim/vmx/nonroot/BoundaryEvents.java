package org.vmxsim.vmx.nonroot;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.vmx.control.ExitControls;
import org.vmxsim.vmx.control.PinControls;
import org.vmxsim.vmx.control.PrimaryControls;
import org.vmxsim.vmx.exit.ExitReason;
import org.vmxsim.vmx.vmcs.GuestField;
import org.vmxsim.vmx.vmcs.Vmcs;

/**
 * The VM exits between two instructions: monitor trap flag, VMX-preemption timer, NMI window, interrupt window, in this
 * order of priority, debug traps after the first (SDM "Priority Among Concurrent Events", "Other Causes of VM Exits").
 */
public final class BoundaryEvents {
    /** IA32_VMX_MISC bits 4:0: the timer counts when this bit of the TSC changes. */
    private static final int TIMER_RATE_MASK = 31;

    private static final int NO_INTERRUPTS = CpuState.BLOCKING_BY_STI | CpuState.BLOCKING_BY_MOV_SS;
    private static final long IF = 1 << 9;

    private final VmxContext vmx;
    private final Processor cpu;
    private long timerEnd;
    private boolean trapPending;
    private long trapRetired;
    private long trapRip;
    private long trapRsp;

    /**
     * The events of a processor's guests.
     *
     * @param vmx what VMX is doing
     */
    public BoundaryEvents(VmxContext vmx) {
        this.vmx = vmx;
        this.cpu = vmx.cpu;
    }

    /**
     * Starts timer and trap at VM entry, the guest state loaded and nothing injected yet.
     *
     * @param vmcs the VMCS that is entered
     * @param mtfInjected whether the entry injects a pending MTF VM exit
     */
    public void entered(Vmcs vmcs, boolean mtfInjected) {
        trapPending = mtfInjected;
        trapRetired = cpu.retired;
        trapRip = cpu.rip;
        trapRsp = cpu.gpr[CpuState.RSP];
        timerEnd = timerCount() + vmcs.get(GuestField.PREEMPTION_TIMER_VALUE);
    }

    private long timerCount() {
        return cpu.timeStamp() >>> timerRate();
    }

    private int timerRate() {
        return (int) vmx.capabilities.misc() & TIMER_RATE_MASK;
    }

    private boolean hasTimer() {
        return vmx.controls.hasPin(PinControls.PREEMPTION_TIMER);
    }

    private long timerValue() {
        return Math.max(0, timerEnd - timerCount());
    }

    /**
     * Saves the VMX-preemption timer, if its control says so.
     *
     * @param vmcs the VMCS that is left
     */
    public void saveTimer(Vmcs vmcs) {
        if (vmx.controls.hasExit(ExitControls.SAVE_PREEMPTION_TIMER) && hasTimer()) {
            vmcs.set(GuestField.PREEMPTION_TIMER_VALUE, timerValue());
        }
    }

    /**
     * See {@link org.vmxsim.core.cpu.Virtualization#boundary}; in non-root operation.
     *
     * @return true if an exit has been recorded
     */
    public boolean boundary() {
        if (trapFlag()) {
            vmx.record(ExitReason.MONITOR_TRAP_FLAG, 0);
            return true;
        }
        if (cpu.events().debugTrapWaits()) {
            return false;
        }
        if (hasTimer() && timerValue() == 0) {
            vmx.record(ExitReason.PREEMPTION_TIMER_EXPIRED, 0);
            return true;
        }
        return window();
    }

    /**
     * "An MTF VM exit is pending on the instruction boundary following" the first instruction, or the delivery of an
     * event before it: something has retired, or a delivery has moved RIP or RSP.
     */
    private boolean trapFlag() {
        if (!trapPending && vmx.controls.hasPrimary(PrimaryControls.MONITOR_TRAP_FLAG)) {
            trapPending = cpu.retired != trapRetired || cpu.rip != trapRip || cpu.gpr[CpuState.RSP] != trapRsp;
        }
        return trapPending;
    }

    private boolean window() {
        if (cpu.activity == CpuState.WAIT_FOR_SIPI) {
            return false;
        }
        boolean nmiWindow = vmx.controls.hasPrimary(PrimaryControls.NMI_WINDOW_EXITING)
                && (cpu.interruptibility & (CpuState.BLOCKING_BY_NMI | CpuState.BLOCKING_BY_MOV_SS)) == 0;
        if (nmiWindow) {
            vmx.record(ExitReason.NMI_WINDOW, 0);
            return true;
        }
        boolean interruptWindow = vmx.controls.hasPrimary(PrimaryControls.INTERRUPT_WINDOW_EXITING)
                && (cpu.rflagsSystem & IF) != 0
                && (cpu.interruptibility & NO_INTERRUPTS) == 0
                && !takesNmi();
        if (interruptWindow) {
            vmx.record(ExitReason.INTERRUPT_WINDOW, 0);
        }
        return interruptWindow;
    }

    /** Whether an NMI comes first: one that waits and is not itself blocked. */
    private boolean takesNmi() {
        boolean blocked = !vmx.controls.hasPin(PinControls.VIRTUAL_NMIS)
                && (cpu.interruptibility & CpuState.BLOCKING_BY_NMI) != 0;
        return cpu.pins.nmiWaits() && !blocked;
    }

    /**
     * See {@link org.vmxsim.core.cpu.Virtualization#deadline}; in non-root operation.
     *
     * @return retired instructions, or cycles in the cycle engine
     */
    public long deadline() {
        boolean timed = cpu.cycles != null;
        if (vmx.controls.hasPrimary(PrimaryControls.MONITOR_TRAP_FLAG)) {
            return timed ? cpu.cycles.cycles() : cpu.retired;
        }
        if (!hasTimer()) {
            return Long.MAX_VALUE;
        }
        long end = timerEnd << timerRate();
        return timed ? cpu.cycles.cyclesAt(end) : end;
    }
}
