package org.vmxsim.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.vmxsim.lab.Lab;
import org.vmxsim.lab.ReplayRequest;
import org.vmxsim.lab.report.ReportFolder;
import org.vmxsim.lab.report.RunReport;
import org.vmxsim.lab.report.TextReport;
import org.vmxsim.lab.scenario.EptPageSize;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vmxsim replay}: a memory trace through the same structures. */
@Command(
        name = "replay",
        mixinStandardHelpOptions = true,
        description = {
            "Replays a memory trace in a guest with page tables of its own, through TLBs, page walks and caches.",
            "The trace is lackey text or compact binary, plain or compressed by gzip or xz."
        })
final class ReplayCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "TRACE", description = "the trace, or builtin:wc")
    private String trace;

    @Option(
            names = "--cpu",
            paramLabel = "MODEL",
            defaultValue = "icelake-sp",
            description = "CPU model, default ${DEFAULT-VALUE}")
    private String cpu;

    @Option(
            names = "--timing",
            paramLabel = "PRESET",
            defaultValue = "",
            description = "timing preset, default the CPU model's")
    private String timing;

    @Option(
            names = "--ept",
            paramLabel = "4K|2M|1G",
            defaultValue = "4K",
            converter = Words.OfPageSize.class,
            description = "largest EPT page, default ${DEFAULT-VALUE}")
    private EptPageSize eptPageSize;

    @Option(
            names = "--guest-pages",
            paramLabel = "4K|2M",
            defaultValue = "4K",
            converter = Words.OfPageSize.class,
            description = "page size of the guest's own tables, default ${DEFAULT-VALUE}")
    private EptPageSize guestPageSize;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "DIR",
            defaultValue = "vmxsim-out/replay",
            description = "where the report goes")
    private Path output;

    @Option(
            names = {"-q", "--quiet"},
            description = "no progress line, no table")
    private boolean quiet;

    @Override
    public Integer call() {
        ReportFolder.prepare(output);
        try (Interrupt interrupt = new Interrupt()) {
            return replay(new Progress(null, quiet, interrupt::wished));
        }
    }

    private int replay(Progress progress) {
        RunReport report;
        try {
            report = Lab.replay(new ReplayRequest(trace, cpu, timing, eptPageSize, guestPageSize), progress);
        } finally {
            progress.end();
        }
        ReportFolder.write(report, output);
        if (!quiet) {
            System.out.print(TextReport.table(report));
            System.out.println("report: " + output.resolve("report.html"));
        }
        return Words.status(report.end());
    }
}
