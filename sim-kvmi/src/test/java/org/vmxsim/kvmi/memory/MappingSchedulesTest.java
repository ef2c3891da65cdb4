package org.vmxsim.kvmi.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vmxsim.kvmi.memory.MappingWorld.EALREADY;
import static org.vmxsim.kvmi.memory.MappingWorld.ENOENT;
import static org.vmxsim.kvmi.memory.MappingWorld.PAGE;
import static org.vmxsim.kvmi.memory.MappingWorld.read;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.vmxsim.kvmi.memory.MappingCall.Progress;
import org.vmxsim.mmu.Vm;

/**
 * All orders in which the steps of two or three calls can be made: one way is gone to its end, then the last choice
 * that has another way is taken differently, until there is none.
 */
class MappingSchedulesTest {
    /** The virtual machines of one run, and calls that are under way. */
    private static final class Run {
        final MappingWorld world;
        final Vm[] vms = new Vm[3];
        final List<MappingCall> calls = new ArrayList<>();
        boolean deadlocked;

        Run(Set<MappingQuirk> quirks) {
            world = new MappingWorld(quirks, MapTokenPolicy.V4);
            for (int i = 0; i < vms.length; i++) {
                vms[i] = world.vm(0x10 * (i + 1));
            }
        }

        void beginMap(int caller, long mapGpa, int target, long reqGpa) {
            calls.add(world.mappings.beginMap(vms[caller], world.token(vms[target]), reqGpa, mapGpa));
        }

        void beginUnmap(int caller, long mapGpa) {
            calls.add(world.mappings.beginUnmap(vms[caller], mapGpa));
        }

        int page(int vm, int page) {
            return read(vms[vm], page * PAGE);
        }

        String results() {
            StringBuilder results = new StringBuilder();
            for (MappingCall call : calls) {
                results.append(call.isDone() ? call.result() : "never").append(' ');
            }
            return results.toString().trim();
        }
    }

    /** How often each outcome was seen. */
    private static TreeMap<String, Integer> enumerate(
            Set<MappingQuirk> quirks, Consumer<Run> begin, Function<Run, String> outcome) {
        TreeMap<String, Integer> seen = new TreeMap<>();
        List<Integer> choices = new ArrayList<>();
        do {
            Run run = new Run(quirks);
            begin.accept(run);
            List<Integer> options = new ArrayList<>();
            follow(run, choices, options);
            seen.merge(outcome.apply(run), 1, Integer::sum);
            while (!choices.isEmpty() && choices.get(choices.size() - 1) + 1 == options.get(choices.size() - 1)) {
                choices.remove(choices.size() - 1);
            }
            if (!choices.isEmpty()) {
                choices.set(choices.size() - 1, choices.get(choices.size() - 1) + 1);
            }
        } while (!choices.isEmpty());
        return seen;
    }

    /** Takes the choices given, then the first one each time; notes how many there were. */
    private static void follow(Run run, List<Integer> choices, List<Integer> options) {
        for (int step = 0; ; step++) {
            List<MappingCall> able = new ArrayList<>();
            for (MappingCall call : run.calls) {
                if (!call.isDone()
                        && (call.waitsFor() == null || call.waitsForLock().owner() == null)) {
                    able.add(call);
                }
            }
            if (able.isEmpty()) {
                run.deadlocked = run.calls.stream().anyMatch(call -> !call.isDone());
                return;
            }
            if (step == choices.size()) {
                choices.add(0);
            }
            options.add(able.size());
            able.get(choices.get(step)).step();
        }
    }

    private static final Set<MappingQuirk> TARGET_FIRST = Set.of(MappingQuirk.TARGET_LOCKED_FIRST);

    private static void mapEachOther(Run run) {
        run.beginMap(0, PAGE, 1, 2 * PAGE);
        run.beginMap(1, PAGE, 0, 2 * PAGE);
    }

    @Test
    void twoThatMapEachOtherDeadlockInV4() {
        TreeMap<String, Integer> seen =
                enumerate(MappingQuirk.strictV4(), MappingSchedulesTest::mapEachOther, run -> run.results());
        assertThat(seen).containsOnlyKeys("0 0", "never never");
    }

    @Test
    void inOneOrderOfLocksTheyNeverDo() {
        TreeMap<String, Integer> seen = enumerate(
                Set.of(),
                MappingSchedulesTest::mapEachOther,
                run -> run.results() + " " + run.page(0, 1) + " " + run.page(1, 1));
        assertThat(seen).containsOnlyKeys("0 0 " + 0x22 + " " + 0x12);
        assertThat(seen.get(seen.firstKey())).isGreaterThan(20);
    }

    @Test
    void theDeadlockInAFixedScheduleNamesWhoWaitsForWhom() {
        Run run = new Run(MappingQuirk.strictV4());
        mapEachOther(run);
        MappingCall first = run.calls.get(0);
        MappingCall second = run.calls.get(1);
        for (int step = 0; step < 3; step++) { // token, addresses, lock of the target
            assertThat(first.step()).isEqualTo(Progress.STEPPED);
            assertThat(second.step()).isEqualTo(Progress.STEPPED);
        }
        assertThat(first.step()).isEqualTo(Progress.WAITS);
        assertThat(run.world.mappings.deadlock(first)).isNull();
        assertThat(second.step()).isEqualTo(Progress.WAITS);
        assertThat(first.waitsFor()).isSameAs(run.vms[0]);
        assertThat(second.waitsFor()).isSameAs(run.vms[1]);
        Deadlock deadlock = run.world.mappings.deadlock(first);
        assertThat(deadlock.calls()).containsExactly(first, second);
        assertThat(deadlock)
                .hasToString("map of gpa 0x2000 at gpa 0x1000 by address space 1 waits for mmap_sem of address space 1,"
                        + " held by map of gpa 0x2000 at gpa 0x1000 by address space 0; map of gpa 0x2000 at gpa 0x1000"
                        + " by address space 0 waits for mmap_sem of address space 0, held by map of gpa 0x2000 at gpa"
                        + " 0x1000 by address space 1");
        // a third that needs one of both waits behind them
        assertThat(run.world.map(run.vms[2], PAGE, run.vms[0], 3 * PAGE)).isEqualTo(RemoteMappings.NEVER_RETURNS);
        assertThat(run.vms[2].oops().cause()).contains("address space 0, held by");
    }

