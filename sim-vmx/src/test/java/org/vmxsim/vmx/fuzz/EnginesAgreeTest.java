package org.vmxsim.vmx.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.vmx.Engine;
import org.vmxsim.vmx.MachineConfig;

@DisplayName("the engines agree on all architectural state, whatever the geometry of the modelled structures")
class EnginesAgreeTest {
    private static final int PROGRAMS = Integer.getInteger("vmxsim.programs", 300);
    private static final long FIRST_SEED = Long.getLong("vmxsim.seed", 1);

    @Test
    void natively() {
        agree(Rig::new);
    }

    @Test
    void inNonRootOperation() {
        agree(GuestRig::new);
    }

    private static void agree(Function<MachineConfig, Rig> make) {
        MachineConfig functional = MachineConfig.DEFAULT.withCpu(Rig.MODEL);
        MachineConfig cycle = functional.withEngine(Engine.CYCLE);
        List<Rig> rigs = Stream.of(
                        functional, cycle, cycle.withTiming(Geometries.tiny()), cycle.withTiming(Geometries.huge()))
                .map(make)
                .toList();
        for (int i = 0; i < PROGRAMS; i++) {
            agree(rigs, FIRST_SEED + i);
        }
    }

    private static void agree(List<Rig> rigs, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        GuestImage image = ProgramGenerator.guest(random);
        int entry = GuestImage.CODE + image.slotOffset + random.nextInt(ProgramGenerator.SLOTS) * GuestImage.SLOT_BYTES;
        int budget = 200 + random.nextInt(3000);
        String expected = null;
        byte[] expectedMemory = null;
        for (Rig rig : rigs) {
            rig.load(image, new SplittableRandom(seed), entry);
            long tables = rig.cpu.cr3;
            long before = rig.cpu.retired;
            StopReason reason = run(rig, budget, new SplittableRandom(seed), rig == rigs.get(rigs.size() - 1));
            String state = reason + " retired=" + (rig.cpu.retired - before) + "\n" + rig.state();
            byte[] memory = rig.memory();
            boolean otherTables = rig.cpu.cr3 != tables;
            rig.finish();
            if (otherTables) {
                return; // global translations of the old ones may remain, or not
            }
            if (expected == null) {
                expected = state;
                expectedMemory = memory.clone();
                continue;
            }
            String name = "seed " + seed + ", engine " + rigs.indexOf(rig);
            assertThat(state).as(name).isEqualTo(expected);
            int difference = Arrays.mismatch(memory, expectedMemory);
            assertThat(difference).as("%s: first difference in memory", name).isEqualTo(-1);
        }
    }

    /** Runs in pieces, with interrupts between them; a machine that switches changes its engine after each. */
    private static StopReason run(Rig rig, int budget, SplittableRandom random, boolean switching) {
        int end = budget;
        StopReason reason = StopReason.BUDGET;
        while (end > 0 && reason == StopReason.BUDGET) {
            int piece = 1 + random.nextInt(budget);
            reason = rig.run(piece);
            end -= piece;
            if (random.nextBoolean()) {
                rig.interrupt(32 + random.nextInt(200));
            }
            if (switching) {
                rig.machine.processors().get(0).engine((piece & 1) == 0 ? Engine.CYCLE : Engine.FUNCTIONAL);
            }
        }
        return reason;
    }
}
