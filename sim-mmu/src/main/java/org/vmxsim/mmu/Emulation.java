package org.vmxsim.mmu;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Event;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.emulation.InstructionEmulator;
import org.vmxsim.core.memory.PortBus;
import org.vmxsim.mmu.VcpuExit.DeniedAccess;
import org.vmxsim.mmu.VcpuExit.InternalError;
import org.vmxsim.mmu.VcpuExit.Suberror;
import org.vmxsim.mmu.emulation.AccessGuard;
import org.vmxsim.mmu.emulation.DeviceAccess;
import org.vmxsim.mmu.emulation.DeviceAccesses;
import org.vmxsim.mmu.emulation.EmulatedMemory;
import org.vmxsim.mmu.guest.GuestRegisters;
import org.vmxsim.mmu.guest.VmMemory;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.view.ViewAccess;
import org.vmxsim.vmx.control.VmxStatus;
import org.vmxsim.vmx.ept.EptViolation;
import org.vmxsim.vmx.exit.VmExit;
import org.vmxsim.vmx.vmcs.ControlField;
import org.vmxsim.vmx.vmcs.GuestField;

/**
 * Emulation of the instruction at RIP of one vCPU: for accesses to what has no memslot, for port strings, and for
 * writes that need to be judged in software.
 *
 * <p>An instruction that needs an answer of the caller is executed again from the start when the answer is there, with
 * the answers so far given to the accesses in their order; until it completes nothing of it is visible: registers are a
 * copy, stores are held back.
 */
final class Emulation {
    private static final int REPEATED = 0xf2;
    private static final int SINGLE_CONTEXT = 1;
    private static final long EIP = 0xffff_ffffL;
    /** Debug trap of the T flag, as in DR6. */
    private static final long TASK_TRAP = 1 << 15;
    /** DR7.GD, which is 0 in a handler of debug exceptions. */
    private static final long GENERAL_DETECT = 1 << 13;

    private final Vcpu vcpu;
    private final GuestRegisters registers;
    private final DeviceAccesses devices;
    private final EmulatedMemory memory;
    private final AccessGuard guard;
    private final InstructionEmulator emulator;
    private final Repetition allowedRepetition = new Repetition();
    private final DecodedInstruction decoded = new DecodedInstruction();
    /** What the caller was asked, until it runs the vCPU again. */
    private VcpuExit asked;
    /** An exit that came up outside run, for the next run to return. */
    private VcpuExit deferred;

    Emulation(Vcpu vcpu) {
        this.vcpu = vcpu;
        this.registers = vcpu.registers();
        Vm vm = vcpu.vm();
        this.devices = new DeviceAccesses(vm.ports());
        this.guard = vm.access().guard(vcpu.id());
        this.memory = new EmulatedMemory(vm.memory(), guard, vm.subPages(), devices);
        PortBus ports = new PortBus();
        ports.attach(0, 1 << 16, devices);
        this.emulator = new InstructionEmulator(vm.memory().physical(), vcpu.processor().model, memory, ports);
    }

    /** Emulates one instruction, or one iteration of a repeated string instruction. */
    VcpuExit run() {
        if (vcpu.events().hasEvent()) {
            return new InternalError(
                    Suberror.DELIVERY_EVENT, registers.rip(), "an event was being delivered to a device");
        }
        devices.begin();
        memory.dropDenied(false);
        if (allowedRepetition.goesOn()) {
            guard.iterate();
        } else {
            allowedRepetition.end();
            guard.begin(vcpu.mmu().view(), true);
        }
        return execute();
    }

    /**
     * Emulates the instruction whose access to a restricted page went to the caller, with that access allowed; if an
     * event was being delivered, the processor delivers it with the page unrestricted.
     */
    VcpuExit allow(ViewAccess access, long gla, byte[] reads, boolean allIterations) {
        guard.allow(access);
        if (access.source() != ViewAccess.Source.INSTRUCTION && vcpu.events().hasEvent()) {
            return stepAllowed();
        }
        devices.begin();
        // Denied writes are dropped still if the instruction stopped while they were: else both would ask for ever.
        guard.give(gla, reads);
        if (allIterations) {
            guard.allowEverything();
            allowedRepetition.begin();
        }
        return execute();
    }

    /** Has the processor execute the instruction, or deliver the event, with what was allowed unrestricted. */
    VcpuExit stepOnce(ViewAccess access) {
        guard.allow(access);
        VcpuExit exit = stepAllowed();
        if (vcpu.step().isActive()) {
            vcpu.step().tellOnce();
        }
        return exit;
    }

    private VcpuExit stepAllowed() {
        for (long gfn : guard.allowedGfns()) {
            step(gfn << 12);
        }
        return null;
    }