    @Test
    void unmapDeadlocksWithMapInV4AndNotByDefault() {
        for (Set<MappingQuirk> quirks : List.of(TARGET_FIRST, Set.<MappingQuirk>of())) {
            TreeMap<String, Integer> seen = enumerate(
                    quirks,
                    run -> {
                        assertThat(run.world.map(run.vms[0], PAGE, run.vms[1], 2 * PAGE))
                                .isZero();
                        run.beginUnmap(0, PAGE);
                        run.beginMap(1, PAGE, 0, 2 * PAGE);
                    },
                    Run::results);
            assertThat(seen.keySet()).isEqualTo(quirks.isEmpty() ? Set.of("0 0") : Set.of("0 0", "never never"));
        }
    }

    @Test
    void threeInACircle() {
        for (Set<MappingQuirk> quirks : List.of(TARGET_FIRST, Set.<MappingQuirk>of())) {
            TreeMap<String, Integer> seen = enumerate(
                    quirks,
                    run -> {
                        for (int i = 0; i < 3; i++) {
                            run.beginMap(i, PAGE, (i + 1) % 3, 2 * PAGE);
                            run.calls.get(i).step();
                            run.calls.get(i).step();
                        }
                    },
                    Run::results);
            assertThat(seen.keySet())
                    .isEqualTo(quirks.isEmpty() ? Set.of("0 0 0") : Set.of("0 0 0", "never never never"));
        }
    }

    @Test
    void mapAndUnmapOfOnePage() {
        TreeMap<String, Integer> seen = enumerate(
                Set.of(),
                run -> {
                    run.beginMap(0, PAGE, 1, 2 * PAGE);
                    run.beginUnmap(0, PAGE);
                },
                run -> run.results() + " " + run.page(0, 1));
        // unmapped behind the map, or asked before there was a mapping
        assertThat(seen).containsOnlyKeys("0 " + ENOENT + " " + 0x22, "0 0 " + 0x11);
    }

    @Test
    void inV4ThePageIsMappedBeforeItIsNoted() {
        Run run = new Run(MappingQuirk.strictV4());
        run.beginMap(0, PAGE, 1, 2 * PAGE);
        while (run.page(0, 1) != 0x22) {
            run.calls.get(0).step();
        }
        assertThat(run.world.mappings.unmap(run.vms[0], PAGE)).isEqualTo(ENOENT);
    }

    @Test
    void twoUnmapsOfOnePage() {
        TreeMap<String, Integer> seen = enumerate(
                Set.of(),
                run -> {
                    run.world.map(run.vms[0], PAGE, run.vms[1], 2 * PAGE);
                    run.beginUnmap(0, PAGE);
                    run.beginUnmap(0, PAGE);
                },
                run -> run.results() + " " + run.page(0, 1));
        assertThat(seen)
                .containsOnlyKeys(
                        "0 " + ENOENT + " " + 0x11,
                        "0 " + EALREADY + " " + 0x11,
                        ENOENT + " 0 " + 0x11,
                        EALREADY + " 0 " + 0x11);
    }

    @Test
    void twoMapsOfOnePageAndOneUnmap() {
        TreeMap<String, Integer> seen = enumerate(
                Set.of(),
                run -> {
                    run.beginMap(0, PAGE, 1, 2 * PAGE);
                    run.beginMap(0, PAGE, 2, 2 * PAGE);
                    run.beginUnmap(0, PAGE);
                    run.calls.forEach(call -> {
                        if (call instanceof MapCall) {
                            call.step();
                            call.step();
                        }
                    });
                },
                run -> run.results() + " " + run.page(0, 1));
        assertThat(seen)
                .containsOnlyKeys(
                        "0 " + EALREADY + " " + ENOENT + " " + 0x22,
                        EALREADY + " 0 " + ENOENT + " " + 0x32,
                        "0 " + EALREADY + " 0 " + 0x11,
                        EALREADY + " 0 0 " + 0x11,
                        "0 0 0 " + 0x22,
                        "0 0 0 " + 0x32);
    }

    @Test
    void aTargetThatDiesInBetween() {
        for (int steps = 0; steps < 8; steps++) {
            Run run = new Run(Set.of());
            run.beginMap(0, PAGE, 1, 2 * PAGE);
            for (int step = 0; step < steps; step++) {
                run.calls.get(0).step();
            }
            boolean mapped = run.page(0, 1) == 0x22;
            run.world.mappings.vmDestroyed(run.vms[1]);
            run.vms[1].host().ranges().unmapAll();
            while (!run.calls.get(0).isDone()) {
                run.calls.get(0).step();
            }
            long expected = mapped ? 0 : steps == 0 ? ENOENT : MappingWorld.EINVAL;
            assertThat(run.calls.get(0).result()).as("after %d steps", steps).isEqualTo(expected);
            assertThat(run.page(0, 1)).isEqualTo(mapped ? 0x22 : 0x11);
        }
    }
}
