package org.vmxsim.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.lab.report.RunReport;
import org.vmxsim.lab.scenario.Fidelity;
import org.vmxsim.lab.scenario.Scenario;
import org.vmxsim.lab.scenario.ScenarioFile;
import org.vmxsim.lab.scenario.SppPlan;
import org.vmxsim.mmu.spp.SppProfile;

/**
 * The scenarios about the cost of guards, run small: each kind of guard catches an overrun, and none changes results.
 */
class GuardsTest {
    private static final int EPT_VIOLATION = 48;
    private static final int SPP_EVENT = 66;

    private final StringBuilder console = new StringBuilder();
    private final RunListener listener = new RunListener() {
        @Override
        public void console(int octet) {
            console.append((char) octet);
        }
    };

    private RunReport run(String scenario, String arguments) {
        console.setLength(0);
        return Lab.run(
                ScenarioFile.embedded(scenario)
                        .withFidelity(Fidelity.FUNCTIONAL)
                        .withArguments(arguments),
                listener);
    }

    private String said(String expression) {
        Matcher found = Pattern.compile(expression).matcher(console);
        assertThat(found.find()).as("console %s", console).isTrue();
        return found.group(1);
    }

    private static RunReport.Region region(RunReport report, int marker) {
        return report.regions().stream()
                .filter(region -> region.marker() == marker)
                .findFirst()
                .orElseThrow();
    }

    private static long exits(RunReport.Region region, int reason) {
        return region.exits().stream()
                .filter(exit -> exit.number() == reason)
                .mapToLong(RunReport.ExitCount::count)
                .sum();
    }

    @ParameterizedTest
    @ValueSource(strings = {"guanary-spp", "guanary-emulation"})
    void aClosedSubPageCatchesAnOverrunOfOneByte(String scenario) {
        RunReport report = run(scenario, "buffers=200 layout=subpage requests=400 bug=5:0");

        assertThat(report.end().exitCode()).isZero();
        assertThat(console).contains("VERDICT buffers intact buffers=200");
        assertThat(report.denied()).hasSize(1);
        assertThat(report.denied().get(0).data()).isEqualTo("buffer:0005+0x80");
        assertThat(Long.toHexString(report.denied().get(0).gpa())).isEqualTo(said("store_at=0x([0-9a-f]+)"));
    }

    @Test
    void emulationExitsAtEachWriteAndNeverAsksTheProcessor() {
        String arguments = "buffers=200 layout=subpage requests=400";
        long landed = landed(run("guanary-spp", arguments));
        RunReport report = run("guanary-emulation", arguments);
        long sets = Long.parseLong(said("set=(\\d+)"));

        // 16 or 32 stores of 8 bytes for each buffer written.
        assertThat(exits(region(report, 1), EPT_VIOLATION)).isBetween(16 * sets, 32 * sets);
        assertThat(report.exits()).noneMatch(exit -> exit.number() == SPP_EVENT);
        assertThat(report.memory().spptTableBytes()).as("the root alone").isEqualTo(4096);
        assertThat(landed(report)).isEqualTo(landed).isPositive();
    }

    private static long landed(RunReport report) {
        return report.protectedPages().stream()
                .flatMapToLong(page -> Arrays.stream(page.allowed()))
                .sum();
    }

    @Test
    void everyByteOfAGuardIsGuarded() {
        RunReport report = run("guanary-spp", "buffers=200 layout=subpage requests=400 bug=7:64:64");

        assertThat(report.denied()).hasSize(64);
        assertThat(console).contains("VERDICT buffers intact");
    }

    /** The same on QEMU: guests/kvserver/README.md. */
    @Test
    void aGuardPageCatchesAnOverrunOfOneByte() {
        RunReport report = run("guanary-pages", "buffers=200 layout=page requests=400 bug=5:0");

        assertThat(report.end().exitCode()).isZero();
        assertThat(report.denied()).isEmpty();
        assertThat(said("last_at=0x([0-9a-f]+)")).isEqualTo(said("store_at=0x([0-9a-f]+)"));
        assertThat(console).contains("CAUGHT faults=1", "VERDICT buffers intact buffers=200");
    }

    @Test
    void withoutGuardsTheNextBufferIsDamaged() {
        RunReport report = run("guanary-dense", "buffers=200 layout=dense requests=400 bug=5:0");

        assertThat(report.end().exitCode()).isEqualTo(1);
        assertThat(console).contains("VERDICT buffers damaged buffers=1");
    }

