package org.vmxsim.mmu.guest;

import java.util.ArrayDeque;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Event;
import org.vmxsim.vmx.VmxUnit;
import org.vmxsim.vmx.control.PrimaryControls;
import org.vmxsim.vmx.exit.VmExit;
import org.vmxsim.vmx.vmcs.ControlField;
import org.vmxsim.vmx.vmcs.GuestField;

/**
 * What is to be injected into one vCPU at VM entry: first an event whose delivery a VM exit interrupted, or an
 * exception that emulation raised; then external interrupts, when the guest can take them.
 */
public final class EventQueue {
    private static final long IF = 1 << 9;
    private static final int BLOCKED = CpuState.BLOCKING_BY_STI | CpuState.BLOCKING_BY_MOV_SS;
    /** Type, vector and error-code bits of IDT-vectoring information that VM-entry interruption information shares. */
    private static final int EVENT = 0x8000_0fff;

    private final VmxUnit vmx;
    private final ArrayDeque<Integer> interrupts = new ArrayDeque<>();
    private int event;
    private int errorCode;
    private int instructionLength;

    /**
     * Nothing to inject.
     *
     * @param vmx the processor, with the vCPU's VMCS current
     */
    public EventQueue(VmxUnit vmx) {
        this.vmx = vmx;
    }

    /**
     * Takes back an event that was being delivered when a VM exit happened.
     *
     * @param exit the exit
     */
    public void exited(VmExit exit) {
        event = exit.idtVectoringInformation < 0 ? exit.idtVectoringInformation & EVENT : 0;
        errorCode = exit.idtVectoringErrorCode;
        instructionLength = exit.instructionLengthBytes;
    }

    /**
     * Whether an event waits to be delivered again, or an exception to be delivered.
     *
     * @return true if the next VM entry injects it
     */
    public boolean hasEvent() {
        return event != 0;
    }

    /**
     * Queues an exception at the current instruction.
     *
     * @param vector vector, 0 to 31
     * @param hasErrorCode whether it pushes an error code
     * @param code the error code
     */
    public void exception(int vector, boolean hasErrorCode, int code) {
        event = Event.VALID | Event.EXCEPTION << 8 | vector | (hasErrorCode ? Event.DELIVER_ERROR_CODE : 0);
        errorCode = code;
        instructionLength = 0;
    }

    /**
     * Queues an external interrupt.
     *
     * @param vector vector, 0 to 255
     */
    public void interrupt(int vector) {
        interrupts.add(vector);
    }

    /**
     * Whether an external interrupt waits and the guest's RFLAGS.IF would let it in.
     *
     * @return true if the guest is not to be treated as halted
     */
    public boolean wakes() {
        return !interrupts.isEmpty() && (vmx.vmread(GuestField.RFLAGS) & IF) != 0;
    }

    /**
     * Writes what is to be injected into the VMCS; asks for an exit as soon as an interrupt can be taken.
     *
     * @return whether VM entry will inject an event
     */
    public boolean beforeEntry() {
        int information = event;
        if (information == 0 && !interrupts.isEmpty() && interruptible()) {
            information = Event.VALID | Event.EXTERNAL << 8 | interrupts.remove();
        }
        vmx.vmwrite(ControlField.ENTRY_INTERRUPTION_INFORMATION, information & 0xffff_ffffL);
        if (information != 0) {
            vmx.vmwrite(ControlField.ENTRY_EXCEPTION_ERROR_CODE, errorCode & 0xffff_ffffL);
            vmx.vmwrite(ControlField.ENTRY_INSTRUCTION_LENGTH, instructionLength);
            if ((information >>> 8 & 7) == Event.NMI) {
                // The interrupted delivery has blocked NMIs already; VM entry wants them open to inject one.
                long state = vmx.vmread(GuestField.INTERRUPTIBILITY_STATE);
                vmx.vmwrite(GuestField.INTERRUPTIBILITY_STATE, state & ~CpuState.BLOCKING_BY_NMI);
            }
        }
        event = 0;
        windowExiting(!interrupts.isEmpty());
        return information != 0;
    }

    private boolean interruptible() {
        return (vmx.vmread(GuestField.RFLAGS) & IF) != 0
                && (vmx.vmread(GuestField.INTERRUPTIBILITY_STATE) & BLOCKED) == 0;
    }

    private void windowExiting(boolean wanted) {
        long before = vmx.vmread(ControlField.PRIMARY_PROCESSOR_CONTROLS);
        long after = wanted
                ? before | PrimaryControls.INTERRUPT_WINDOW_EXITING
                : before & ~PrimaryControls.INTERRUPT_WINDOW_EXITING;
        if (after != before) {
            vmx.vmwrite(ControlField.PRIMARY_PROCESSOR_CONTROLS, after);
        }
    }
}
