package org.vmxsim.cli;

import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.vmxsim.kvmi.WireFormat;
import org.vmxsim.kvmi.message.CommandKind;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.lab.IntrospectRequest;
import org.vmxsim.lab.Lab;
import org.vmxsim.lab.report.RunReport;
import org.vmxsim.lab.report.TextReport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vmxsim introspect}: a scenario under the eyes of a tool. */
@Command(
        name = "introspect",
        mixinStandardHelpOptions = true,
        description = {
            "Runs a guest that an introspection tool (KVMI: libkvmi, LibVMI) watches through a socket.",
            "The tool listens, the machine connects, and tries again each second until it is there. Exit status as"
                    + " of run."
        })
final class IntrospectCommand implements Callable<Integer> {
    private static final String UNIX = "unix:";
    /** A year. */
    private static final long MOST_SECONDS = 31_536_000;

    @Mixin
    private ScenarioOptions chosen = new ScenarioOptions();

    @Option(names = "--kvmi", required = true, paramLabel = "unix:PATH", description = "where the tool listens")
    private String address;

    @Option(
            names = "--codec",
            paramLabel = "FORMAT",
            defaultValue = "branch-v7",
            converter = Words.OfWireFormat.class,
            description = "branch-v7 (libkvmi, LibVMI; the default), v4, or strict-v4 (RFC v4 as its code is)")
    private WireFormat format;

    @Option(
            names = "--commands",
            split = ",",
            paramLabel = "NAME",
            description = "all that the tool may ask; default: everything. Names: ${COMPLETION-CANDIDATES}")
    private List<CommandKind> commands;

    @Option(
            names = "--events",
            split = ",",
            paramLabel = "NAME",
            description = "all that it may be told; default: everything. Names: ${COMPLETION-CANDIDATES}")
    private List<EventKind> events;

    @Option(
            names = "--uuid",
            converter = Words.OfUuid.class,
            description = "identity of the virtual machine; default: ${DEFAULT-VALUE}")
    private UUID uuid = new UUID(0x766d_7873_696d_4000L, 0x8000_0000_0000_0001L);

    @Option(names = "--secret", paramLabel = "WORD", description = "what the tool must know the SHA-1 of")
    private String secret = "";

    @Option(names = "--no-wait", description = "the guest begins without a tool")
    private boolean withoutWait;

    @Option(
            names = "--patience",
            paramLabel = "SECONDS",
            defaultValue = "60",
            description = "how long the guest waits for a tool that says nothing, and a tool may stay when the guest"
                    + " has ended; 0: for ever. Default ${DEFAULT-VALUE}")
    private long patienceSeconds;

    @Option(
            names = "--event-cycles",
            paramLabel = "N",
            defaultValue = "0",
            description = "cycle engine: what the tool needs for an event, default ${DEFAULT-VALUE}")
    private long eventCycles;

    @Option(names = "--log", paramLabel = "FILE", description = "what the hypervisor itself saw, line by line")
    private Path log;

    @Option(
            names = {"-q", "--quiet"},
            description = "no console, no progress line, no table")
    private boolean quiet;

    @Override
    public Integer call() {
        if (!address.startsWith(UNIX) || address.length() == UNIX.length()) {
            throw new IllegalArgumentException("need --kvmi unix:PATH, got " + address);
        }
        if (patienceSeconds < 0 || patienceSeconds > MOST_SECONDS) {
            throw new IllegalArgumentException(
                    "need --patience from 0 to " + MOST_SECONDS + " seconds, got " + patienceSeconds);
        }
        try (Interrupt interrupt = new Interrupt()) {
            Progress progress = new Progress(quiet ? null : System.out, quiet, interrupt::wished);
            RunReport report;
            try {
                report = Lab.introspect(request(), progress);
            } finally {
                progress.end();
            }
            if (!quiet) {
                System.out.print(TextReport.table(report));
            }
            return Words.status(report.end());
        }
    }

    private IntrospectRequest request() {
        Set<CommandKind> asked = commands == null ? EnumSet.allOf(CommandKind.class) : Set.copyOf(commands);
        Set<EventKind> told = events == null ? EnumSet.allOf(EventKind.class) : Set.copyOf(events);
        return new IntrospectRequest(
                chosen.scenario(),
                Path.of(address.substring(UNIX.length())),
                format,
                uuid,
                secret,
                asked,
                told,
                !withoutWait,
                patienceSeconds * 1_000,
                eventCycles,
                log);
    }
}
