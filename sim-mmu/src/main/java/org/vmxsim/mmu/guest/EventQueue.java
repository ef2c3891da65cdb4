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
 * What is to be injected into one vCPU at VM entry, one event at a time: first an exception, then an interrupt whose
 * delivery a VM exit interrupted, then NMIs and external interrupts, when the guest can take them. Which of two
 * exceptions wins, or what they become together, is as in KVM's {@code kvm_multiple_exception}.
 */
public final class EventQueue {
    private static final int NMI_VECTOR = 2;
    private static final int BREAKPOINT = 3;
    private static final int OVERFLOW = 4;
    private static final int MOST_VECTOR = 31;
    private static final int MOST_ERROR_CODE = 0xffff;
    private static final long IF = 1 << 9;
    private static final long RF = 1 << 16;
    private static final long PE = 1;
    private static final int BLOCKED = CpuState.BLOCKING_BY_STI | CpuState.BLOCKING_BY_MOV_SS;
    private static final int NMI_BLOCKED = CpuState.BLOCKING_BY_NMI | CpuState.BLOCKING_BY_MOV_SS;
    /** Type, vector and error-code bits of IDT-vectoring information that VM-entry interruption information shares. */
    private static final int EVENT = 0x8000_0fff;
    /** #DE, #TS, #NP, #SS, #GP. */
    private static final int CONTRIBUTORY = 1 << 0 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13;
    /** #DB, #BP and #OF are traps, #DF and #MC aborts: in KVM's reckoning all others are faults, which set RF. */
    private static final int NO_FAULTS = 1 << 1 | 1 << 3 | 1 << 4 | 1 << 8 | 1 << 18;

    /** #DF, #TS, #NP, #SS, #GP, #PF, #AC. */
    private static final int PUSH_ERROR_CODE = 1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17;

    private final VmxUnit vmx;
    private final ArrayDeque<Integer> interrupts = new ArrayDeque<>();
    /** The last VM exit happened while an event was being delivered. */
    private boolean vectoring;
    /** In the format of VM-entry interruption information; 0 for none. */
    private int exception;

    private int errorCode;
    private int exceptionLength;
    /** The exception was raised by software, not by an interrupted delivery. */
    private boolean isNew;
    /** An interrupt or NMI whose delivery was interrupted. */
    private int interrupted;

