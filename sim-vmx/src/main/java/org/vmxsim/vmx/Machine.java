package org.vmxsim.vmx;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.IntConsumer;
import java.util.stream.Stream;
import org.vmxsim.core.boot.BootImage;
import org.vmxsim.core.boot.BootModule;
import org.vmxsim.core.boot.GuestMemory;
import org.vmxsim.core.boot.SymbolTable;
import org.vmxsim.core.boot.loader.ImageKind;
import org.vmxsim.core.cache.SharedCache;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.memory.PortBus;
import org.vmxsim.core.platform.DebugExit;
import org.vmxsim.core.platform.ShutdownPort;
import org.vmxsim.core.platform.Uart16550;
import org.vmxsim.core.platform.pc.FirmwareState;
import org.vmxsim.core.platform.pc.PcPlatform;

/**
 * A bare machine: RAM, logical processors with VMX, COM1 at 0x3f8, the debug-exit port 0xf4, and if asked for the chip
 * set of a PC. The root of everything below the VM-exit line:
 *
 * <pre>{@code
 * Machine machine = Machine.of(MachineConfig.DEFAULT.withEngine(Engine.CYCLE));
 * machine.boot(Files.readAllBytes(image), "bench e.chase 1000", List.of());
 * machine.run(100_000_000);
 * System.out.print(machine.serialOutput());
 * }</pre>
 */
public final class Machine {
    /** How a program ends itself. */
    public enum Ending {
        /** By the debug-exit port. */
        EXIT_PORT,
        /** By a reset: ports 0xcf9 and 0x92, or the keyboard controller. */
        RESET,
        /** By the power-off port 0x8900. */
        POWER_OFF
    }

    private static final long MMIO_HOLE = 3L << 30;
    private static final long HIGH_MEMORY = 4L << 30;

    private final MachineConfig config;
    private final PhysicalMemory memory = new PhysicalMemory();
    private final PortBus ports = new PortBus();
    private final List<LogicalProcessor> processors;
    private final ByteArrayOutputStream serial = new ByteArrayOutputStream();
    private final DebugExit exitPort;
    private final Uart16550 com1;
    private Ending ending;
    private IntConsumer serialSink = value -> {};
    /** Whose turn it is; null where only processor 0 runs. */
    private final ProcessorTurns turns;

    private boolean takenOver;

    private Machine(MachineConfig config) {
        this.config = config;
        addRam(0, Math.min(config.memoryBytes(), MMIO_HOLE));
        if (config.memoryBytes() > MMIO_HOLE) {
            addRam(HIGH_MEMORY, config.memoryBytes() - MMIO_HOLE);
        }
        SharedCache shared = config.timing().sharedCache();
        processors = Stream.generate(() -> new LogicalProcessor(config, memory, ports, shared))
                .limit(config.processors())
                .toList();
        exitPort = new DebugExit(() -> end(Ending.EXIT_PORT));
        ports.attach(DebugExit.PORT, DebugExit.PORTS, exitPort);
        ports.attach(ShutdownPort.PORT, 1, new ShutdownPort(() -> end(Ending.POWER_OFF)));
        PcPlatform platform = config.platform() == MachineConfig.Platform.NONE ? null : addPlatform();
        com1 = new Uart16550(this::transmitted, level -> {
            if (platform != null) {
                platform.request(Uart16550.COM1_REQUEST, level);
            }
        });
        ports.attach(Uart16550.COM1, Uart16550.PORTS, com1);
        turns = platform == null || config.processors() == 1
                ? null
                : new ProcessorTurns(processors, config.turns(), platform::turn);
    }

    /** The processors' time-stamp counters tick at the preset's frequency in both engines. A reset ends the run. */
    private PcPlatform addPlatform() {
        List<Processor> cpus = processors.stream().map(LogicalProcessor::cpu).toList();
        long ticksPerSecond = config.timing().number("clock.tscMhz") * 1_000_000L;
        PcPlatform platform = new PcPlatform(cpus, memory, ports, ticksPerSecond, () -> end(Ending.RESET));
        long lowBytes = Math.min(config.memoryBytes(), MMIO_HOLE);
        platform.memorySize(lowBytes, config.memoryBytes() - lowBytes);
        if (config.testDevice()) {
            platform.addTestDevice(memory, ports);
        }
        return platform;
    }

    /**
     * A machine with empty RAM and its processors after reset.
     *
     * @param config what it is made of
     * @return the machine
     */
    public static Machine of(MachineConfig config) {
        return new Machine(config);
    }

    private void addRam(long base, long sizeBytes) {
        if (config.flatMemory()) {
            memory.addFlatRam(base, sizeBytes);
        } else {
            memory.addRam(base, sizeBytes);
        }
    }

    private void transmitted(int value) {
        serial.write(value);
        serialSink.accept(value);
    }

    /** The first ending counts. */
    private void end(Ending how) {
        ending = ending == null ? how : ending;
        stop();
    }

