package org.vmxsim.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.vmxsim.lab.Lab;
import org.vmxsim.lab.report.ReportFolder;
import org.vmxsim.lab.report.RunReport;
import org.vmxsim.lab.report.TextReport;
import org.vmxsim.lab.scenario.EptPageSize;
import org.vmxsim.lab.scenario.Fidelity;
import org.vmxsim.lab.scenario.OnDenied;
import org.vmxsim.lab.scenario.Scenario;
import org.vmxsim.lab.scenario.ScenarioFile;
import org.vmxsim.lab.scenario.SppPlan;
import org.vmxsim.mmu.spp.SppProfile;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

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
    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "SCENARIO",
            description = "A YAML file, or builtin:NAME (vmxsim list); without it builtin:kvserver runs.")
    private String scenarioName;

    @Option(
            names = {"-g", "--guest"},
            paramLabel = "KEY=VALUE",
            description = "A word of the guest's command line; replaces the word with the same key. Example:"
                    + " -g bug=config_blob:5")
    private List<String> guestWords = new ArrayList<>();

    @Option(
            names = "--fidelity",
            description = "functional, cycle or cycle-between-markers",
            converter = Words.OfFidelity.class)
    private Fidelity fidelity;

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

    @Option(names = "--memory", paramLabel = "SIZE", converter = Words.OfSize.class, description = "guest RAM")
    private Long memoryBytes;

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
        Scenario scenario = changed(scenarioName == null ? Scenario.defaults() : ScenarioFile.named(scenarioName));
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
        if (!guestWords.isEmpty()) {
            result = result.withArguments(Words.merge(result.guest().arguments(), guestWords));
        }
        if (fidelity != null) {
            result = result.withFidelity(fidelity);
        }
        if (pageSize != null) {
            result = result.withEptPageSize(pageSize);
        }
        if (instructions != null) {
            result = result.withMaxInstructions(instructions);
        }
        if (memoryBytes != null) {
            result = result.withMemory(memoryBytes);
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
