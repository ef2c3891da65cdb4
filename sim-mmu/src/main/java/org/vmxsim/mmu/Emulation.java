package org.vmxsim.mmu;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Event;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.emulation.InstructionEmulator;
import org.vmxsim.core.memory.PortBus;
import org.vmxsim.mmu.VcpuExit.DeniedAccess;
import org.vmxsim.mmu.VcpuExit.InternalError;
import org.vmxsim.mmu.VcpuExit.Suberror;
import org.vmxsim.mmu.emulation.DeviceAccess;
import org.vmxsim.mmu.emulation.DeviceAccesses;
import org.vmxsim.mmu.emulation.EmulatedMemory;
import org.vmxsim.mmu.guest.GuestRegisters;

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

    private final Vcpu vcpu;
    private final GuestRegisters registers;
    private final DeviceAccesses devices;
    private final EmulatedMemory memory;
    private final InstructionEmulator emulator;
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
        this.memory = new EmulatedMemory(vm.slots(), vm.memory(), vm.subPages(), devices);
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
        return execute();
    }

    private VcpuExit execute() {
        asked = null;
        devices.again();
        memory.begin();
        CpuState state = emulator.state();
        registers.save(state);
        int interruptibility = state.interruptibility;
        InstructionEmulator.Outcome outcome = emulator.step();
        return switch (outcome) {
            case REFUSED -> refused();
            case FAULT -> fault(emulator.fault());
            case COMPLETED -> {
                asked = exit(devices.asked());
                if (asked == null) {
                    memory.commit();
                    registers.load(state);
                    registers.instructionDone(interruptibility);
                    vcpu.statistics().emulated++;
                }
                yield asked;
            }
        };
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
        if (memory.deniedGpa() == EmulatedMemory.NONE) {
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
        if (event.vector == Event.PAGE_FAULT) {
            vcpu.processor().cr2 = event.qualification;
        }
        vcpu.events().exception(event.vector, event.hasErrorCode, event.errorCode);
        return null;
    }

    private boolean decode() {
        registers.save(emulator.state());
        return emulator.decode(decoded);
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
        deferred = execute();
        return SkipOutcome.SKIPPED;
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
