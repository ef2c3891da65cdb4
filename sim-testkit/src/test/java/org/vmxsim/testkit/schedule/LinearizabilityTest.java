package org.vmxsim.testkit.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.vmx.Engine;

/** Permissions of two pages are set by one call while four vCPUs write to them: every small schedule. */
class LinearizabilityTest {
    private static final int LENGTH = 5;
    private static final int COLD_LENGTH = 4;

    /** Permissions before and after: of sub-page 0 in the first and in the second page. */
    private static final int[][] CHANGES = {{-1, -1, 0, 0}, {0, 0, -1, -1}, {1, 2, 2, 1}, {~1, ~1, ~2, ~2}};

    private static int[] schedule(int number, int length) {
        int[] schedule = new int[length];
        for (int i = 0; i < length; i++) {
            schedule[i] = (number >> 2 * i) & 3;
        }
        return schedule;
    }

    private static boolean[] allowed(int... bitmaps) {
        return new boolean[] {(bitmaps[0] & 1) != 0, (bitmaps[1] & 1) != 0};
    }

    private static void check(WritingVcpus vcpus, int[] change, int[] schedule, int position) {
        vcpus.set(change[0], change[1]);
        History history = vcpus.begin(schedule);
        for (int i = 0; i < schedule.length; i++) {
            if (i == position) {
                vcpus.set(change[2], change[3]);
            }
            vcpus.turn(schedule[i]);
        }
        History.Write unexplained =
                history.unexplained(position, position, allowed(change[0], change[1]), allowed(change[2], change[3]));
        assertThat(unexplained).as("%s of %s", unexplained, history).isNull();
    }

    /** Everything mapped, translations cached: 4^5 schedules, the call at each place of each, four changes. */
    @ParameterizedTest
    @EnumSource(Engine.class)
    void fixedIsLinearizable(Engine engine) {
        WritingVcpus vcpus = new WritingVcpus(SppProfile.FIXED, engine);
        for (int[] change : CHANGES) {
            for (int number = 0; number < 1 << 2 * LENGTH; number++) {
                for (int position = 0; position <= LENGTH; position++) {
                    check(vcpus, change, schedule(number, LENGTH), position);
                }
            }
        }
    }

    /** A virtual machine that has never run: the turns are page faults and SPP misses. */
    @Test
    void fixedIsLinearizableFromTheFirstFaultOn() {
        for (int[] change : CHANGES) {
            for (int number = 0; number < 1 << 2 * COLD_LENGTH; number += 3) {
                for (int position = 0; position <= COLD_LENGTH; position++) {
                    WritingVcpus vcpus = new WritingVcpus(SppProfile.FIXED, Engine.FUNCTIONAL);
                    int[] twice = new int[2 * COLD_LENGTH];
                    System.arraycopy(schedule(number, COLD_LENGTH), 0, twice, 0, COLD_LENGTH);
                    System.arraycopy(schedule(number, COLD_LENGTH), 0, twice, COLD_LENGTH, COLD_LENGTH);
                    check(vcpus, change, twice, position + COLD_LENGTH / 2);
                }
            }
        }
    }

    /** Makes protection armed and filled, takes permission away, and lets vCPU 1 write where a call drops its lock. */
    private static History race(SppProfile profile, int[] returned) {
        WritingVcpus vcpus = new WritingVcpus(profile, Engine.FUNCTIONAL);
        warm(vcpus);
        vcpus.set(1, 1);
        warm(vcpus);
        History history = vcpus.begin(1);
        vcpus.vm.subPages().interleave(point -> {
            if (point.contains("lock dropped")) {
                for (int i = 0; i < 6; i++) {
                    vcpus.turn(1);
                }
            }
        });
        vcpus.set(0, 0);
        returned[0] = vcpus.turn();
        for (int i = 0; i < 12; i++) {
            vcpus.turn(1);
        }
        return history;
    }

    private static void warm(WritingVcpus vcpus) {
        vcpus.begin(0, 1, 2, 3);
        for (int i = 0; i < 80; i++) {
            vcpus.turn(i & 3);
        }
    }

    /**
     * T4: the miss of a vCPU that comes while the lock is dropped makes the vectors valid again with the old bitmaps,
     * and they stay: a write that begins long after the call has returned is still allowed.
     */
    @Test
    void T4_aWriteAfterTheCallIsAllowedByOldVectors() {
        int[] returned = new int[1];
        History history = race(SppProfile.V12, returned);

        History.Write unexplained = history.unexplained(0, returned[0], allowed(1, 1), allowed(0, 0));
        assertThat(unexplained).as("%s", history).isNotNull();
        assertThat(unexplained.allowed()).isTrue();
        assertThat(unexplained.begin()).isGreaterThanOrEqualTo(returned[0]);
    }

    @Test
    void theSameScheduleIsLinearizableInFixed() {
        int[] returned = new int[1];
        History history = race(SppProfile.FIXED, returned);

        assertThat(history.size()).isPositive();
        assertThat(history.unexplained(0, returned[0], allowed(1, 1), allowed(0, 0)))
                .as("%s", history)
                .isNull();
    }
}
