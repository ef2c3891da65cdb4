package org.vmxsim.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmxsim.lab.explain.Explanation;
import org.vmxsim.lab.explain.Question;
import org.vmxsim.lab.report.ReportFolder;
import org.vmxsim.lab.report.RunReport;
import org.vmxsim.lab.scenario.EptPageSize;
import org.vmxsim.lab.scenario.Fidelity;
import org.vmxsim.lab.scenario.GuestImage;
import org.vmxsim.lab.scenario.OnDenied;
import org.vmxsim.lab.scenario.ProtectedRange;
import org.vmxsim.lab.scenario.Scenario;
import org.vmxsim.lab.scenario.SppPlan;

/** The main job: the guarded key-value server, run small. The full default run is the first command of the README. */
class LabTest {
    private static final SppPlan HYPERCALLS = Scenario.defaults().spp();

    private final StringBuilder console = new StringBuilder();
    private final RunListener listener = new RunListener() {
        @Override
        public void console(int octet) {
            console.append((char) octet);
        }
    };

    private static Scenario small(String bug) {
        return Scenario.defaults().withFidelity(Fidelity.FUNCTIONAL).withArguments("requests=600 seed=1 bug=" + bug);
    }

    @ParameterizedTest(name = "an overrun of {0} at {1} is caught at {2}")
    @CsvSource({
        "session_table, 0, 0x800",
        "session_table, 127, 0x87f",
        "config_blob, 5, 0x285",
        "index_block, 64, 0x1040",
        "audit_log, 0, 0x400",
        "request_ring, 1, 0x201"
    })
    void anOverrunIsCaughtAtTheExactStore(String object, int offset, String at) {
        RunReport report = Lab.run(small(object + ":" + offset), listener);

        assertThat(report.end().exitCode()).isZero();
        assertThat(console).contains("VERDICT heap intact");
        assertThat(report.denied()).hasSize(1);
        RunReport.DeniedWrite write = report.denied().get(0);
        assertThat(write.code()).startsWith("copy_value+0x");
        assertThat(write.data()).isEqualTo(object + "+" + at);
        assertThat(write.gpa()).isEqualTo(storeAddress());
    }

    /** The guest itself says where its bug stores. */
    private long storeAddress() {
        String text = console.toString();
        int at = text.indexOf("store_at=0x") + "store_at=0x".length();
        return Long.parseLong(text.substring(at, text.indexOf(' ', at)), 16);
    }

    @Test
    void withoutGuardsTheCorruptionReallyHappens() {
        RunReport report = Lab.run(small("session_table:0").withSpp(SppPlan.OFF), listener);

        assertThat(report.denied()).isEmpty();
        assertThat(report.end().exitCode()).isEqualTo(1);
        assertThat(console).contains("guards=", "CORRUPTION detected in config_blob at +0", "VERDICT heap corrupted");
    }

    /** Entered among zeros it adds to where no memory is: each instruction is done by the hypervisor, none retires. */
    @Test
    void aGuestThatOnlyExitsEndsAtTheLimitToo(@TempDir Path folder) throws Exception {
        byte[] image = Scenario.defaults().guest().read();
        image[25] = (byte) 0xff;
        Path file = Files.write(folder.resolve("zeros.elf"), image);
        Scenario zeros = Scenario.defaults();
        Scenario scenario = new Scenario(
                "zeros",
                zeros.cpu(),
                "",
                Fidelity.FUNCTIONAL,
                zeros.memoryBytes(),
                new GuestImage(file.toString(), ""),
                EptPageSize.SIZE_2M,
                SppPlan.OFF,
                1000);

        RunReport report = Lab.run(scenario, listener);

        assertThat(report.end().how()).isEqualTo("limit");
        assertThat(report.totals().instructions()).isLessThan(1000);
    }

    @Test
    void aDeniedWriteCanBeAllowed() {
        Scenario scenario = small("config_blob:3").withSpp(new SppPlan(true, true, List.of(), OnDenied.ALLOW));

        RunReport report = Lab.run(scenario, listener);

        assertThat(report.denied()).hasSize(1);
        assertThat(report.denied().get(0).action()).isEqualTo("allow");
        assertThat(report.end().how()).isEqualTo("exit");
    }

    @Test
    void aDeniedWriteCanEndTheRun() {
        Scenario scenario = small("config_blob:3").withSpp(new SppPlan(true, true, List.of(), OnDenied.STOP));

        RunReport report = Lab.run(scenario, listener);

        assertThat(report.end().how()).isEqualTo("stopped");
        assertThat(report.end().detail()).contains("copy_value+0x", "config_blob+0x283");
        assertThat(console).doesNotContain("VERDICT");
    }

