package org.vmxsim.vmx;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.core.paging.GuestPhysicalTranslator;
import org.vmxsim.vmx.control.PinControls;
import org.vmxsim.vmx.control.SecondaryControls;
import org.vmxsim.vmx.ept.EptExit;
import org.vmxsim.vmx.exit.ExitReason;
import org.vmxsim.vmx.exit.VmExit;
import org.vmxsim.vmx.nonroot.BoundaryEvents;
import org.vmxsim.vmx.nonroot.VmxContext;
import org.vmxsim.vmx.vmcs.ControlField;
import org.vmxsim.vmx.vmcs.ExitField;
import org.vmxsim.vmx.vmcs.GuestField;
import org.vmxsim.vmx.vmcs.Vmcs;

/**
 * A VM exit, in the manual's order: exit information, guest state and MSR-store list, then host state and MSR-load list
 * or the Java caller (SDM "VM Exits"). An exit that cannot be completed is a VMX abort: the processor shuts down.
 */
final class ExitTransition {
    private static final int VALID = 1 << 31;
    private static final int TYPE_NMI = 2;
    private static final int TYPE_EXCEPTION = 3;
    private static final long GENERAL_DETECT = 1 << 13;
    private static final int DEBUG_VECTOR = 1;
    private static final long RF = 1 << 16;
    private static final int ABORT_INDICATOR = 4;
    /** VMX-abort codes (SDM "VMX Aborts"). */
    private static final int ABORT_SAVING_MSRS = 1;

    private static final int ABORT_HOST_PDPTE = 2;
    private static final int ABORT_LOADING_MSRS = 4;

    private final VmxContext vmx;
    private final Processor cpu;
    private final GuestState guest;
    private final HostState host;
    private final BoundaryEvents boundary;
    private final MsrLists msrs;

    ExitTransition(VmxContext vmx, GuestState guest, BoundaryEvents boundary, MsrLists msrs) {
        this.vmx = vmx;
        this.cpu = vmx.cpu;
        this.guest = guest;
        this.host = new HostState(vmx);
        this.boundary = boundary;
        this.msrs = msrs;
    }

    /** Takes the exit that has been recorded: inside {@code Processor.run}, which stops if Java receives it. */
    void take() {
        boolean completed = complete();
        if (completed && vmx.javaHost) {
            cpu.stop(StopReason.VM_EXIT);
        }
    }

    /** False if the exit has become a VMX abort. */
    private boolean complete() {
        VmExit exit = vmx.exit;
        if (vmx.ept.exit().pending) {
            recordAccess();
        }
        Vmcs vmcs = vmx.current;
        exit.idtVectoringInformation = cpu.vectoringInfo;
        exit.idtVectoringErrorCode = cpu.vectoringInfo == 0 ? 0 : cpu.vectoringErrorCode;
        exit.instructionLengthBytes = instructionLength();
        if (cpu.cycles != null) {
            cpu.cycles.exit(exit.reason.number());
        }
        writeInformation(vmcs);
        int entry = vmcs.getInt(ControlField.ENTRY_INTERRUPTION_INFORMATION);
        vmcs.set(ControlField.ENTRY_INTERRUPTION_INFORMATION, entry & ~VALID);
        guest.save(vmcs);
        saveFlags(vmcs);
        boundary.saveTimer(vmcs);
        // the time-stamp counter that the list stores is not the guest's: no offset applies any more
        vmx.inNonRoot = false;
        if (!msrs.store(vmcs)) {
            abort(ABORT_SAVING_MSRS);
            return false;
        }
        leave();
        return true;
    }

    /** VM-entry failure during or after loading guest state (SDM "VM-Entry Failures During or After Loading"). */
    void failEntry(ExitReason reason, long qualification) {
        vmx.record(reason, qualification).entryFailure = true;
        vmx.current.set(ExitField.EXIT_REASON, vmx.exit.reasonField());
        vmx.current.set(ExitField.EXIT_QUALIFICATION, qualification);
        leave();
    }

    boolean kick() {
        if (!vmx.controls.hasPin(PinControls.EXTERNAL_INTERRUPT_EXITING) || cpu.pending != Processor.NOTHING) {
            return false;
        }
        vmx.record(ExitReason.EXTERNAL_INTERRUPT, 0);
        return complete();
    }

    private void recordAccess() {
        EptExit access = vmx.ept.exit();
        access.pending = false;
        VmExit exit = vmx.exit.begin(ExitReason.of(access.reason), access.qualification);
        exit.gpa = access.gpa;
        exit.gla = access.glaValid ? access.gla : 0;
    }

    private boolean isAccess(ExitReason reason) {
        return switch (reason) {
            case EPT_VIOLATION, EPT_MISCONFIGURATION, SPP_RELATED_EVENT, PAGE_MODIFICATION_LOG_FULL -> true;
            default -> false;
        };
    }

    /** Of the instruction; of the software event being delivered; 0 for what happens between instructions. */
    private int instructionLength() {
        if (cpu.vectoringInfo != 0) {
            return cpu.vectoringLength;
        }
        return switch (vmx.exit.reason) {
            case EXTERNAL_INTERRUPT,
                    TRIPLE_FAULT,
                    INTERRUPT_WINDOW,
                    NMI_WINDOW,
                    MONITOR_TRAP_FLAG,
                    PREEMPTION_TIMER_EXPIRED -> 0;
            default -> isNmi() ? 0 : cpu.instructionLength;
        };
    }

