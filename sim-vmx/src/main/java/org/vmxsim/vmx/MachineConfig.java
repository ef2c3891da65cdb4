package org.vmxsim.vmx;

import java.util.OptionalLong;
import org.vmxsim.core.model.CpuModel;
import org.vmxsim.core.time.TimingPreset;
import org.vmxsim.spp.SppOptions;

/**
 * What a {@link Machine} is made of. Immutable; begin with {@link #DEFAULT} and change what matters:
 *
 * <pre>{@code
 * MachineConfig config = MachineConfig.DEFAULT.withCpu("icelake-sp").withMemory(512L << 20).withEngine(Engine.CYCLE);
 * }</pre>
 *
 * @param cpu the CPU model
 * @param timing the timing preset; used by the cycle engine
 * @param engine how instructions are executed
 * @param memoryBytes RAM, a multiple of 4096 of at least 1 MiB; what exceeds 3 GiB lies from 4 GiB up
 * @param flatMemory whether to commit the RAM up front, for speed, instead of as it is touched
 * @param processors logical processors, at least 1
 * @param sppOptions what the manual leaves open about sub-page permissions
 * @param platform the devices around the processors
 * @param testDevice whether a PC also has the test device of kvm-unit-tests
 * @param turns how the processors of a PC take turns
 */
