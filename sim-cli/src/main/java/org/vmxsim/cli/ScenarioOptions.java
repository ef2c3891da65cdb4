package org.vmxsim.cli;

import java.util.ArrayList;
import java.util.List;
import org.vmxsim.lab.scenario.Fidelity;
import org.vmxsim.lab.scenario.Scenario;
import org.vmxsim.lab.scenario.ScenarioFile;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Which scenario runs, and what every command that runs one can change of it. */
final class ScenarioOptions {
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

    @Option(names = "--memory", paramLabel = "SIZE", converter = Words.OfSize.class, description = "guest RAM")
    private Long memoryBytes;

    /** The scenario with the changes. */
    Scenario scenario() {
        Scenario scenario = scenarioName == null ? Scenario.defaults() : ScenarioFile.named(scenarioName);
        if (!guestWords.isEmpty()) {
            scenario = scenario.withArguments(Words.merge(scenario.guest().arguments(), guestWords));
        }
        scenario = fidelity == null ? scenario : scenario.withFidelity(fidelity);
        return memoryBytes == null ? scenario : scenario.withMemory(memoryBytes);
    }
}