    private boolean isNmi() {
        return vmx.exit.reason == ExitReason.EXCEPTION_OR_NMI
                && (vmx.exit.interruptionInformation >>> 8 & 7) == TYPE_NMI;
    }

    private void writeInformation(Vmcs vmcs) {
        VmExit exit = vmx.exit;
        vmcs.set(ExitField.EXIT_REASON, exit.reasonField());
        vmcs.set(ExitField.EXIT_QUALIFICATION, exit.qualification);
        vmcs.set(ExitField.GUEST_PHYSICAL_ADDRESS, exit.gpa);
        vmcs.set(ExitField.GUEST_LINEAR_ADDRESS, exit.gla);
        vmcs.set(ExitField.INTERRUPTION_INFORMATION, exit.interruptionInformation);
        vmcs.set(ExitField.INTERRUPTION_ERROR_CODE, exit.interruptionErrorCode);
        vmcs.set(ExitField.IDT_VECTORING_INFORMATION, exit.idtVectoringInformation);
        vmcs.set(ExitField.IDT_VECTORING_ERROR_CODE, exit.idtVectoringErrorCode);
        vmcs.set(ExitField.INSTRUCTION_LENGTH, exit.instructionLengthBytes);
        vmcs.set(ExitField.INSTRUCTION_INFORMATION, exit.instructionInformation);
    }

    /**
     * RFLAGS, with RF as the manual wants it (SDM "Saving RIP, RSP, RFLAGS, and SSP"): what an event that causes the
     * exit, or was being delivered, would have pushed; 1 for EPT violations and their like; 0 for instructions that
     * exit; else as it was. Between the iterations of a repeated string instruction it is 1 for events.
     */
    private void saveFlags(Vmcs vmcs) {
        long flags = cpu.rflags();
        if (cpu.vectoringInfo != 0) {
            flags = isFault(cpu.vectoringInfo) || cpu.repeating ? flags | RF : flags;
        } else if (isAccess(vmx.exit.reason)) {
            flags |= RF;
        } else if (vmx.exit.reason.isInstruction()) {
            flags &= ~RF;
        } else if (vmx.exit.reason == ExitReason.EXCEPTION_OR_NMI) {
            boolean set = isFault(vmx.exit.interruptionInformation) || isGeneralDetect() || cpu.repeating;
            flags = set ? flags | RF : flags;
        } else if (vmx.exit.reason == ExitReason.EXTERNAL_INTERRUPT && cpu.repeating) {
            flags |= RF;
        }
        vmcs.set(GuestField.RFLAGS, flags);
        boolean causedByException = vmx.exit.reason == ExitReason.EXCEPTION_OR_NMI && !isNmi();
        vmcs.set(GuestField.PENDING_DEBUG_EXCEPTIONS, causedByException ? 0 : cpu.pendingDebugExceptions);
    }

    /** The debug exception that is a fault although its vector's others are traps. */
    private boolean isGeneralDetect() {
        int event = vmx.exit.interruptionInformation & 0x7ff;
        return event == (DEBUG_VECTOR | TYPE_EXCEPTION << 8) && (vmx.exit.qualification & GENERAL_DETECT) != 0;
    }

    private static boolean isFault(int information) {
        return (information >>> 8 & 7) == TYPE_EXCEPTION && (information & 0xff) != DEBUG_VECTOR;
    }

    /** Out of non-root operation, to whoever entered. */
    private void leave() {
        boolean virtualNmis = vmx.controls.hasPin(PinControls.VIRTUAL_NMIS);
        boolean byNmi = !vmx.exit.entryFailure && isNmi();
        int nmiBlocking =
                byNmi ? CpuState.BLOCKING_BY_NMI : virtualNmis ? 0 : cpu.interruptibility & CpuState.BLOCKING_BY_NMI;
        vmx.inNonRoot = false;
        cpu.translator(GuestPhysicalTranslator.IDENTITY);
        if (!vmx.controls.hasSecondary(SecondaryControls.VPID)) {
            vmx.translations.vmTransition();
        }
        cpu.vectoringInfo = 0;
        cpu.pendingDebugExceptions = 0;
        // SDM "Clearing Address-Range Monitoring"
        cpu.monitor.disarm();
        if (vmx.javaHost) {
            cpu.pending = Processor.NOTHING;
            return;
        }
        loadHost(nmiBlocking);
    }

    private void loadHost(int nmiBlocking) {
        Vmcs vmcs = vmx.current;
        boolean valid = host.load(vmcs, vmcs.getInt(ControlField.EXIT_CONTROLS));
        cpu.interruptibility = nmiBlocking;
        cpu.modeChanged();
        cpu.events().stateLoaded();
        if (!valid) {
            abort(ABORT_HOST_PDPTE);
        } else if (!msrs.loadHost(vmcs)) {
            abort(ABORT_LOADING_MSRS);
        }
    }

    private void abort(int code) {
        vmx.memory.writeInt(vmx.current.hpa() + ABORT_INDICATOR, code);
        vmx.inNonRoot = false;
        cpu.translator(GuestPhysicalTranslator.IDENTITY);
        cpu.activity = CpuState.SHUTDOWN;
        cpu.modeChanged();
    }
}
