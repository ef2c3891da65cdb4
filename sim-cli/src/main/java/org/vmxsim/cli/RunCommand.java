package org.vmxsim.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.vmxsim.lab.Lab;
import org.vmxsim.lab.report.ReportFolder;
import org.vmxsim.lab.report.RunReport;
import org.vmxsim.lab.report.TextReport;
import org.vmxsim.lab.scenario.EptPageSize;
import org.vmxsim.lab.scenario.OnDenied;
import org.vmxsim.lab.scenario.Scenario;
import org.vmxsim.lab.scenario.SppPlan;
import org.vmxsim.mmu.spp.SppProfile;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vmxsim run}: a scenario in a virtual machine, and its report. */
@Command(
        name = "run",
        mixinStandardHelpOptions = true,
        description = {
            "Runs a guest in a virtual machine with EPT and sub-page protection, and writes a report.",
            "Exit status: the guest's exit code (low 7 bits); 120 stopped at a denied write; 124 instruction limit"
                    + " reached; 125 bad input; 130 interrupted."
        })
final class RunCommand implements Callable<Integer> {
    @Mixin
    private ScenarioOptions chosen = new ScenarioOptions();

    @Option(names = "--cpu", paramLabel = "MODEL", description = "CPU model")
    private String cpu;

    @Option(names = "--timing", paramLabel = "PRESET", description = "timing preset")
    private String timing;

    @Option(
            names = "--ept",
            paramLabel = "4K|2M|1G",
            description = "largest EPT page",
            converter = Words.OfPageSize.class)
    private EptPageSize pageSize;

    @Option(
            names = "--spp-profile",
            paramLabel = "PROFILE",
            description = "${COMPLETION-CANDIDATES}: which posting of KVM's series the hypervisor has")
    private SppProfile profile;

    @Option(names = "--on-denied", description = "${COMPLETION-CANDIDATES}: what happens to a denied store")
    private OnDenied onDenied;

    @Option(names = "--no-spp", description = "without sub-page protection")
    private boolean withoutSpp;

    @Option(names = "--instructions", paramLabel = "N", description = "ends after N retired instructions")
    private Long instructions;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "DIR",
            description = "where the report goes; default vmxsim-out/NAME")
    private Path output;

    @Option(
            names = {"-q", "--quiet"},
            description = "no console, no progress line, no table")
    private boolean quiet;

    @Override
    public Integer call() {
        Scenario scenario = changed(chosen.scenario());
        Path folder = output != null ? output : Path.of("vmxsim-out", safe(scenario.name()));
        ReportFolder.prepare(folder);
        try (Interrupt interrupt = new Interrupt()) {
            return run(scenario, folder, new Progress(quiet ? null : System.out, quiet, interrupt::wished));
        }
    }

    private int run(Scenario scenario, Path folder, Progress progress) {
        RunReport report;
        try {
            report = Lab.run(scenario, progress);
        } finally {
            progress.end();
        }
        ReportFolder.write(report, folder);
        if (!quiet) {
            System.out.print(TextReport.table(report));
            System.out.println("report: " + folder.resolve("report.html"));
        }
        return Words.status(report.end());
    }

    private Scenario changed(Scenario scenario) {
        Scenario result = scenario.withCpu(
                cpu != null ? cpu : scenario.cpu(), timing != null ? timing : cpu != null ? "" : scenario.timing());
        if (pageSize != null) {
            result = result.withEptPageSize(pageSize);
        }
        if (instructions != null) {
            result = result.withMaxInstructions(instructions);
        }
        return result.withSpp(withoutSpp ? SppPlan.OFF : changed(result.spp()));
    }

    private SppPlan changed(SppPlan plan) {
        SppPlan result = onDenied == null ? plan : plan.withOnDenied(onDenied);
        return profile == null ? result : result.withProfile(profile);
    }

    private static String safe(String name) {
        String safe = name.replaceAll("[^A-Za-z0-9._-]", "_");
        return safe.isEmpty() || safe.startsWith(".") ? "_" + safe : safe;
    }
}
