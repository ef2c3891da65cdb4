package org.vmxsim.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.vmxsim.core.boot.loader.ImageKind;
import org.vmxsim.core.time.TimingPreset;
import org.vmxsim.lab.BootRequest;
import org.vmxsim.lab.Lab;
import org.vmxsim.lab.gdb.GdbAddress;
import org.vmxsim.lab.report.RunReport;
import org.vmxsim.vmx.Engine;
import org.vmxsim.vmx.MachineConfig;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vmxsim boot}: an image on the bare machine. */
@Command(
        name = "boot",
        mixinStandardHelpOptions = true,
        description = {
            "Boots an image on the bare machine; COM1 is standard output.",
            "Kinds: Linux bzImage (64-bit entry), Multiboot 1, PVH, 64-bit ELF, boot sector.",
            "Exit status: the low 7 bits of the value written to port 0xf4; 0 halted for good or switched off;",
            "1 triple fault or reset; 124 time-out; 125 bad input; 130 interrupted."
        })
final class BootCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "IMAGE", description = "the image")
    private Path image;

    @Parameters(
            index = "1..*",
            paramLabel = "CMDLINE",
            description = "its command line; of a Multiboot image with the program's name first")
    private List<String> commandLine = new ArrayList<>();

    @Option(names = "--cycle", description = "the cycle engine")
    private boolean cycle;

    @Option(
            names = "--cpu",
            paramLabel = "MODEL",
            defaultValue = "max",
            description = "CPU model, default ${DEFAULT-VALUE}")
    private String cpu;

    @Option(
            names = "--timing",
            paramLabel = "PRESET",
            defaultValue = "",
            description = "timing preset, default the CPU model's")
    private String timing;

    @Option(
            names = "--memory",
            paramLabel = "SIZE",
            defaultValue = "512M",
            converter = Words.OfSize.class,
            description = "RAM, default ${DEFAULT-VALUE}")
    private long memoryBytes;

    @Option(
            names = "--cpus",
            paramLabel = "N",
            defaultValue = "1",
            description = "processors, 1 to 64, default ${DEFAULT-VALUE}")
    private int processors;

    @Option(
            names = "--loader",
            paramLabel = "KIND",
            description = "${COMPLETION-CANDIDATES}: the kind of image; default: what the file looks like")
    private ImageKind loader;

    @Option(
            names = "--raw-at",
            paramLabel = "ADDRESS",
            defaultValue = "0x7c00",
            converter = Words.OfAddress.class,
            description = "where a raw image goes and begins, default ${DEFAULT-VALUE}")
    private long rawAddress;

    @Option(
            names = "--raw-bits",
            paramLabel = "16|32|64",
            defaultValue = "16",
            description = "a raw image begins in real, protected or 64-bit mode, default ${DEFAULT-VALUE}")
    private int rawBits;

    @Option(
            names = "--platform",
            paramLabel = "NAME",
            defaultValue = "pc",
            description = {
                "devices around the processors: none, pc, or bios (a PC as its firmware leaves it:",
                "the timer ticks, real mode has vectors); default ${DEFAULT-VALUE}"
            })
    private MachineConfig.Platform platform;

    @Option(names = "--testdev", description = "the test device of kvm-unit-tests; not with --platform none")
    private boolean testDevice;

    @Option(
            names = "--quantum",
            paramLabel = "N",
            description = "instructions for which a processor runs before another one does, default 1000")
    private long quantum = MachineConfig.Turns.DEFAULT.quantum();

    @Option(names = "--seed", paramLabel = "N", description = "draws each turn's length, from 1 to the quantum")
    private Long seed;

    @Option(names = "--module", paramLabel = "FILE", description = "a module for the image; may be repeated")
    private List<Path> modules = new ArrayList<>();

    @Option(
            names = "--timeout",
            paramLabel = "S",
            defaultValue = "0",
            description = "ends after S seconds of host time, those of a debugger included; 0, the default: never")
    private double timeoutSeconds;

    @Option(
            names = {"-q", "--quiet"},
            description = "no progress line")
    private boolean quiet;

    @Option(names = "--stats", description = "says at the end what was executed, on standard error")
    private boolean stats;

    @Option(
            names = "--screen",
            description = "shows the text screen at 0xb8000: as it changes on a terminal, else at the end")
    private boolean screen;

    @Option(
            names = "--gdb",
            paramLabel = "[HOST:]PORT",
            description = "waits for GDB at a TCP port (of the loopback interface) or at unix:PATH")
    private String debugger;

    @Override
    public Integer call() {
        BootRequest request = request();
        Progress progress = new Progress(System.out, quiet || screen, () -> false, screen);
        RunReport report;
        try {
            report = Lab.boot(request, progress);
        } finally {
            progress.end();
        }
        boolean ended = report.end().how().equals("exit");
        if (stats || !ended) {
            System.err.println("vmxsim: " + report.end().detail());
        }
        if (stats) {
            System.err.print(org.vmxsim.lab.report.TextReport.table(report));
        }
        return Words.status(report.end());
    }

    private BootRequest request() {
        BootRequest request = BootRequest.of(image)
                .withModules(modules)
                .withMachine(machine())
                .withLoading(new BootRequest.Loading(Optional.ofNullable(loader), rawAddress, rawBits))
                .withTimeout(timeoutSeconds);
        if (debugger != null) {
            request = request.withDebugger(GdbAddress.parse(debugger));
        }
        return commandLine.isEmpty() ? request : request.withCommandLine(String.join(" ", commandLine));
    }

    private MachineConfig machine() {
        MachineConfig config = BootRequest.MACHINE
                .withCpu(cpu)
                .withEngine(cycle ? Engine.CYCLE : Engine.FUNCTIONAL)
                .withMemory(memoryBytes)
                .withPlatform(platform)
                .withTestDevice(testDevice)
                .withTurns(
                        new MachineConfig.Turns(quantum, seed == null ? OptionalLong.empty() : OptionalLong.of(seed)))
                .withProcessors(processors);
        return timing.isEmpty() ? config : config.withTiming(TimingPreset.named(timing));
    }
}
