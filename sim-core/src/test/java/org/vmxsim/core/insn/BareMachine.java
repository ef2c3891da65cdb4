package org.vmxsim.core.insn;

import java.util.HexFormat;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.memory.PortBus;
import org.vmxsim.core.segment.InterruptGates;
import org.vmxsim.core.system.SystemInstructions;

/** A processor with flat segments over {@link BareAccess}, stepped instruction by instruction; faults stay pending. */
final class BareMachine {
    static final int CODE_RIGHTS = 0xa09b;
    static final int CODE_RIGHTS_32 = 0xc09b;
    static final int CODE_RIGHTS_16 = 0x809b;
    static final int DATA_RIGHTS = 0xc093;

    final PhysicalMemory memory = PhysicalMemory.sparse(1L << 30);
    final Processor cpu = new Processor(memory, new PortBus());
    final BareAccess access = new BareAccess(cpu, memory);
    final CodeCache cache = new CodeCache(cpu, memory, SystemInstructions::handler);

    /** A machine in 16-, 32- or 64-bit protected mode at CPL 0. */
    BareMachine(int codeBits) {
        cpu.instructions(cache);
        cpu.events(new InterruptGates(cpu));
        cpu.mem.slow(access);
        cpu.cr0 = 0x8000_0011L;
        cpu.cr4 = 0x20;
        cpu.efer = codeBits == 64 ? 0x500 : 0;
        for (int i = CpuState.ES; i <= CpuState.GS; i++) {
            cpu.segments[i].set(0x10, 0, -1, DATA_RIGHTS);
        }
        int rights = codeBits == 64 ? CODE_RIGHTS : codeBits == 32 ? CODE_RIGHTS_32 : CODE_RIGHTS_16;
        cpu.segments[CpuState.CS].set(8, 0, -1, rights);
        cpu.modeChanged();
    }

    void code(long address, String hex) {
        code(address, HexFormat.of().parseHex(hex.replace(" ", "")));
    }

    void code(long address, byte[] bytes) {
        access.map(address & ~0xfffL, 0x1000);
        access.map(address + bytes.length - 1 & ~0xfffL, 0x1000);
        memory.load(address, bytes);
        cpu.rip = address;
    }

    /**
     * Executes one instruction, one iteration of a repeated one; RIP is right afterwards, and a fault stays pending.
     */
    void step() {
        Handler handler = cache.at(cpu);
        if (handler == null) {
            return;
        }
        Handler next = handler.exec(cpu);
        if (next != null) {
            cpu.rip = cpu.codeBase + next.pageOffset & (cpu.mode == Processor.CODE_64 ? -1 : 0xffff_ffffL);
        }
    }

    /** Executes instructions by following links, as the processor's loop does; stops at a fault. */
    void run(int instructions) {
        Handler handler = null;
        for (int i = 0; i < instructions; i++) {
            cpu.limit = Long.MAX_VALUE;
            handler = handler == null ? cache.at(cpu) : handler;
            if (handler == null) {
                return;
            }
            handler = handler.exec(cpu);
            if (handler != null && (cpu.limit == 0 || i == instructions - 1)) {
                cpu.rip = cpu.codeBase + handler.pageOffset & (cpu.mode == Processor.CODE_64 ? -1 : 0xffff_ffffL);
                handler = null;
            }
            if (cpu.pending != Processor.NOTHING) {
                return;
            }
        }
    }

    /** Vector of the pending exception, or -1. */
    int fault() {
        return cpu.pending == Processor.EXCEPTION ? cpu.events().requested().vector : -1;
    }

    void clearFault() {
        cpu.pending = Processor.NOTHING;
    }
}
