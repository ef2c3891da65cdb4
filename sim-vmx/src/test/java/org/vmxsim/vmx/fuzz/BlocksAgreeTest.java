package org.vmxsim.vmx.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.vmx.Engine;
import org.vmxsim.vmx.MachineConfig;

/**
 * Random programs in blocks of a few instructions. After each block the engines and a machine that goes instruction by
 * instruction must have the same state; the latter counts what the programs meet.
 */
@DisplayName("the engines agree after every block, with faults, flushes, code that changes and interrupts anywhere")
class BlocksAgreeTest {
    private static final int PROGRAMS = Integer.getInteger("vmxsim.blocks.programs", 60);
    private static final long FIRST_SEED = Long.getLong("vmxsim.seed", 1);
    private static final int BLOCKS = 80;
    private static final int MOST_INSTRUCTIONS = 24;
    private static final int BLOCKS_BETWEEN_MEMORIES = 16;

    private final Map<Ingredient, Integer> met = new EnumMap<>(Ingredient.class);
    private final Rig functional = new Rig(MachineConfig.DEFAULT.withCpu(Rig.MODEL));
    private final Rig cycle = new Rig(MachineConfig.DEFAULT.withCpu(Rig.MODEL).withEngine(Engine.CYCLE));
    private final Rig stepped = new Rig(MachineConfig.DEFAULT.withCpu(Rig.MODEL));
    private final StepObserver observer = new StepObserver(stepped, met);

    @Test
    void afterEveryBlock() {
        for (int i = 0; i < PROGRAMS; i++) {
            program(FIRST_SEED + i);
        }
        for (Ingredient ingredient : Ingredient.values()) {
            int times = met.getOrDefault(ingredient, 0);
            assertThat(times)
                    .as("%s, of %s in %d programs", ingredient, met, PROGRAMS)
                    .isGreaterThanOrEqualTo(PROGRAMS / ingredient.programsForOne);
        }
    }

    private void program(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        GuestImage image = ProgramGenerator.guest(random);
        int entry = GuestImage.CODE + image.slotOffset + random.nextInt(ProgramGenerator.SLOTS) * GuestImage.SLOT_BYTES;
        for (Rig rig : List.of(functional, cycle, stepped)) {
            rig.load(image, new SplittableRandom(seed), entry);
        }
        observer.begin();
        long tables = stepped.cpu.cr3;
        StopReason reason = StopReason.BUDGET;
        for (int block = 0; block < BLOCKS && reason == StopReason.BUDGET && stepped.cpu.cr3 == tables; block++) {
            int instructions = 1 + random.nextInt(MOST_INSTRUCTIONS);
            reason = observer.run(instructions);
            if (stepped.cpu.cr3 == tables) { // else global translations of the old ones may remain, or not
                boolean memoryToo = block % BLOCKS_BETWEEN_MEMORIES == 0;
                String name = "seed " + seed + ", block " + block + " of " + instructions + ", ";
                compare(functional, reason, name + "functional", memoryToo);
                compare(cycle, reason, name + "cycle", memoryToo);
            }
            if (random.nextInt(3) == 0) {
                int vector = 32 + random.nextInt(200);
                observer.interrupt();
                List.of(functional, cycle, stepped).forEach(rig -> rig.interrupt(vector));
            }
        }
    }

    private void compare(Rig rig, StopReason expected, String name, boolean memoryToo) {
        long end = stepped.cpu.retired + (expected == StopReason.BUDGET ? 0 : 1);
        StopReason reason = StopReason.BUDGET;
        while (reason == StopReason.BUDGET && rig.cpu.retired < end) {
            reason = rig.run((int) (end - rig.cpu.retired));
        }
        assertThat(reason + "\n" + rig.state()).as(name).isEqualTo(expected + "\n" + stepped.state());
        if (memoryToo) {
            assertThat(Arrays.mismatch(rig.memory(), stepped.memory()))
                    .as("%s: first difference in memory", name)
                    .isEqualTo(-1);
        }
    }
}
