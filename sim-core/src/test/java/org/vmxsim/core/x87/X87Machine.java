package org.vmxsim.core.x87;

import org.vmxsim.core.access.FunctionalAccess;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Decoder;
import org.vmxsim.core.decode.Op;
import org.vmxsim.core.insn.CodeCache;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.memory.PortBus;
import org.vmxsim.core.model.CpuModel;
import org.vmxsim.core.segment.InterruptGates;
import org.vmxsim.core.system.SystemInstructions;

/** A processor in flat 32-bit protected mode without paging, for one x87 instruction at a time. */
final class X87Machine {
    static final int CODE = 0x1000;
    static final int DATA = 0x8000;
    private static final int DATA_RIGHTS = 0xc093;
    private static final int CODE_RIGHTS = 0xc09b;
    private static final long PE_AND_NE = 0x31;

    final PhysicalMemory memory = PhysicalMemory.sparse(1 << 20);
    final Processor cpu;
    private final CodeCache cache;

    X87Machine() {
        this(CpuModel.MAX);
    }

    X87Machine(CpuModel model) {
        cpu = new Processor(memory, new PortBus(), model);
        cache = new CodeCache(cpu, memory, SystemInstructions::handler);
        cpu.instructions(cache);
        cpu.events(new InterruptGates(cpu));
        cpu.mem.slow(new FunctionalAccess(cpu));
        cpu.cr0 = PE_AND_NE;
        for (int i = CpuState.ES; i <= CpuState.GS; i++) {
            cpu.segments[i].set(0x10, 0, -1, DATA_RIGHTS);
        }
        cpu.segments[CpuState.CS].set(8, 0, -1, CODE_RIGHTS);
        cpu.modeChanged();
    }

    /** Puts an instruction of two bytes where the next one is taken from. */
    Op code(int first, int second) {
        DecodedInstruction decoded = new DecodedInstruction();
        new Decoder().decode(new byte[] {(byte) first, (byte) second}, 2, 32, decoded);
        memory.load(CODE, new byte[] {(byte) first, (byte) second});
        cpu.mem.store16(CODE, first | second << 8);
        return decoded.op;
    }

    /** Runs it with [EDI] as given. */
    void run(long rflags, long... operand) {
        cpu.rflags(rflags);
        cpu.gpr[CpuState.RDI] = DATA;
        memory.writeLong(DATA, operand[0]);
        memory.writeLong(DATA + 8, operand[1]);
        cpu.rip = CODE;
        cpu.run(1);
    }

    /** Steps; the vector of the first exception, which stays pending, or -1. */
    int step(int count) {
        for (int i = 0; i < count && cpu.pending == Processor.NOTHING; i++) {
            Handler next = cache.at(cpu).exec(cpu);
            if (next != null) {
                cpu.rip = cpu.codeBase + next.pageOffset;
            }
        }
        return cpu.pending == Processor.NOTHING ? -1 : cpu.events().requested().vector;
    }

    long low() {
        return memory.readLong(DATA);
    }

    int upper() {
        return memory.readShort(DATA + 8) & 0xffff;
    }
}
