package org.vmxsim.core.time;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.cache.AccessCounts;

class CycleModelTest {
    /** Skylake-SP's numbers, typed: L1D 4, L2 14, L3 70, DRAM 243, STLB +9, walk start 12, exit 700, entry 500. */
    @Test
    void everyEventCostsWhatThePresetSays() {
        CycleModel model = new CycleModel(TimingPreset.named("skylake-sp"));
        model.instruction(0x1000, 4);
        assertThat(model.cycles())
                .as("one cycle and a line from DRAM instead of L1I")
                .isEqualTo(1 + 243 - 5);
        long before = model.cycles();
        model.instruction(0x1004, 4);
        assertThat(model.cycles() - before).as("same line").isEqualTo(1);
        before = model.cycles();
        model.load(0x8000, 8);
        assertThat(model.cycles() - before).as("cold load").isEqualTo(242);
        before = model.cycles();
        model.store(0x8008, 8);
        assertThat(model.cycles() - before).as("L1D hit").isEqualTo(3);
        before = model.cycles();
        model.load(0x803c, 8);
        assertThat(model.cycles() - before).as("crosses into a cold line").isEqualTo(3 + 242);
        before = model.cycles();
        model.secondTlbHit();
        assertThat(model.cycles() - before).isEqualTo(9);
        before = model.cycles();
        model.walkBegin();
        model.walkReference(TableMemory.GUEST, 0x8000, false);
        model.walkReference(TableMemory.EPT, 0x8040, true);
        model.walkReference(TableMemory.SPPT, 0x2_0000, false);
        model.walkEnd();
        assertThat(model.cycles() - before).isEqualTo(12 + 4 + 4 + 243);
        before = model.cycles();
        model.exit(48);
        model.hypervisorWork(1000);
        model.vmcsAccess();
        model.entry();
        assertThat(model.cycles() - before).isEqualTo(700 + 1000 + 30 + 500);
    }

    @Test
    void countsSayWhatHappened() {
        CycleModel model = new CycleModel(TimingPreset.named("golden-cove"));
        model.instruction(0, 1);
        CycleCounts before = model.counts();
        model.instruction(1, 1);
        model.load(0x100, 4);
        model.walkBegin();
        model.walkReference(TableMemory.GUEST, 0x200, false);
        model.walkReference(TableMemory.EPT, 0x200, false);
        model.walkEnd();
        model.exit(12);
        model.entry();
        model.exit(66);
        model.hypervisorWork(5);
        CycleCounts phase = model.counts().minus(before);
        assertThat(phase.instructions()).isEqualTo(1);
        assertThat(phase.loads()).isEqualTo(1);
        assertThat(phase.stores()).isZero();
        assertThat(phase.walkLengths().get(2)).isEqualTo(1);
        assertThat(phase.walks()).isEqualTo(1);
        assertThat(phase.exits().get(12)).isEqualTo(1);
        assertThat(phase.exitCycles().get(12)).isEqualTo(1200);
        assertThat(phase.exitCycles().get(66)).isEqualTo(705);
        assertThat(phase.byCause()).containsEntry(CycleCause.EPT_WALK, 5L).containsEntry(CycleCause.HYPERVISOR, 5L);
        assertThat(phase.structures().get("L1D")).isEqualTo(new AccessCounts(1, 2, 0, 0));
        assertThat(phase.dramReads()).isEqualTo(2);
    }

    /** The causes add up to the clock, whatever happens in whatever order. */
    @Test
    void causesAddUp() {
        Random random = new Random(7);
        for (String name : TimingPreset.names()) {
            CycleModel model = new CycleModel(TimingPreset.named(name));
            for (int i = 0; i < 20_000; i++) {
                long hpa = random.nextInt(1 << 26);
                switch (random.nextInt(12)) {
                    case 0 -> model.load(hpa & ~7, 8);
                    case 1 -> model.store(hpa & ~7, 8);
                    case 2 -> model.walkBegin();
                    case 3 -> model.walkReference(random.nextInt(3), hpa, random.nextBoolean());
                    case 4 -> model.walkEnd();
                    case 5 -> model.exit(random.nextInt(200) - 50);
                    case 6 -> model.entry();
                    case 7 -> model.vmcsAccess();
                    case 8 -> model.invept();
                    case 9 -> model.hypervisorReference(hpa, random.nextBoolean());
                    case 10 -> model.idleUntil(model.cycles() + random.nextInt(50) - 25);
                    default -> model.instruction(hpa, 1 + random.nextInt(15));
                }
            }
            CycleCounts counts = model.counts();
            long sum = counts.byCause().values().stream()
                    .mapToLong(Long::longValue)
                    .sum();
            assertThat(sum).as(name).isEqualTo(counts.cycles()).isPositive();
            assertThat(counts.byCause()).containsEntry(CycleCause.BASE, counts.instructions());
        }
    }