    private void stop() {
        if (turns == null) {
            processors.forEach(processor -> processor.cpu().stop(StopReason.REQUESTED));
        } else {
            turns.stop();
        }
    }

    /**
     * Loads an image of a kind that its bytes tell and puts processor 0 at its entry.
     *
     * @param image the file
     * @param commandLine the command line; in a Multiboot image its first word is the program's name
     * @param modules modules to load behind the image
     * @return the symbols of the image
     * @throws IllegalArgumentException if the file is no image, or does not fit
     */
    public SymbolTable boot(byte[] image, String commandLine, List<BootModule> modules) {
        return boot(ImageKind.of(image).parse(image), commandLine, modules);
    }

    /**
     * Loads an image and puts processor 0 at its entry.
     *
     * @param image the image
     * @param commandLine the command line
     * @param modules modules to load behind the image
     * @return the symbols of the image
     * @throws IllegalArgumentException if it does not fit, or knows no modules
     */
    public SymbolTable boot(BootImage image, String commandLine, List<BootModule> modules) {
        Processor cpu = cpu();
        GuestMemory ram = new LoadedMemory();
        if (config.platform() == MachineConfig.Platform.BIOS) {
            FirmwareState.leave(ram, ports);
        }
        image.load(ram, commandLine, modules).apply(cpu);
        cpu.modeChanged();
        return image.symbols();
    }

    /** The machine's RAM, as the loader sees it. */
    private final class LoadedMemory implements GuestMemory {
        @Override
        public void load(long address, byte[] bytes) {
            memory.load(address, bytes);
        }

        @Override
        public long lowRamBytes() {
            return Math.min(config.memoryBytes(), MMIO_HOLE);
        }

        @Override
        public long highRamBytes() {
            return config.memoryBytes() - lowRamBytes();
        }
    }

    /**
     * Gives RAM and processors to a hypervisor in Java, which then is the only one.
     *
     * @throws IllegalArgumentException if they belong to one already
     */
    public void takeOver() {
        if (takenOver) {
            throw new IllegalArgumentException("need a machine without a hypervisor, got one that has been taken over");
        }
        takenOver = true;
    }

    /**
     * Runs the machine: its processors by turns ({@link MachineConfig#turns()}), or processor 0 where there is nothing
     * by which it could start the others. The same machine and the same budgets give the same run, bit for bit.
     *
     * @param maxInstructions the budget in retired instructions of all processors together; ticks in which all are
     *     halted count in the functional engine
     * @return why it stopped: {@link StopReason#REQUESTED} if the program has ended itself
     */
    public StopReason run(long maxInstructions) {
        return turns == null ? cpu().run(maxInstructions) : turns.run(maxInstructions);
    }

    /**
     * What all processors have executed.
     *
     * @return retired instructions, without time spent in HLT
     */
    public long instructions() {
        return processors.stream()
                .map(LogicalProcessor::cpu)
                .mapToLong(cpu -> cpu.retired - cpu.idleTicks)
                .sum();
    }

    /**
     * The exit code that the program has written to the debug-exit port.
     *
     * @return the code, empty as long as the program has not ended
     */
    public OptionalInt exitCode() {
        return exitPort.written() ? OptionalInt.of(exitPort.code()) : OptionalInt.empty();
    }

    /**
     * How the program has ended itself.
     *
     * @return the first ending, empty as long as it has not ended
     */
    public Optional<Ending> ending() {
        return Optional.ofNullable(ending);
    }

    /**
     * Sends bytes to the program by COM1; call it between runs. What its receiver has no room for waits.
     *
     * @param octets the bytes
     */
    public void serialInput(byte... octets) {
        for (byte octet : octets) {
            com1.receive(octet);
        }
    }

    /**
     * Everything that the program has sent to COM1.
     *
     * @return the text, one character a byte
     */
    public String serialOutput() {
        return serial.toString(StandardCharsets.ISO_8859_1);
    }

    /**
     * Lets somebody see what the program sends to COM1, as it comes.
     *
     * @param sink gets each byte, 0 to 255
     */
    public void serialSink(IntConsumer sink) {
        serialSink = sink;
    }

    /**
     * What the machine is made of.
     *
     * @return the configuration given to {@link #of}
     */
    public MachineConfig config() {
        return config;
    }

    /**
     * Physical memory.
     *
     * @return RAM and devices
     */
    public PhysicalMemory memory() {
        return memory;
    }

    /**
     * I/O ports, to attach devices to.
     *
     * @return the bus that all processors share
     */
    public PortBus ports() {
        return ports;
    }

    /**
     * The logical processors.
     *
     * @return at least one, unmodifiable
     */
    public List<LogicalProcessor> processors() {
        return processors;
    }

    /**
     * Processor 0.
     *
     * @return the processor that runs first
     */
    public Processor cpu() {
        return processors.get(0).cpu();
    }

    /**
     * VMX of processor 0.
     *
     * @return VMX
     * @throws IllegalStateException if the CPU model has none
     */
    public VmxUnit vmx() {
        return processors.get(0).vmx();
    }
}
