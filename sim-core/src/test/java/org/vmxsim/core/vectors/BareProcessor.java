package org.vmxsim.core.vectors;

import org.vmxsim.core.access.CycleAccess;
import org.vmxsim.core.access.FunctionalAccess;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.insn.CodeCache;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.memory.PortBus;
import org.vmxsim.core.model.CpuModel;
import org.vmxsim.core.segment.InterruptGates;
import org.vmxsim.core.system.SystemInstructions;
import org.vmxsim.core.time.CycleModel;
import org.vmxsim.core.time.TimingPreset;

/** Processors with one of the two engines and nothing else connected. */
enum BareProcessor {
    /** The functional engine. */
    FUNCTIONAL,
    /** The cycle engine, with the structures of a real processor. */
    CYCLE;

    /**
     * A processor.
     *
     * @param memory its memory
     * @param ports its ports
     * @param model what it can do
     * @return the processor after reset
     */
    Processor over(PhysicalMemory memory, PortBus ports, CpuModel model) {
        Processor cpu = new Processor(memory, ports, model);
        CodeCache code = new CodeCache(cpu, memory, SystemInstructions::handler);
        cpu.instructions(code);
        cpu.events(new InterruptGates(cpu));
        if (this == CYCLE) {
            cpu.cycles = new CycleModel(TimingPreset.named("skylake-sp"));
            cpu.tables.charge(cpu.cycles);
            cpu.translations.structures(cpu.cycles.structures());
            code.rememberEntries(false);
        }
        cpu.mem.slow(this == CYCLE ? new CycleAccess(cpu) : new FunctionalAccess(cpu));
        return cpu;
    }
}