    private int interruptedLength;
    private int nmis;
    private boolean tripleFault;

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
        vectoring = exit.idtVectoringInformation < 0;
        if (!vectoring) {
            return;
        }
        int information = exit.idtVectoringInformation & EVENT;
        int type = information >>> 8 & 7;
        if (type == Event.EXTERNAL || type == Event.NMI || type == Event.SOFTWARE_INTERRUPT) {
            interrupted = information;
            interruptedLength = exit.instructionLengthBytes;
        } else {
            exception = information;
            errorCode = exit.idtVectoringErrorCode;
            exceptionLength = exit.instructionLengthBytes;
            isNew = false;
        }
    }

    /**
     * Whether the last VM exit happened while an event was being delivered.
     *
     * @return true if it is not the instruction at RIP that caused the exit
     */
    public boolean hasEvent() {
        return vectoring;
    }

    /**
     * Queues an exception that somebody outside asks for, as {@link #exception(int, boolean, int)}.
     *
     * @param vector vector, 0 to 31 but not 2, which is no exception
     * @param code the error code, or a negative number for none
     * @throws IllegalArgumentException if {@link #isException} says no
     */
    public void exception(int vector, int code) {
        if (!isException(vector, code)) {
            throw new IllegalArgumentException("need an exception vector, with an error code up to 0xffff where it"
                    + " pushes one, got vector=" + vector + " errorCode=" + code);
        }
        exception(vector, code >= 0, Math.max(code, 0));
    }

    /**
     * Whether VM entry can inject an exception, and its handler would find what the processor pushes. SDM "VM-Entry
     * Control Fields": of an error code only 16 bits can be set.
     *
     * @param vector any number
     * @param code the error code, or a negative number for none
     * @return true for a vector of 0 to 31 that is not 2, with an error code if and only if it pushes one
     */
    public static boolean isException(int vector, int code) {
        boolean inRange = vector >= 0 && vector <= MOST_VECTOR && vector != NMI_VECTOR;
        return inRange && (code < 0 ? !pushesErrorCode(vector) : pushesErrorCode(vector) && code <= MOST_ERROR_CODE);
    }

    /**
     * Whether VM entry delivers an error code with an exception: SDM "Checks on VM-Entry Control Fields". Processors
     * without control-flow enforcement know no #CP, and refuse an error code with its vector.
     *
     * @param vector any number
     * @return true for #DF, #TS, #NP, #SS, #GP, #PF and #AC
     */
    public static boolean pushesErrorCode(int vector) {
        return vector >= 0 && vector <= MOST_VECTOR && (PUSH_ERROR_CODE >>> vector & 1) != 0;
    }

    /**
     * Queues the exception of an instruction that asks for one, as {@link #exception(int, boolean, int)}: the handler
     * returns behind the instruction. INT3 and INTO are software exceptions, INT1 is a privileged one.
     *
     * @param vector 1, 3 or 4
     * @param lengthBytes length of the instruction at RIP, 1 to 15
     * @throws IllegalArgumentException for another vector or length
     */
    public void softwareException(int vector, int lengthBytes) {
        if (vector != Event.DEBUG && vector != BREAKPOINT && vector != OVERFLOW
                || lengthBytes < 1
                || lengthBytes > 15) {
            throw new IllegalArgumentException("need vector 1, 3 or 4 and an instruction of 1 to 15 bytes, got vector="
                    + vector + " lengthBytes=" + lengthBytes);
        }
        int type = vector == Event.DEBUG ? Event.PRIVILEGED_SOFTWARE_EXCEPTION : Event.SOFTWARE_EXCEPTION;
        exception(type, vector, false, 0, lengthBytes);
    }

    /**
     * The exception that the next VM entry will inject, if nothing comes until then.
     *
     * @return the exception, or null if none waits
     */
    public PendingException pending() {
        if (exception == 0) {
            return null;
        }
        boolean pushes = (exception & Event.DELIVER_ERROR_CODE) != 0;
        return new PendingException(
                exception & 0xff, exception >>> 8 & 7, pushes, pushes ? errorCode : 0, vmx.cpu().cr2);
    }

    /**
     * Queues an exception at the current instruction. With one that waits already it becomes a double fault, or ends
     * the vCPU, or takes its place: the first then comes up again when its instruction is executed again.
     *
     * @param vector vector, 0 to 31
     * @param hasErrorCode whether it pushes an error code
     * @param code the error code
     */
    public void exception(int vector, boolean hasErrorCode, int code) {
        exception(Event.EXCEPTION, vector, hasErrorCode, code, 0);
    }

    /**
     * Queues an exception that an instruction may have asked for, as {@link #exception(int, boolean, int)}.
     *
     * @param type event type: hardware, software or privileged software exception
     * @param vector vector, 0 to 31
     * @param hasErrorCode whether it pushes an error code
     * @param code the error code
     * @param lengthBytes length of the instruction that asked for it, else 0
     */
    public void exception(int type, int vector, boolean hasErrorCode, int code, int lengthBytes) {
        int first = exception & 0xff;
        if (exception != 0 && first == Event.DOUBLE_FAULT) {
            tripleFault = true;
            return;
        }
        boolean second = (CONTRIBUTORY & 1 << vector) != 0;
        boolean doubles = exception != 0
                && (first == Event.PAGE_FAULT && (second || vector == Event.PAGE_FAULT)
                        || (CONTRIBUTORY >>> first & 1) != 0 && second);
        isNew = true;
        if (doubles) {
            exception = Event.VALID | Event.EXCEPTION << 8 | Event.DOUBLE_FAULT | Event.DELIVER_ERROR_CODE;
            errorCode = 0;
            exceptionLength = 0;
        } else {
            exception = Event.VALID | type << 8 | vector | (hasErrorCode ? Event.DELIVER_ERROR_CODE : 0);
            errorCode = code;
            exceptionLength = lengthBytes;
        }
    }

    /**
     * As {@link #pending}, but only what was raised by software and has not been begun to be delivered.
     *
     * @return the exception, or null if none waits or it is delivered once more after an interruption
     */
    public PendingException pendingNew() {
        return isNew ? pending() : null;
    }

    /**
     * Queues what an instruction that was emulated asks for; it is delivered with RIP behind the instruction.
     *
     * @param type event type: software interrupt, software or privileged software exception
     * @param vector vector
     * @param lengthBytes length of the instruction
     */
    public void requested(int type, int vector, int lengthBytes) {
        if (type == Event.SOFTWARE_INTERRUPT) {
            interrupted = Event.VALID | type << 8 | vector;
            interruptedLength = lengthBytes;
        } else {
            exception(type, vector, false, 0, lengthBytes);
        }
    }

    /**
     * What the last exit has interrupted is delivered, or given up for another event: software has done the rest of the
     * delivery. NMIs are blocked behind one.
     *
     * @param givenUp true if an exception has come up instead, which {@link #exception(int, boolean, int)} gets next
     */
    public void deliveredBySoftware(boolean givenUp) {
        if (!vectoring) {
            return;
        }
        if ((interrupted >>> 8 & 7) == Event.NMI && interrupted != 0) {
            vmx.vmwrite(GuestField.INTERRUPTIBILITY_STATE, interruptibility() | CpuState.BLOCKING_BY_NMI);
        }
        interrupted = 0;
        exception = givenUp ? exception : 0;
    }

    /**
     * Whether exceptions have come to a triple fault; asking ends it.
     *
     * @return true if the vCPU cannot go on
     */
    public boolean takeTripleFault() {
        boolean taken = tripleFault;
        tripleFault = false;
        return taken;
    }

    /**
     * Queues an external interrupt.
     *
     * @param vector vector, 16 to 255
     * @throws IllegalArgumentException if the vector is reserved or out of range
     */
    public void interrupt(int vector) {
        if (vector < 16 || vector > 255) {
            throw new IllegalArgumentException("need an interrupt vector of 16 to 255, got " + vector);
        }
        interrupts.add(vector);
    }

    /**
     * Queues a non-maskable interrupt. Two can wait, or one while the guest is handling one or about to; more are lost,
     * as KVM loses them.
     */
    public void nmi() {
        boolean busy = (interrupted >>> 8 & 7) == Event.NMI || (interruptibility() & CpuState.BLOCKING_BY_NMI) != 0;
        nmis = Math.min(nmis + 1, busy ? 1 : 2);
    }

    /**
     * Whether an NMI waits and is not blocked, or an external interrupt and the guest's RFLAGS.IF would let it in.
     *
     * @return true if the guest is not to be treated as halted
     */
    public boolean wakes() {
        boolean nmi = nmis > 0 && (interruptibility() & NMI_BLOCKED) == 0;
        return nmi || !interrupts.isEmpty() && (vmx.vmread(GuestField.RFLAGS) & IF) != 0;
    }

    /**
     * Writes what is to be injected into the VMCS; asks for an exit as soon as what still waits can be taken.
     *
     * @return VM-entry interruption information of what VM entry will inject, 0 for nothing
     */
    public int beforeEntry() {
        int information = next();
        vmx.vmwrite(ControlField.ENTRY_INTERRUPTION_INFORMATION, information & 0xffff_ffffL);
        window(PrimaryControls.INTERRUPT_WINDOW_EXITING, !interrupts.isEmpty());
        window(PrimaryControls.NMI_WINDOW_EXITING, nmis > 0);
        return information;
    }

    private int next() {
        if (exception != 0) {
            return takeException();
        }
        if (interrupted != 0) {
            int information = interrupted;
            interrupted = 0;
            vmx.vmwrite(ControlField.ENTRY_INSTRUCTION_LENGTH, interruptedLength);
            if ((information >>> 8 & 7) == Event.NMI) {
                // The interrupted delivery has blocked NMIs already; VM entry wants them open to inject one.
                unblock(CpuState.BLOCKING_BY_NMI);
            }
            return information;
        }
        if (nmis > 0 && (interruptibility() & NMI_BLOCKED) == 0) {
            nmis--;
            // An NMI may come in the shadow of STI, but VM entry may refuse to inject one there.
            unblock(CpuState.BLOCKING_BY_STI);
            return Event.VALID | Event.NMI << 8 | NMI_VECTOR;
        }
        return !interrupts.isEmpty() && interruptible() ? Event.VALID | Event.EXTERNAL << 8 | interrupts.remove() : 0;
    }

    private int takeException() {
        int information = exception;
        int vector = information & 0xff;
        if (isNew && (information >>> 8 & 7) == Event.EXCEPTION && (NO_FAULTS >>> vector & 1) == 0) {
            vmx.vmwrite(GuestField.RFLAGS, vmx.vmread(GuestField.RFLAGS) | RF);
        }
        vmx.vmwrite(ControlField.ENTRY_EXCEPTION_ERROR_CODE, errorCode & 0xffff_ffffL);
        vmx.vmwrite(ControlField.ENTRY_INSTRUCTION_LENGTH, exceptionLength);
        exception = 0;
        boolean realMode = (vmx.vmread(GuestField.CR0) & PE) == 0;
        return realMode ? information & ~Event.DELIVER_ERROR_CODE : information;
    }

    private int interruptibility() {
        return (int) vmx.vmread(GuestField.INTERRUPTIBILITY_STATE);
    }

    private void unblock(int blocking) {
        int state = interruptibility();
        if ((state & blocking) != 0) {
            vmx.vmwrite(GuestField.INTERRUPTIBILITY_STATE, state & ~blocking);
        }
    }

    private boolean interruptible() {
        return (vmx.vmread(GuestField.RFLAGS) & IF) != 0 && (interruptibility() & BLOCKED) == 0;
    }

    private void window(int control, boolean wanted) {
        long before = vmx.vmread(ControlField.PRIMARY_PROCESSOR_CONTROLS);
        long after = wanted ? before | control : before & ~(long) control;
        if (after != before) {
            vmx.vmwrite(ControlField.PRIMARY_PROCESSOR_CONTROLS, after);
        }
    }
}