public record MachineConfig(
        CpuModel cpu,
        TimingPreset timing,
        Engine engine,
        long memoryBytes,
        boolean flatMemory,
        int processors,
        SppOptions sppOptions,
        Platform platform,
        boolean testDevice,
        Turns turns) {
    /** One Ice Lake server processor with 512 MiB, functional engine. */
    public static final MachineConfig DEFAULT = of(CpuModel.named("icelake-sp"));

    /** Devices around the processors, beside COM1 and the debug-exit port. */
    public enum Platform {
        /** None: nothing interrupts, and HLT ends a run. */
        NONE,
        /** The chip set of a PC, {@link org.vmxsim.core.platform.pc.PcPlatform}, with interrupts masked. */
        PC,
        /**
         * The same as firmware leaves it for an image that is booted: the timer ticks, and real mode has its vectors,
         * {@link org.vmxsim.core.platform.pc.FirmwareState}.
         */
        BIOS
    }

    /**
     * How the processors take turns.
     *
     * @param quantum length of a turn in retired instructions, at least 1
     * @param seed where the lengths of turns are drawn from, each from 1 to the quantum; empty for whole quanta
     */
    public record Turns(long quantum, OptionalLong seed) {
        /** Turns of 1000 instructions. */
        public static final Turns DEFAULT = new Turns(1000, OptionalLong.empty());

        /**
         * Checks the quantum.
         *
         * @throws IllegalArgumentException if it is less than 1, or there is no seed object
         */
        public Turns {
            if (quantum < 1) {
                throw new IllegalArgumentException("need a quantum of at least 1 instruction, got " + quantum);
            }
            if (seed == null) {
                throw new IllegalArgumentException("need a seed or OptionalLong.empty(), got null");
            }
        }
    }

    private static final int PAGE_BYTES = 4096;
    private static final int MOST_PROCESSORS_OF_A_PC = 255;
    private static final long LEAST_MEMORY = 1 << 20;

    /**
     * Checks the sizes.
     *
     * @throws IllegalArgumentException if something is null, or the memory or the number of processors is not possible
     */
    public MachineConfig {
        if (cpu == null
                || timing == null
                || engine == null
                || sppOptions == null
                || platform == null
                || turns == null) {
            throw new IllegalArgumentException("need a CPU model, a preset, an engine, options of sub-page"
                    + " protection and a platform, got cpu=" + cpu + " timing=" + timing + " engine=" + engine
                    + " sppOptions=" + sppOptions + " platform=" + platform + " turns=" + turns);
        }
        if (memoryBytes < LEAST_MEMORY || memoryBytes % PAGE_BYTES != 0) {
            throw new IllegalArgumentException(
                    "memoryBytes must be a multiple of 4096 of at least 1 MiB, got " + memoryBytes);
        }
        if (memoryBytes > (1L << cpu.physicalAddressBits()) - (1L << 30)) {
            throw new IllegalArgumentException("the CPU model " + cpu.name() + " has " + cpu.physicalAddressBits()
                    + " physical-address bits, memoryBytes=" + memoryBytes);
        }
        if (processors < 1) {
            throw new IllegalArgumentException("need processors >= 1, got " + processors);
        }
        if (platform != Platform.NONE && processors > MOST_PROCESSORS_OF_A_PC) {
            throw new IllegalArgumentException("a PC has APIC IDs for 255 processors, got " + processors);
        }
        if (testDevice && platform == Platform.NONE) {
            throw new IllegalArgumentException("the test device needs the interrupt controllers of a PC");
        }
    }

    private static MachineConfig of(CpuModel cpu) {
        TimingPreset timing = TimingPreset.named(cpu.timingPreset());
        return new MachineConfig(
                cpu,
                timing,
                Engine.FUNCTIONAL,
                512L << 20,
                false,
                1,
                SppOptions.DEFAULT,
                Platform.NONE,
                false,
                Turns.DEFAULT);
    }

    /**
     * Another CPU model, with the timing preset that belongs to it.
     *
     * @param name a shipped model, see {@link CpuModel#NAMES}
     * @return the changed configuration
     * @throws IllegalArgumentException if there is no such model
     */
    public MachineConfig withCpu(String name) {
        return withCpu(CpuModel.named(name));
    }

    /**
     * Another CPU model, with the timing preset that belongs to it.
     *
     * @param model the model
     * @return the changed configuration
     */
    public MachineConfig withCpu(CpuModel model) {
        TimingPreset preset = TimingPreset.named(model.timingPreset());
        return new MachineConfig(
                model, preset, engine, memoryBytes, flatMemory, processors, sppOptions, platform, testDevice, turns);
    }

    /**
     * Another timing preset.
     *
     * @param preset the preset
     * @return the changed configuration
     */
    public MachineConfig withTiming(TimingPreset preset) {
        return new MachineConfig(
                cpu, preset, engine, memoryBytes, flatMemory, processors, sppOptions, platform, testDevice, turns);
    }

    /**
     * Another engine.
     *
     * @param newEngine the engine
     * @return the changed configuration
     */
    public MachineConfig withEngine(Engine newEngine) {
        return new MachineConfig(
                cpu, timing, newEngine, memoryBytes, flatMemory, processors, sppOptions, platform, testDevice, turns);
    }

    /**
     * Another size of RAM.
     *
     * @param sizeBytes a multiple of 4096 of at least 1 MiB
     * @return the changed configuration
     */
    public MachineConfig withMemory(long sizeBytes) {
        return new MachineConfig(
                cpu, timing, engine, sizeBytes, flatMemory, processors, sppOptions, platform, testDevice, turns);
    }

    /**
     * RAM that is committed up front, or as it is touched.
     *
     * @param flat true to commit up front
     * @return the changed configuration
     */
    public MachineConfig withFlatMemory(boolean flat) {
        return new MachineConfig(
                cpu, timing, engine, memoryBytes, flat, processors, sppOptions, platform, testDevice, turns);
    }

    /**
     * Another number of logical processors.
     *
     * @param count at least 1
     * @return the changed configuration
     */
    public MachineConfig withProcessors(int count) {
        return new MachineConfig(
                cpu, timing, engine, memoryBytes, flatMemory, count, sppOptions, platform, testDevice, turns);
    }

    /**
     * Other readings of what the manual leaves open about sub-page permissions.
     *
     * @param options the options
     * @return the changed configuration
     */
    public MachineConfig withSppOptions(SppOptions options) {
        return new MachineConfig(
                cpu, timing, engine, memoryBytes, flatMemory, processors, options, platform, testDevice, turns);
    }

    /**
     * Other devices around the processors.
     *
     * @param devices none, or those of a PC
     * @return the changed configuration
     */
    public MachineConfig withPlatform(Platform devices) {
        return new MachineConfig(
                cpu, timing, engine, memoryBytes, flatMemory, processors, sppOptions, devices, testDevice, turns);
    }

    /**
     * With or without the test device of kvm-unit-tests: ports that raise the interrupt requests of a PC, and others.
     *
     * @param present true for with
     * @return the changed configuration
     */
    public MachineConfig withTestDevice(boolean present) {
        return new MachineConfig(
                cpu, timing, engine, memoryBytes, flatMemory, processors, sppOptions, platform, present, turns);
    }

    /**
     * Other turns of processors.
     *
     * @param order length of turns
     * @return the changed configuration
     */
    public MachineConfig withTurns(Turns order) {
        return new MachineConfig(
                cpu, timing, engine, memoryBytes, flatMemory, processors, sppOptions, platform, testDevice, order);
    }
}