    @Test
    void guardsOfAllKindsLeaveTheResultsAlone() {
        run("guanary-dense", "buffers=300 layout=dense requests=2000");
        String check = said("check=(0x[0-9a-f]+)");
        // As the same image computes it on QEMU.
        assertThat(check).isEqualTo("0x34e4b9c7cc8158f5");

        for (String kind : new String[] {"spp subpage", "emulation subpage", "pages page"}) {
            String[] words = kind.split(" ");
            run("guanary-" + words[0], "buffers=300 layout=" + words[1] + " requests=2000");
            assertThat(said("check=(0x[0-9a-f]+)")).isEqualTo(check);
        }
    }

    @Test
    void subPagesNeedTheMemoryOfTheirGuardsAndPagesThatOfAPageEach() {
        run("guanary-spp", "buffers=1000 layout=subpage requests=1");
        long subPages = Long.parseLong(said("memory=(\\d+)"));
        run("guanary-pages", "buffers=1000 layout=page requests=1");

        // One buffer in four has 128 bytes, the others 256; each has a guard of 128.
        assertThat(subPages).isEqualTo((250 * 256 + 750 * 384 + 4095) / 4096 * 4096);
        assertThat(Long.parseLong(said("memory=(\\d+)"))).isEqualTo(1000 * 4096);
        assertThat(Long.parseLong(said("area=(\\d+)"))).isEqualTo(2 * 1000 * 4096);
    }

    @Test
    void allowedWritesExitOnceAndThenNeverAgain() {
        RunReport report = run("guanary-spp", "buffers=2000 layout=subpage requests=4000");
        RunReport.Region requests = region(report, 1);

        assertThat(exits(requests, SPP_EVENT)).isEqualTo(1);
        assertThat(exits(requests, EPT_VIOLATION)).isLessThanOrEqualTo(1);
        assertThat(report.memory().spptTableBytes()).isEqualTo(4 * 4096);
        assertThat(report.memory().bitmapBytes()).isEqualTo(512 * 4);
    }

    @Test
    void operationsCostWhatTheirExitsSay() {
        RunReport report = run("spp-costs", "costs=64");

        assertThat(console).contains("COSTS pages=64 failures=0 landed=0");
        assertThat(report.denied()).hasSize(64);
        assertThat(exits(region(report, 16), EPT_VIOLATION)).as("first touch").isEqualTo(64);
        assertThat(region(report, 17).exits()).as("the marker itself").hasSize(1);
        assertThat(exits(region(report, 18), 18)).as("hypercalls").isEqualTo(64);
        assertThat(exits(region(report, 19), SPP_EVENT))
                .as("one fill for the region")
                .isEqualTo(1);
        assertThat(region(report, 20).exits()).as("allowed writes").hasSize(1);
        assertThat(exits(region(report, 21), EPT_VIOLATION)).as("denied").isEqualTo(64);
        assertThat(exits(region(report, 24), SPP_EVENT)).as("vectors are there").isZero();
        assertThat(region(report, 26).exits()).hasSize(1);
    }

    @ParameterizedTest
    @EnumSource(SppProfile.class)
    void everyProfileDeniesAndAllowsTheSameWrites(SppProfile profile) {
        Scenario scenario = ScenarioFile.embedded("spp-costs")
                .withFidelity(Fidelity.FUNCTIONAL)
                .withArguments("costs=64");
        RunReport report = Lab.run(scenario.withSpp(scenario.spp().withProfile(profile)), listener);

        assertThat(console).contains("COSTS pages=64 failures=0 landed=0");
        assertThat(report.denied()).hasSize(64);
        assertThat(report.denied().get(0).data()).isEqualTo("kv_heap+0x80");
    }

    @Test
    void permissionsThatMayNotBeCachedAreReadAtEachWrite() {
        Scenario cached = ScenarioFile.embedded("spp-costs").withArguments("costs=64");
        SppPlan spp = cached.spp();
        Scenario not = cached.withSpp(
                new SppPlan(true, true, spp.ranges(), spp.onDenied(), spp.profile(), spp.enforcedBy(), false));

        RunReport.Region with = region(Lab.run(cached, listener), 20);
        RunReport.Region without = region(Lab.run(not, listener), 20);

        assertThat(without.instructions()).isEqualTo(with.instructions());
        assertThat(without.cycles()).isGreaterThan(with.cycles());
    }

    @Test
    void everyEmbeddedScenarioIsThere() {
        for (String name : ScenarioFile.embeddedNames()) {
            assertThat(ScenarioFile.named("builtin:" + name).name()).isEqualTo(name);
        }
    }
}
