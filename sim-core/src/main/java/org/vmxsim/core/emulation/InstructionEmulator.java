package org.vmxsim.core.emulation;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Event;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Decoder;
import org.vmxsim.core.insn.CodeCache;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.memory.PortBus;
import org.vmxsim.core.model.CpuModel;
import org.vmxsim.core.segment.TaskSwitch;
import org.vmxsim.core.system.ControlRegisters;
import org.vmxsim.core.system.ModelSpecificRegisters;
import org.vmxsim.core.system.SystemInstructions;

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
    /** By {@link Processor#mode}. */
    private static final int[] CODE_BITS = {16, 32, 64};

    private final Processor cpu;
    private final PhysicalMemory memory;
    private final Decoder decoder = new Decoder();
    private final byte[] bytes = new byte[Decoder.MAX_LENGTH];
    private boolean inNewTask;

    /**
     * An emulator.
     *
     * @param memory physical memory, where code and guest paging structures are read
     * @param model what the emulated processor can do
     * @param port guest-physical memory
     * @param ports I/O ports
     */
    public InstructionEmulator(PhysicalMemory memory, CpuModel model, EmulationMemory port, PortBus ports) {
        this.memory = memory;
        cpu = new Processor(memory, ports, model);
        cpu.mem.slow(new EmulatedAccess(cpu, port));
        CodeCache code = new CodeCache(cpu, memory, SystemInstructions::handler);
        code.rememberEntries(false);
        cpu.instructions(code);
        cpu.translator(new PortTranslator(port));
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
        Handler instruction = cpu.instructions().at(cpu);
        if (instruction == null) {
            return outcome();
        }
        Handler next = instruction.exec(cpu);
        if (cpu.pending == Processor.NOTHING && next != null) {
            cpu.rip = cpu.codeBase + next.pageOffset & (cpu.mode == Processor.CODE_64 ? -1 : EIP);
        }
        return outcome();
    }

    /**
     * Does to the state what MOV to a control register does, privilege and interception apart. The caller invalidates
     * the translations of the processor that the state belongs to.
     *
     * @param number 0, 3 or 4
     * @param value the value
     * @return how it ended
     * @throws IllegalArgumentException for another number
     */
    public Outcome writeControlRegister(int number, long value) {
        cpu.pending = Processor.NOTHING;
        cpu.modeChanged();
        switch (number) {
            case 0 -> ControlRegisters.writeCr0(cpu, value);
            case 3 -> ControlRegisters.writeCr3(cpu, value);
            case 4 -> ControlRegisters.writeCr4(cpu, value);
            default -> throw new IllegalArgumentException("need control register 0, 3 or 4, got " + number);
        }
        return outcome();
    }

    /**
     * Does to the state what the task switch does that has caused a VM exit. A fault may come up in the new task:
     * {@link #inNewTask} says so, and the state is that of the new task then.
     *
     * @param qualification the exit qualification for task switches
     * @param returnRip EIP of the old task
     * @param ext bit 0 of error codes
     * @param errorCode the error code to push in the new task, or a negative number for none
     * @return how it ended
     */
    public Outcome switchTask(long qualification, long returnRip, int ext, long errorCode) {
        cpu.pending = Processor.NOTHING;
        cpu.modeChanged();
        inNewTask = TaskSwitch.complete(cpu, qualification, returnRip, ext, errorCode);
        return outcome();
    }

    /**
     * Whether the last {@link #switchTask} has come to the new task.
     *
     * @return true if its state, and a fault if there was one, are the new task's
     */
    public boolean inNewTask() {
        return inNewTask;
    }

    /**
     * Does to the state what WRMSR does, privilege and interception apart. The caller invalidates translations.
     *
     * @param msr the register, one of {@link CpuState}
     * @param value the value
     * @return false if WRMSR raises #GP
     */
    public boolean writeMsr(int msr, long value) {
        cpu.modeChanged();
        if (!ModelSpecificRegisters.isWritable(cpu, msr, value)) {
            return false;
        }
        ModelSpecificRegisters.write(cpu, msr, value);
        return true;
    }

    /**
     * Reads a model-specific register of the state.
     *
     * @param msr the register, one of {@link CpuState}
     * @return its value
     */
    public long readMsr(int msr) {
        return ModelSpecificRegisters.read(cpu, msr);
    }

    /**
     * Decodes the instruction at RIP without executing it.
     *
     * @param instruction filled with the instruction
     * @return false if its bytes cannot be fetched
     */
    public boolean decode(DecodedInstruction instruction) {
        cpu.pending = Processor.NOTHING;
        cpu.modeChanged();
        boolean is64 = cpu.mode == Processor.CODE_64;
        int count = 0;
        do {
            long rip = cpu.rip + count;
            long hpa = cpu.mem.fetchAddress(is64 ? rip : cpu.segments[CpuState.CS].base + rip & EIP);
            if (cpu.pending != Processor.NOTHING) {
                return false;
            }
            bytes[count++] = (byte) memory.readByte(hpa);
        } while (!decoder.decode(bytes, count, CODE_BITS[cpu.mode], instruction));
        return true;
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
