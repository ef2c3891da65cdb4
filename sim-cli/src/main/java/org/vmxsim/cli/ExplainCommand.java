package org.vmxsim.cli;

import java.util.concurrent.Callable;
import org.vmxsim.lab.Lab;
import org.vmxsim.lab.explain.Question;
import org.vmxsim.lab.scenario.Scenario;
import org.vmxsim.lab.scenario.ScenarioFile;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vmxsim explain}: one translation, step by step. */
@Command(
        name = "explain",
        mixinStandardHelpOptions = true,
        description =
                "Runs a scenario up to a point and explains the translation of one linear address: every reference to"
                        + " guest tables, EPT and SPPT with its entry, meaning, place and cycles, and the verdict.")
final class ExplainCommand implements Callable<Integer> {
    /** What is done at the address. */
    static final class Access {
        @Option(names = "--read", description = "a load (the default)")
        private boolean read;

        @Option(names = "--write", description = "a store")
        private boolean write;

        @Option(names = "--fetch", description = "an instruction fetch")
        private boolean fetch;
    }

    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "SCENARIO",
            description = "a YAML file or builtin:NAME; default builtin:kvserver")
    private String scenarioName;

    @Option(
            names = "--gva",
            required = true,
            paramLabel = "ADDR",
            converter = Words.OfAddress.class,
            description = "guest-virtual address")
    private long gva;

    @ArgGroup
    private Access access = new Access();

    @Option(names = "--size", paramLabel = "N", defaultValue = "8", description = "bytes, default ${DEFAULT-VALUE}")
    private int sizeBytes;

    @Option(names = "--user", description = "at privilege level 3")
    private boolean user;

    @Option(
            names = "--after",
            paramLabel = "N",
            defaultValue = "0",
            description = "after N retired instructions; default: at the guest's begin marker")
    private long afterInstructions;

    @Option(
            names = "--warm",
            description =
                    "with TLBs and caches as the run left them; default: empty, and every level of the tables is read")
    private boolean warm;

    @Override
    public Integer call() {
        Scenario scenario = scenarioName == null ? Scenario.defaults() : ScenarioFile.named(scenarioName);
        Question.Kind kind =
                access.write ? Question.Kind.WRITE : access.fetch ? Question.Kind.FETCH : Question.Kind.READ;
        System.out.print(Lab.explain(scenario, new Question(gva, kind, sizeBytes, user, afterInstructions, warm)));
        return 0;
    }
}