    @Test
    void theIdealPresetChargesInstructionsAndWalkReferencesOnly() {
        CycleModel model = new CycleModel(TimingPreset.named("ideal"));
        for (int i = 0; i < 100; i++) {
            model.instruction(i * 4096L, 4);
            model.load(i * 8192L, 8);
            model.exit(48);
            model.entry();
        }
        assertThat(model.cycles()).isEqualTo(100);
        model.walkReference(TableMemory.EPT, 0, false);
        assertThat(model.cycles()).isEqualTo(101);
    }

    @Test
    void theTimeStampTicksByTheRatio() {
        CycleModel model = new CycleModel(TimingPreset.named("golden-cove"));
        model.idleUntil(3085);
        assertThat(model.timeStamp()).isEqualTo(2300);
        model.idleUntil(3085L * 1_000_000_000_000L + 1);
        assertThat(model.timeStamp()).isEqualTo(2300L * 1_000_000_000_000L);
        for (long stamp : new long[] {0, 1, 2299, 2300, 2301, 1L << 50}) {
            CycleModel fresh = new CycleModel(TimingPreset.named("golden-cove"));
            long at = fresh.cyclesAt(stamp);
            fresh.idleUntil(at - 1);
            assertThat(stamp == 0 || fresh.timeStamp() < stamp).isTrue();
            fresh.idleUntil(at);
            assertThat(fresh.timeStamp()).isGreaterThanOrEqualTo(stamp);
        }
    }

    @Test
    void everyNumberHasASource() {
        for (String name : TimingPreset.names()) {
            TimingPreset preset = TimingPreset.named(name);
            assertThat(preset.parameters())
                    .hasSameSizeAs(TimingPreset.named("ideal").parameters());
            assertThat(preset.parameters())
                    .allSatisfy(parameter -> assertThat(parameter.source()).isNotBlank());
        }
    }

    @Test
    void aVariantSaysThatItIsOne() {
        TimingPreset preset = TimingPreset.named("skylake-sp");
        TimingPreset variant = preset.with("stlb.entries", "768");
        assertThat(variant.translationGeometry().second().entries()).isEqualTo(768);
        assertThat(variant.parameters()).contains(new Parameter("stlb.entries", "768", "override"));
        assertThat(preset.number("stlb.entries")).isEqualTo(1536);
    }

    @Test
    void badPresetsAreRefusedWithTheLine() {
        assertThatThrownBy(() -> TimingPreset.parse("mine", "# x\nl1d.ways 8 | me"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("mine:2: need");
        assertThatThrownBy(() -> TimingPreset.parse("mine", "a = 1 | me\na = 2 | me"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("mine:2: need each name once");
        assertThatThrownBy(() -> TimingPreset.parse("mine", ""))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("need a value for");
        TimingPreset preset = TimingPreset.named("skylake-sp");
        assertThatThrownBy(() -> preset.with("l2.ways", "many")).hasMessageContaining("need a number for l2.ways");
        assertThatThrownBy(() -> preset.with("l2.ways", "7")).hasMessageContaining("power of two of sets");
        assertThatThrownBy(() -> preset.with("l2.way", "8")).hasMessageContaining("l2.way");
        assertThatThrownBy(() -> preset.with("l3.policy", "both")).hasMessageContaining("inclusive or victim");
        assertThatThrownBy(() -> TimingPreset.named("pentium")).hasMessageContaining("skylake-sp");
    }
}
