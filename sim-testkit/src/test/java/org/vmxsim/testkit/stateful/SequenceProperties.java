package org.vmxsim.testkit.stateful;

import java.util.List;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.vmxsim.mmu.spp.SppProfile;

/**
 * Random sequences of everything that may happen to protected memory, against the naive model: every outcome and every
 * byte. The historic profiles have classes of their own, so that long runs can be shared out to several processes. How
 * many sequences is the system property vmxsim.sequences, 1000 unless told otherwise.
 */
class SequenceProperties {
    @Property
    void fixedDoesWhatTheModelSays(@ForAll("fixed") List<Step> steps, @ForAll("setups") Setup setup) {
        run(SppProfile.FIXED, steps, setup);
    }

    @Provide
    Arbitrary<Setup> setups() {
        return Steps.setups();
    }

    @Provide
    Arbitrary<List<Step>> fixed() {
        return Steps.sequences(SppProfile.FIXED);
    }

    static void run(SppProfile profile, List<Step> steps, Setup setup) {
        World world = new World(profile, setup);
        world.enable();
        try {
            for (Step step : steps) {
                step.run(world);
                world.endIfCrashed();
                world.compareTouched();
            }
        } catch (SequenceEnd end) {
            world.compareTouched();
        }
        world.compareAll();
    }
}
