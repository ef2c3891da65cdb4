package org.vmxsim.vmx;

import org.vmxsim.core.access.CycleAccess;
import org.vmxsim.core.access.FunctionalAccess;
import org.vmxsim.core.cache.SharedCache;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.insn.CodeCache;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.memory.PortBus;
import org.vmxsim.core.model.CpuFeature;
import org.vmxsim.core.segment.InterruptGates;
import org.vmxsim.core.system.SystemInstructions;
import org.vmxsim.core.time.CycleModel;
import org.vmxsim.vmx.control.VmxCapabilities;

/** One logical processor of a {@link Machine}, assembled: processor, decoded code, way to memory, clock and VMX. */
public final class LogicalProcessor {
    private final Processor cpu;
    private final CodeCache code;
    private final FunctionalAccess functional;
    private final VmxUnit vmx;
    private final CycleModel cycleModel;
    private long functionalInstructions;
    private long switchedAt;

    LogicalProcessor(MachineConfig config, PhysicalMemory memory, PortBus ports, SharedCache shared) {
        cpu = new Processor(memory, ports, config.cpu());
        cycleModel = new CycleModel(config.timing(), shared);
        functional = new FunctionalAccess(cpu);
        code = new CodeCache(cpu, memory, SystemInstructions::handler);
        cpu.instructions(code);
        cpu.events(new InterruptGates(cpu));
        vmx = config.cpu().has(CpuFeature.VMX)
                ? new VmxUnit(cpu, VmxCapabilities.of(config.cpu()), config.sppOptions())
                : null;
        engine(config.engine());
    }

    /**
     * Changes the engine between two runs. Architectural state stays, the time-stamp counter goes on from its value,
     * and what the engines cached of translations is dropped. A VMX-preemption timer that runs counts by the new clock.
     *
     * @param engine the engine from now on
     */
    public void engine(Engine engine) {
        boolean timed = engine == Engine.CYCLE;
        functionalInstructions = functionalInstructions();
        switchedAt = cpu.retired;
        long before = cpu.timeStamp();
        cpu.cycles = timed ? cycleModel : null;
        cpu.tables.charge(timed ? cycleModel : null);
        cpu.tscOffset += before - cpu.timeStamp();
        cpu.translations.structures(timed ? cycleModel.structures() : null);
        cpu.translations.flushAll();
        if (vmx != null) {
            vmx.structuresChanged();
        }
        code.rememberEntries(!timed);
        cpu.mem.slow(timed ? new CycleAccess(cpu) : functional);
        cpu.modeChanged();
    }

    /**
     * Instructions that the functional engine has executed.
     *
     * @return retired instructions outside the cycle engine, with the ticks in which the processor was idle
     */
    public long functionalInstructions() {
        return functionalInstructions + (cpu.cycles == null ? cpu.retired - switchedAt : 0);
    }

    /**
     * The processor: state, memory unit, {@code run}.
     *
     * @return the processor
     */
    public Processor cpu() {
        return cpu;
    }

    /**
     * Its VMX.
     *
     * @return VMX
     * @throws IllegalStateException if the CPU model has none
     */
    public VmxUnit vmx() {
        if (vmx == null) {
            throw new IllegalStateException("the CPU model " + cpu.model.name() + " has no VMX");
        }
        return vmx;
    }

    /**
     * Its clock and timed structures, also where the functional engine runs (they stand still then).
     *
     * @return the cycle model
     */
    public CycleModel cycleModel() {
        return cycleModel;
    }
}
