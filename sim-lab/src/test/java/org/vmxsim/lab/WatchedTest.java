package org.vmxsim.lab;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmxsim.core.boot.ElfSymbol;
import org.vmxsim.core.boot.MultibootImage;
import org.vmxsim.core.boot.SymbolTable;
import org.vmxsim.lab.report.RunReport;
import org.vmxsim.lab.scenario.EptPageSize;
import org.vmxsim.lab.scenario.Fidelity;
import org.vmxsim.lab.scenario.Scenario;
import org.vmxsim.lab.scenario.ScenarioFile;
import org.vmxsim.mmu.guest.VmMemory;
import org.vmxsim.mmu.view.ViewAccess;
import org.vmxsim.mmu.view.ViewAccessHandler;

/**
 * The guest for introspectors, without one. Results are those that QEMU 7.2 prints for the same image and words, as
 * guests/watched/README.md says.
 */
class WatchedTest {
    private static final int CPUID = 10;
    private static final int VMCALL = 18;
    private static final int MARKER_BEGIN = 1;

    private final StringBuilder console = new StringBuilder();
    private final RunListener listener = new RunListener() {
        @Override
        public void console(int octet) {
            console.append((char) octet);
        }
    };

    private static Scenario small(String arguments) {
        return ScenarioFile.embedded("watched").withArguments(arguments);
    }

    @ParameterizedTest
    @EnumSource(Fidelity.class)
    void everyFidelityPrintsWhatQemuPrints(Fidelity fidelity) {
        RunReport report = Lab.run(small("rounds=60 spin=100").withFidelity(fidelity), listener);

        assertThat(report.end().exitCode()).isZero();
        assertThat(console.toString().strip())
                .isEqualTo("watched: rounds=60 cr3=60 msr=180 bp=60 writes=1380 reads=1380 calls=60 cr0=60 cr4=60"
                        + " descriptors=480 cpuid=60 xsetbv=0 hypercalls=60 result=0x72655f1033120d7f");
    }

    @ParameterizedTest
    @CsvSource({"1, 7, 0xc948aeb7dd58b0b8", "0, 1000, 0x0", "3000, 1000, 0xd9fec11542f6de53"})
    void theResultFollowsFromTheArguments(int rounds, int spin, String result) {
        Lab.run(small("rounds=" + rounds + " spin=" + spin), listener);

        assertThat(console.toString().strip())
                .startsWith("watched: rounds=" + rounds + " ")
                .endsWith(" result=" + result);
    }

    @ParameterizedTest
    @EnumSource(EptPageSize.class)
    void theGuestDoesNotNoticeThePageSizeOfEpt(EptPageSize size) {
        Lab.run(small("rounds=60 spin=100").withEptPageSize(size), listener);

        assertThat(console).contains(" result=0x72655f1033120d7f");
    }

    /** What a tool changes in the first half must not be forgotten in the second. */
    @Test
    void oneBitInTheMiddleChangesTheResult() {
        VirtualRun run = new VirtualRun(small("rounds=60 spin=100"), listener);
        long breakpoint = run.guest().symbols.find("breakpoint").orElseThrow().address();
        // There it is in memory, not in a register.
        for (long at = 100_000; run.guest().vcpu.rip() != breakpoint; at++) {
            run.runTo(at);
        }
        VmMemory memory = run.guest().vm.memory();
        long result = run.guest().symbols.find("result").orElseThrow().address();
        memory.load(result, new byte[] {(byte) (memory.read(result, 1)[0] ^ 1)});
        run.run();

        assertThat(console).contains("watched: rounds=60 ").doesNotContain(" result=0x72655f1033120d7f");
    }

    /** With accessed and dirty flags, the processor would write to the protected tables with each walk. */
    @Test
    void whereAToolCanComeWalksOnlyRead() {
        VirtualRun run = VirtualRun.introspected(small("rounds=60 spin=100"), listener);
        Guest guest = run.guest();
        long tables = guest.symbols.find("tables").orElseThrow().address() >>> 12;
        for (int i = 0; i < 10; i++) {
            assertThat(guest.vm.views().access(0, tables + i, 5).isOk()).isTrue();
        }
        int[] bySource = new int[ViewAccess.Source.values().length];
        guest.vm.views().onDenied(access -> {
            bySource[access.source().ordinal()]++;
            return ViewAccessHandler.Answer.CONTINUE;
        });
        run.run();

        assertThat(console).contains(" result=0x72655f1033120d7f");
        assertThat(bySource[ViewAccess.Source.INSTRUCTION.ordinal()]).isGreaterThanOrEqualTo(60);
        assertThat(bySource[ViewAccess.Source.PAGING_STRUCTURE.ordinal()]).isZero();
    }

    /** What the tool's exits are to be told apart from: alone, only these two instructions exit in each round. */
    @Test
    void aloneItExitsForCpuidAndHypercallsOnly() {
        RunReport report = Lab.run(small("rounds=60 spin=100"), listener);

        RunReport.Region rounds = report.regions().stream()
                .filter(region -> region.marker() == MARKER_BEGIN)
                .findFirst()
                .orElseThrow();
        assertThat(exits(rounds, CPUID)).isEqualTo(60 + 1);
        assertThat(exits(rounds, VMCALL)).isEqualTo(60);
        long others =
                rounds.exits().stream().mapToLong(RunReport.ExitCount::count).sum() - 61 - 60;
        assertThat(others)
                .as("exits of the run loop itself: %s", rounds.exits())
                .isLessThan(10);
    }

    private static long exits(RunReport.Region region, int reason) {
        return region.exits().stream()
                .filter(exit -> exit.number() == reason)
                .mapToLong(RunReport.ExitCount::count)
                .sum();
    }

    @ParameterizedTest
    @CsvSource({"tables, 10", "behind, 15", "hooked, 4", "sub_pages, 1"})
    void whatAToolWatchesHasPagesOfItsOwn(String name, int pages) {
        SymbolTable symbols =
                MultibootImage.parse(small("rounds=1").guest().read()).symbols();
        ElfSymbol symbol = symbols.find(name).orElseThrow();

        assertThat(symbol.address() % 4096).isZero();
        assertThat(symbol.sizeBytes()).isEqualTo(pages * 4096L);
        assertThat(symbols.find("called").orElseThrow().address() % 4096).isZero();
    }

    @ParameterizedTest
    @CsvSource({"rounds=x, BAD ARGUMENT x", "rounds=1 pages=2, BAD ARGUMENT pages=2"})
    void aWordThatItDoesNotKnowIsRefused(String arguments, String message) {
        RunReport report = Lab.run(small(arguments), listener);

        assertThat(report.end().exitCode()).isEqualTo(2);
        assertThat(console).contains(message);
    }
}
