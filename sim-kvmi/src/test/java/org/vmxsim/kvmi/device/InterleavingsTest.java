package org.vmxsim.kvmi.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.kvmi.device.CallsAtOnce.Kind;

/**
 * Every schedule of two and of three calls into one file. A schedule is right if it ends as some order of whole calls
 * ends: then no mapping is lost, none is ended twice, and a release or munmap leaves nothing behind.
 */
class InterleavingsTest {
    private static final Set<DeviceQuirk> REPAIRED = Set.of();

    /** What the schedules of a choice of calls showed. */
    private static final class Seen {
        final Set<String> outcomes = new HashSet<>();
        final Set<String> deadlocks = new TreeSet<>();
        boolean freedWhileMapped;
        boolean usedAfterFree;
        int schedules;
    }

    private static Seen run(Set<DeviceQuirk> quirks, List<Kind> kinds) {
        Seen seen = new Seen();
        seen.schedules =
                Schedules.all(() -> new CallsAtOnce(quirks, kinds, (kind, world) -> world.start(kind), seen.outcomes) {
                    @Override
                    public void ended(String steps, boolean isDeadlock) {
                        super.ended(steps, isDeadlock);
                        seen.freedWhileMapped |= freedWhileMapped;
                        seen.usedAfterFree |= usesAfterFree() > 0;
                        if (isDeadlock) {
                            seen.deadlocks.add(steps);
                        }
                    }
                });
        return seen;
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void repairedEverySchedulingEndsAsSomeOrderOfWholeCalls(int count) {
        int schedules = 0;
        for (List<Kind> kinds : CallsAtOnce.choices(count)) {
            Seen seen = run(REPAIRED, kinds);
            schedules += seen.schedules;
            assertThat(seen.outcomes).as("%s", kinds).isSubsetOf(CallsAtOnce.inSequence(REPAIRED, kinds));
            assertThat(seen.deadlocks).as("%s", kinds).isEmpty();
            assertThat(seen.freedWhileMapped).as("%s", kinds).isFalse();
            assertThat(seen.outcomes).as("%s", kinds).allMatch(outcome -> outcome.endsWith(" wrong=0"));
        }
        assertThat(schedules).isGreaterThan(count == 2 ? 100 : 10_000);
    }

    /** The posted driver keeps its own lists right; its weaknesses lie between it and the rest of the kernel. */
    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void postedMapUnmapAndReleaseEndAsSomeOrderOfWholeCalls(int count) {
        Set<DeviceQuirk> posted = DeviceQuirk.strictV4();
        for (List<Kind> kinds : CallsAtOnce.choices(count)) {
            Seen seen = run(posted, kinds);
            assertThat(seen.outcomes).as("%s", kinds).isSubsetOf(CallsAtOnce.inSequence(posted, kinds));
            assertThat(seen.deadlocks).as("%s", kinds).isEmpty();
            boolean released = kinds.contains(Kind.RELEASE);
            assertThat(seen.outcomes).as("%s", kinds).allMatch(outcome -> !released || outcome.contains("host=[] "));
        }
    }

    /** As posted: whatever else goes on, an munmap of a mapped page frees it while it is mapped. */
    @Test
    void postedMunmapFreesAPageWhileItIsMapped() {
        Set<List<Kind>> shown = new HashSet<>();
        for (List<Kind> kinds : CallsAtOnce.choices(2)) {
            if (run(DeviceQuirk.strictV4(), kinds).freedWhileMapped) {
                shown.add(kinds);
            }
        }
        assertThat(shown)
                .isNotEmpty()
                .allMatch(kinds ->
                        kinds.contains(Kind.MUNMAP_OLD) || kinds.equals(List.of(Kind.MAP_NEW, Kind.MUNMAP_NEW)));
        assertThat(shown).contains(List.of(Kind.MAP_NEW, Kind.MUNMAP_NEW));
    }

    /** As posted: any call that waits for the mutex while release holds it finds the file's memory freed. */
    @Test
    void postedReleaseFreesTheFileUnderAWaitingCall() {
        for (List<Kind> kinds : CallsAtOnce.choices(2)) {
            boolean ioctl = kinds.stream().anyMatch(kind -> kind.name().matches("(UN)?MAP_.*"));
            assertThat(run(DeviceQuirk.strictV4(), kinds).usedAfterFree)
                    .as("%s", kinds)
                    .isEqualTo(ioctl && kinds.contains(Kind.RELEASE));
            assertThat(run(REPAIRED, kinds).usedAfterFree).as("%s", kinds).isFalse();
        }
    }

    /**
     * Why the host must not work under the lock of the address space once munmap ends mappings: munmap takes that lock
     * and then the file's, the posted map the other way round.
     */
    @Test
    void endingMappingsAtMunmapNeedsTheOtherOrderOfLocks() {
        Set<DeviceQuirk> half = EnumSet.of(DeviceQuirk.WORK_UNDER_MMAP_SEM);

        Seen seen = run(half, List.of(Kind.MAP_NEW, Kind.MUNMAP_OLD));
        assertThat(seen.deadlocks).isNotEmpty().anyMatch(trace -> trace.endsWith("""
                0: lock the file
                1: lock the address space
                """) || trace.endsWith("""
                1: lock the address space
                0: lock the file
                """));
    }

    /** A look-up that an munmap has overtaken is done again, and finds nothing. */
    @Test
    void aMapThatMunmapOvertakesFindsNoPage() {
        Set<String> outcomes = run(REPAIRED, List.of(Kind.MAP_NEW, Kind.MUNMAP_NEW)).outcomes;

        assertThat(outcomes)
                .hasSize(2)
                .anyMatch(outcome -> outcome.startsWith("MAP_NEW=-14 "))
                .anyMatch(outcome -> outcome.startsWith("MAP_NEW=0 "))
                .allMatch(outcome -> outcome.contains(" listed=[65536] "));
    }
}
