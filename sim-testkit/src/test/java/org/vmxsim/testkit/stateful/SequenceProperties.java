package org.vmxsim.testkit.stateful;

import java.util.List;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.vmxsim.mmu.spp.SppProfile;

/**
 * Random sequences of everything that may happen to protected memory, against the naive model: every outcome and every
 * byte. How many sequences is the system property vmxsim.sequences, 1000 unless told otherwise.
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

    @Property
    void theFirstSeriesDoesWhatTheModelSays(@ForAll("v4") List<Step> steps, @ForAll("setups") Setup setup) {
        run(SppProfile.V4, steps, setup.withoutPrefetch());
    }

    @Provide
    Arbitrary<List<Step>> v4() {
        return Steps.sequences(SppProfile.V4);
    }

    @Property
    void theLastSeriesDoesWhatTheModelSays(@ForAll("v12") List<Step> steps, @ForAll("setups") Setup setup) {
        run(SppProfile.V12, steps, setup);
    }

    @Provide
    Arbitrary<List<Step>> v12() {
        return Steps.sequences(SppProfile.V12);
    }

    static void run(SppProfile profile, List<Step> steps, Setup setup) {
        World world = new World(profile, setup);
        world.enable();
        for (Step step : steps) {
            step.run(world);
            world.compareTouched();
        }
        world.compareAll();
    }
}