    /** An event was being delivered when a restricted page was met. */
    VcpuExit delivery(Memslot slot, VmExit exit, EptViolation violation) {
        guard.begin(vcpu.mmu().view(), true);
        guard.delivery(slot, exit.gpa, exit.gla, violation);
        return judged(exit.gpa);
    }

    private VcpuExit execute() {
        asked = null;
        devices.again();
        guard.again();
        memory.memory(vcpu.memory());
        memory.begin();
        CpuState state = emulator.state();
        registers.save(state);
        long rip = registers.rip();
        int interruptibility = state.interruptibility;
        InstructionEmulator.Outcome outcome = emulator.step();
        if (guard.verdict() != AccessGuard.Verdict.ALLOWED) {
            return judged(guard.denied() == null ? 0 : guard.denied().gpa());
        }
        return switch (outcome) {
            case REFUSED -> refused();
            case FAULT -> fault(emulator.fault());
            case COMPLETED -> {
                asked = exit(devices.asked());
                if (asked == null) {
                    memory.commit();
                    registers.load(state);
                    registers.instructionDone(interruptibility);
                    vcpu.tracing().emulated(rip, false);
                    vcpu.step().end();
                    allowedRepetition.iterated(rip);
                }
                yield asked;
            }
        };
    }

    /**
     * Makes the task switch that the guest has exited for, as KVM does ({@code kvm_task_switch}): by software. What it
     * needs from a device, or from memory that is not there, KVM does not provide.
     */
    VcpuExit switchTask(VmExit exit) {
        int vectoring = exit.idtVectoringInformation;
        int type = vectoring < 0 ? vectoring >>> 8 & 7 : Event.SOFTWARE_INTERRUPT;
        boolean software = type == Event.SOFTWARE_INTERRUPT
                || type == Event.SOFTWARE_EXCEPTION
                || type == Event.PRIVILEGED_SOFTWARE_EXCEPTION;
        boolean ofProgram = software && type != Event.PRIVILEGED_SOFTWARE_EXCEPTION;
        boolean pushes = vectoring < 0 && (vectoring & Event.DELIVER_ERROR_CODE) != 0;
        devices.begin();
        memory.dropDenied(false);
        guard.begin(vcpu.mmu().view(), false);
        memory.memory(vcpu.memory());
        memory.begin();
        CpuState state = emulator.state();
        registers.save(state);
        long returnRip = state.rip + (software ? exit.instructionLengthBytes : 0) & EIP;
        InstructionEmulator.Outcome outcome = emulator.switchTask(
                exit.qualification, returnRip, ofProgram ? 0 : 1, pushes ? exit.idtVectoringErrorCode & EIP : -1);
        boolean restricted = guard.verdict() != AccessGuard.Verdict.ALLOWED;
        if (restricted || outcome == InstructionEmulator.Outcome.REFUSED || devices.asked() != null) {
            vcpu.tracing().emulated(registers.rip(), true);
            return new InternalError(
                    Suberror.EMULATION, registers.rip(), "a task switch needs a device or memory that is not there");
        }
        if (emulator.inNewTask()) {
            enterTask(state);
        } else {
            vcpu.events().deliveredBySoftware(true);
        }
        return outcome == InstructionEmulator.Outcome.FAULT ? fault(emulator.fault()) : null;
    }

    /** The debug trap of the new task's T flag is injected: the VMCS has no pending one. */
    private void enterTask(CpuState state) {
        vcpu.events().deliveredBySoftware(false);
        int interruptibility = (int) vcpu.vmx().vmread(GuestField.INTERRUPTIBILITY_STATE);
        state.interruptibility = interruptibility & CpuState.BLOCKING_BY_NMI;
        boolean traps = (state.pendingDebugExceptions & TASK_TRAP) != 0;
        state.pendingDebugExceptions = 0;
        if (traps) {
            state.dr[6] = state.dr[6] & ~0xfL | TASK_TRAP;
            state.dr[7] &= ~GENERAL_DETECT;
            vcpu.events().exception(Event.DEBUG, false, 0);
        }
        memory.commit();
        registers.instructionDone(interruptibility);
        registers.load(state);
        long vpid = vcpu.vmx().vmread(ControlField.VPID);
        if (vpid != 0 && vcpu.vmx().invvpid(SINGLE_CONTEXT, vpid, 0) != VmxStatus.SUCCEED) {
            throw new AssertionError("single-context INVVPID was refused");
        }
        vcpu.tracing().emulated(registers.rip(), false);
        vcpu.step().end();
    }

    /** What those decided who were asked about a restricted page: nothing of the instruction has happened yet. */
    private VcpuExit judged(long gpa) {
        return switch (guard.verdict()) {
            case ALLOWED -> throw new AssertionError("an allowed instruction was not completed");
            case RETRY -> null;
            case STEP -> step(gpa);
            case EXIT -> new VcpuExit.Restricted(guard.denied());
        };
    }