    @Test
    void rangesCanBeProtectedBySymbolFromTheStart() {
        List<ProtectedRange> ranges = List.of(new ProtectedRange("kv_heap", 256, 128));
        Scenario scenario = small("none").withSpp(new SppPlan(true, false, ranges, OnDenied.STOP));

        RunReport report = Lab.run(scenario, listener);

        assertThat(report.end().how()).isEqualTo("stopped");
        assertThat(report.denied().get(0).gpa()).isBetween(0x400100L, 0x40017fL);
        assertThat(report.protectedPages()).hasSize(1);
        assertThat(report.protectedPages().get(0).writable()).isEqualTo(~(1 << 2));
    }

    @ParameterizedTest
    @EnumSource(EptPageSize.class)
    void theGuestDoesNotNoticeThePageSizeOfEpt(EptPageSize size) {
        RunReport report = Lab.run(small("index_block:9").withEptPageSize(size), listener);

        assertThat(report.denied()).hasSize(1);
        assertThat(console).contains("check=0x4eeee18b9aa2186d", "VERDICT heap intact");
    }

    @ParameterizedTest
    @EnumSource(Fidelity.class)
    void everyFidelityComputesTheSame(Fidelity fidelity) {
        RunReport report = Lab.run(small("session_table:0").withFidelity(fidelity), listener);

        assertThat(report.denied()).hasSize(1);
        assertThat(report.denied().get(0).data()).isEqualTo("session_table+0x800");
        assertThat(console).contains("check=0x4eeee18b9aa2186d", "VERDICT heap intact");
        assertThat(report.causes().stream().mapToLong(RunReport.Cause::cycles).sum())
                .isEqualTo(fidelity == Fidelity.FUNCTIONAL ? 0 : report.totals().cycles());
        long modelled = report.totals().modelledInstructions();
        switch (fidelity) {
            case FUNCTIONAL -> assertThat(modelled).isZero();
            case CYCLE -> assertThat(modelled).isEqualTo(report.totals().instructions());
            case CYCLE_BETWEEN_MARKERS ->
                assertThat(modelled).isBetween(500_000L, report.totals().instructions() - 100_000);
        }
    }

    @Test
    void theSameScenarioGivesTheSameFilesByteForByte(@TempDir Path folder) throws Exception {
        Scenario scenario = small("session_table:0").withFidelity(Fidelity.CYCLE);

        ReportFolder.write(Lab.run(scenario), folder.resolve("a"));
        ReportFolder.write(Lab.run(scenario), folder.resolve("b"));

        for (String file : List.of("stats.txt", "stats.json", "config.json", "report.html")) {
            assertThat(folder.resolve("a").resolve(file))
                    .hasSameBinaryContentAs(folder.resolve("b").resolve(file));
        }
    }

