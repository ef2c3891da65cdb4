package org.vmxsim.core.emulation;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Event;
import org.vmxsim.core.cpu.PlacedInstruction;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.insn.CodeCache;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.memory.PortBus;
import org.vmxsim.core.model.CpuModel;

/**
 * Executes one instruction of a guest for a hypervisor: the processor's own semantics on a state of its own, with the
 * caller's memory and ports, and without any TLB. A repeated string instruction is executed one iteration at a time.
 */
public final class InstructionEmulator {
    /** How the emulation of one instruction ended. */
    public enum Outcome {
        /** Executed; the state is that after it. */
        COMPLETED,
        /** It raises an exception: see {@link #fault}; the state is that before it. */
        FAULT,
        /** The caller's memory refused an access; the state is that before it. */
        REFUSED
    }

    private static final long EIP = 0xffff_ffffL;

    private final Processor cpu;

    /**
     * An emulator.
     *
     * @param memory physical memory, where code and guest paging structures are read
     * @param model what the emulated processor can do
     * @param port guest-physical memory
     * @param ports I/O ports
     */
    public InstructionEmulator(PhysicalMemory memory, CpuModel model, EmulationMemory port, PortBus ports) {
        cpu = new Processor(memory, ports, model);
        cpu.mem.slow(new EmulatedAccess(cpu, port));
        CodeCache code = new CodeCache(cpu, memory);
        code.rememberEntries(false);
        cpu.instructions(code);
        cpu.translator(port);
    }

    /**
     * The state that the instruction starts from and leaves behind; to be filled before {@link #step}.
     *
     * @return the emulator's own state
     */
    public CpuState state() {
        return cpu;
    }

    /**
     * Executes the instruction, or the iteration of a repeated string instruction, at RIP.
     *
     * @return how it ended
     */
    public Outcome step() {
        cpu.pending = Processor.NOTHING;
        cpu.modeChanged();
        PlacedInstruction instruction = cpu.instructions().at(cpu);
        if (instruction == null) {
            return outcome();
        }
        cpu.instructionLength = instruction.length;
        PlacedInstruction next = instruction.exec(cpu);
        if (cpu.pending == Processor.NOTHING && next != null) {
            cpu.rip = cpu.codeBase + next.pageOffset & (cpu.mode == Processor.CODE_64 ? -1 : EIP);
        }
        return outcome();
    }

    private Outcome outcome() {
        return switch (cpu.pending) {
            case Processor.NOTHING -> Outcome.COMPLETED;
            case Processor.EXCEPTION -> Outcome.FAULT;
            case Processor.VM_EXIT -> Outcome.REFUSED;
            default -> throw new AssertionError("pending " + cpu.pending);
        };
    }

    /**
     * The exception that the instruction raises.
     *
     * @return the event; meaningful after {@link Outcome#FAULT}. For a page fault the qualification is the linear
     *     address
     */
    public Event fault() {
        return cpu.events().requested();
    }
}