    private VcpuExit step(long gpa) {
        VmMemory seen = vcpu.memory().plain();
        Memslot slot = seen.slot(gpa);
        if (slot != null) {
            vcpu.step().begin(seen, slot, gpa >>> 12);
        }
        return null;
    }

    private static VcpuExit exit(DeviceAccess access) {
        if (access == null) {
            return null;
        }
        return access.port()
                ? new VcpuExit.Io(access.write(), access.sizeBytes(), (int) access.address(), (int) access.data())
                : new VcpuExit.Mmio(access.address(), access.sizeBytes(), access.write(), access.data());
    }

    private VcpuExit refused() {
        if (memory.missingGpa() != EmulatedMemory.NONE) {
            if (memory.lacksFrame()) {
                String page = "no frame for gpa=0x" + Long.toHexString(memory.missingGpa());
                return new InternalError(Suberror.NO_MEMORY, registers.rip(), page);
            }
            return new VcpuExit.MemoryFault(memory.missingGpa(), PageSize.SIZE_4K.sizeBytes());
        }
        if (memory.deniedGpa() == EmulatedMemory.NONE) {
            vcpu.tracing().emulated(registers.rip(), true);
            return new InternalError(
                    Suberror.EMULATION, registers.rip(), "code or paging structures where there is no memory");
        }
        int number = vcpu.vm().subPages().profile().exitNumber();
        if (memory.deniedPagingStructure()) {
            return new VcpuExit.Spp(number, memory.deniedGpa(), 0, registers.rip(), 0, DeniedAccess.PAGING_STRUCTURE);
        }
        int length = decode() ? decoded.length : 0;
        return new VcpuExit.Spp(
                number, memory.deniedGpa(), memory.deniedGla(), registers.rip(), length, DeniedAccess.INSTRUCTION);
    }

    private VcpuExit fault(Event event) {
        if (event.type != Event.EXCEPTION) {
            return requested(event.type, event.vector);
        }
        if (event.vector == Event.PAGE_FAULT) {
            vcpu.processor().cr2 = event.qualification;
        }
        vcpu.events().exception(event.vector, event.hasErrorCode, event.errorCode);
        return null;
    }

    /**
     * The instruction asks for an event (INT n, INT3, INTO, INT1). The processor delivers that itself where it can, as
     * it alone exits where somebody wants to see it.
     */
    private VcpuExit requested(int type, int vector) {
        if (guard.allowedGfns().length > 0) {
            return stepAllowed();
        }
        vcpu.events().requested(type, vector, decode() ? decoded.length : 0);
        return null;
    }

    private boolean decode() {
        registers.save(emulator.state());
        memory.memory(vcpu.memory());
        memory.guarded(false);
        boolean readable = emulator.decode(decoded);
        memory.guarded(true);
        return readable;
    }

    /** Executes the instruction at RIP without the writes that are denied, or the part of it that is one iteration. */
    SkipOutcome skip() {
        if (!decode()) {
            return SkipOutcome.UNREADABLE_INSTRUCTION;
        }
        if (!isRepeatedString()) {
            registers.skipInstruction(decoded.length);
            return SkipOutcome.SKIPPED;
        }
        devices.begin();
        memory.dropDenied(true);
        // The processor cannot execute an instruction without its write.
        guard.begin(vcpu.mmu().view(), false);
        deferred = execute();
        return SkipOutcome.SKIPPED;
    }

    /**
     * A repeated string instruction all of whose iterations the caller has allowed. It is the same one as long as
     * nothing has been retired between its iterations but iterations that the processor could do itself.
     */
    private final class Repetition {
        private boolean active;
        private long rip;
        private long count;
        private long retired;

        void begin() {
            active = true;
        }

        void end() {
            active = false;
        }

        /** An instruction was emulated; it is at an end unless the next iteration begins where this one did. */
        void iterated(long from) {
            active = active && registers.rip() == from && decode() && isRepeatedString();
            rip = from;
            count = registers.gpr(CpuState.RCX);
            retired = vcpu.processor().retired;
        }

        boolean goesOn() {
            long iterations = count - registers.gpr(CpuState.RCX);
            return active && registers.rip() == rip && vcpu.processor().retired - retired == iterations;
        }
    }

    private boolean isRepeatedString() {
        return (decoded.repeat | 1) == (REPEATED | 1)
                && switch (decoded.op) {
                    case MOVS, STOS, INS, OUTS, LODS, CMPS, SCAS -> true;
                    default -> false;
                };
    }

    /** Gives the answer to what was asked; false if nothing was. */
    boolean answer(long value) {
        return asked != null && devices.answer(value);
    }

    /** Goes on with an instruction that waited for the caller. */
    VcpuExit resume() {
        if (deferred != null) {
            VcpuExit exit = deferred;
            deferred = null;
            return exit;
        }
        if (asked == null) {
            return null;
        }
        devices.proceed();
        return execute();
    }
}