    @Test
    void whatTheMachineDoesNotHaveIsRefusedInOneSentence() {
        assertThatThrownBy(() -> Lab.run(small("none").withCpu("skylake-sp", "")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("sub-page protection on the CPU model skylake-sp");
        assertThatThrownBy(() -> Lab.run(small("none").withCpu("pentium", "")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("pentium");
        SppPlan plan = new SppPlan(true, true, List.of(new ProtectedRange("no_such", 0, 128)), OnDenied.SKIP);
        assertThatThrownBy(() -> Lab.run(small("none").withSpp(plan))).hasMessageContaining("no symbol 'no_such'");
        assertThat(HYPERCALLS.hypercalls()).isTrue();
    }

    @Test
    void aRunEndsAtItsLimit() {
        RunReport report = Lab.run(small("none").withMaxInstructions(50_000));

        assertThat(report.end().how()).isEqualTo("limit");
        assertThat(report.totals().instructions()).isEqualTo(50_000);
    }

    @Test
    void aTraceIsReplayedThroughTheSameStructures() {
        RunReport report = Lab.replay(
                new ReplayRequest("builtin:wc", "icelake-sp", "", EptPageSize.SIZE_4K, EptPageSize.SIZE_4K), listener);

        assertThat(report.end().how()).isEqualTo("finished");
        assertThat(report.totals().instructions()).isEqualTo(63_432);
        assertThat(report.causes().stream().mapToLong(RunReport.Cause::cycles).sum())
                .isEqualTo(report.totals().cycles());
        assertThat(report.exits()).anyMatch(exit -> exit.reason().equals("EPT violation"));
    }

    @Test
    void aTraceWithoutFetchesIsReplayedToo(@TempDir Path folder) throws Exception {
        Path trace =
                Files.writeString(folder.resolve("t"), " L 1000,8\n S 1ffc,8\n M 200000,4\n S ffff800000000000,4096\n");

        RunReport report = Lab.replay(
                new ReplayRequest(trace.toString(), "max", "ideal", EptPageSize.SIZE_2M, EptPageSize.SIZE_2M),
                listener);

        assertThat(report.end().how()).isEqualTo("finished");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        ''                  | need at least one reference
        ' L 800000000000,8' | need canonical addresses
        ' L 1000,8\\nrubbish'| t:2:
        """)
    void aBadTraceEndsInOneSentence(String text, String message, @TempDir Path folder) throws Exception {
        Path trace = Files.writeString(folder.resolve("t"), text.replace("\\n", "\n"));

        assertThatThrownBy(() -> Lab.replay(
                        new ReplayRequest(trace.toString(), "max", "", EptPageSize.SIZE_4K, EptPageSize.SIZE_4K),
                        listener))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }

    @Test
    void aWholeTwoDimensionalWalkIsExplained() {
        Scenario scenario = small("none").withEptPageSize(EptPageSize.SIZE_4K);

        Explanation read = Lab.explain(scenario, new Question(0x400080, Question.Kind.READ, 8, false, 0, false));
        Explanation write = Lab.explain(scenario, new Question(0x400080, Question.Kind.WRITE, 8, false, 0, false));
        Explanation guard = Lab.explain(scenario, new Question(0x400880, Question.Kind.WRITE, 8, false, 0, false));

        assertThat(read.references()).isEqualTo(24);
        assertThat(read.verdict()).startsWith("Allowed");
        assertThat(write.toString()).contains("SPPL4E", "SPPT vector", "VM exit (spp related event)");
        assertThat(write.verdict()).startsWith("Allowed");
        assertThat(guard.verdict()).startsWith("Denied by sub-page permissions: gpa 0x400880 lies in sub-page 17");
        assertThat(write.steps().stream().filter(step -> step.what().startsWith("SPP")))
                .hasSize(1 + 4); // the miss, then the whole walk
    }

    @Test
    void aFaultIsExplainedWithItsErrorCode() {
        Explanation absent =
                Lab.explain(small("none"), new Question(0x7000000000L, Question.Kind.WRITE, 8, false, 0, false));

        assertThat(absent.verdict()).isEqualTo("Fault: exception 14 with error code 0x2 goes to the guest.");
        assertThat(absent.steps().get(absent.steps().size() - 1).meaning()).isEqualTo("not present");
    }

    @Test
    void anImageBootsOnTheBareMachine(@TempDir Path folder) throws Exception {
        Path image = Files.write(
                folder.resolve("kv.elf"), Scenario.defaults().guest().read());
        BootRequest request = BootRequest.of(image)
                .withCommandLine("kv requests=600 bug=config_blob:0")
                .withMachine(BootRequest.MACHINE.withMemory(64 << 20));

        RunReport report = Lab.boot(request, listener);

        assertThat(console).contains("guards=absent", "CORRUPTION detected in index_block at +0");
        assertThat(report.end().exitCode()).isEqualTo(1);
        List<String> lines = new ArrayList<>(console.toString().lines().toList());
        assertThat(lines.get(0)).startsWith("BEGIN kvserver");
    }

    @Test
    void aFileThatIsNoImageIsRefused(@TempDir Path folder) throws Exception {
        Path file = Files.write(folder.resolve("text"), "hello".getBytes(StandardCharsets.UTF_8));

        assertThatThrownBy(() -> Lab.boot(BootRequest.of(file), listener))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("text: need a Multiboot 1 header");
    }

    @Test
    void aRunThatItsWatcherEndsStillHasItsReport() {
        RunListener impatient = new RunListener() {
            @Override
            public boolean stop() {
                return true;
            }
        };

        RunReport run = Lab.run(Scenario.defaults().withFidelity(Fidelity.FUNCTIONAL), impatient);
        RunReport replay = Lab.replay(
                new ReplayRequest("builtin:wc", "icelake-sp", "", EptPageSize.SIZE_4K, EptPageSize.SIZE_4K), impatient);

        assertThat(run.end().how()).isEqualTo("interrupted");
        assertThat(run.totals().instructions()).isLessThanOrEqualTo(200_000L);
        assertThat(replay.end().how()).isIn("interrupted", "finished");
    }
}
