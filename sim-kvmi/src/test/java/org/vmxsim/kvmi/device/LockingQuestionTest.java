package org.vmxsim.kvmi.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.vmxsim.kvmi.device.CallsAtOnce.Kind;

/**
 * The question of the review of patch 02/18 (Patrick Colp, 21 December 2017): the mutex of the file is held across the
 * mapping, but released before the unmapping; is that on purpose? Each half is tried the other way.
 */
class LockingQuestionTest {
    /** MAP as it is not: the mutex is released for the hypercall, and taken again to list the mapping. */
    private static final class MapWithoutMutexAcross extends FileCall {
        MapWithoutMutexAcross(CallsAtOnce world, long gpa) {
            KvmMemFile file = world.file;
            MapList.PageMap entry = new MapList.PageMap();
            entry.gva = ToyProcess.BUFFER + 0x1000;
            entry.gpa = gpa;
            entry.process = world.process;
            file.enter();
            thenTaking(file.mutex(), true, "lock the file", () -> {
                boolean active = file.isActive();
                file.mutex().release(this);
                if (active) {
                    then("ask the host", () -> {
                        world.host.map(new byte[32], 0x7_8000, gpa);
                        thenTaking(file.mutex(), true, "lock the file again", () -> list(file, entry));
                    });
                } else {
                    file.leave();
                    finish(-19);
                }
            });
        }

        private void list(KvmMemFile file, MapList.PageMap entry) {
            file.mappings().append(entry);
            file.mutex().release(this);
            file.leave();
            finish(0);
        }
    }

    /** UNMAP as it is not: the mutex is held to the end. */
    private static final class UnmapHoldingMutex extends FileCall {
        UnmapHoldingMutex(CallsAtOnce world) {
            KvmMemFile file = world.file;
            file.enter();
            thenTaking(file.mutex(), true, "lock the file", () -> {
                MapList.PageMap entry = file.mappings().find(mapping -> mapping.gva == ToyProcess.BUFFER);
                if (file.isActive() && entry != null) {
                    file.mappings().unlink(entry);
                    then("ask the host", () -> leave(file, file.unmap(entry)));
                } else {
                    leave(file, file.isActive() ? -2 : -19);
                }
            });
        }

        private void leave(KvmMemFile file, long result) {
            file.mutex().release(this);
            file.leave();
            finish(result);
        }
    }

    private static final Set<DeviceQuirk> POSTED = DeviceQuirk.strictV4();

    private static List<String> leaks(CallsAtOnce.Caller caller) {
        List<String> leaks = new ArrayList<>();
        Set<String> outcomes = new HashSet<>();
        List<Kind> kinds = List.of(Kind.MAP_NEW, Kind.RELEASE);
        Schedules.all(() -> new CallsAtOnce(POSTED, kinds, caller, outcomes) {
            @Override
            public void ended(String steps, boolean isDeadlock) {
                super.ended(steps, isDeadlock);
                if (!host.mapped.isEmpty()) {
                    leaks.add(steps);
                }
            }
        });
        return leaks;
    }

    /** The mapping is there after the file is gone: nobody will ever end it. */
    @Test
    void mapWithoutTheMutexAcrossLeaksAMappingWhenReleaseComesBetween() {
        List<String> leaks = leaks((kind, world) ->
                kind == Kind.MAP_NEW ? new MapWithoutMutexAcross(world, world.newFrame) : world.start(kind));

        assertThat(leaks).contains("""
                0: lock the file
                1: lock the file
                1: end a mapping
                1: unlock the file
                1: forget the file
                0: ask the host
                0: lock the file again
                """);
        assertThat(leaks((kind, world) -> world.start(kind))).isEmpty();
    }

    /** Released early or late, the same can be seen from outside, whatever two other calls do at the same time. */
    @Test
    void unmapMayReleaseTheMutexEarly() {
        int compared = 0;
        for (List<Kind> others : CallsAtOnce.choices(2)) {
            List<Kind> kinds = new ArrayList<>(others);
            kinds.add(0, Kind.UNMAP_OLD);
            Set<String> early = new HashSet<>();
            Set<String> late = new HashSet<>();
            Schedules.all(() -> new CallsAtOnce(POSTED, kinds, (kind, world) -> world.start(kind), early));
            Schedules.all(() -> new CallsAtOnce(
                    POSTED,
                    kinds,
                    (kind, world) -> kind == Kind.UNMAP_OLD ? new UnmapHoldingMutex(world) : world.start(kind),
                    late));
            assertThat(early).as("%s", kinds).isEqualTo(late);
            compared++;
        }
        assertThat(compared).isEqualTo(27);
    }
}
