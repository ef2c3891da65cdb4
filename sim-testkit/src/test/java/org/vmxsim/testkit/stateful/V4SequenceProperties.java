package org.vmxsim.testkit.stateful;

import java.util.List;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.vmxsim.mmu.spp.SppProfile;

/** Random sequences for the posting v4, as {@link SequenceProperties} has them for the fixed profile. */
class V4SequenceProperties {
    @Property
    void theFirstSeriesDoesWhatTheModelSays(@ForAll("sequences") List<Step> steps, @ForAll("setups") Setup setup) {
        SequenceProperties.run(SppProfile.V4, steps, setup.prefetchingSeldom());
    }

    @Provide
    Arbitrary<List<Step>> sequences() {
        return Steps.sequences(SppProfile.V4);
    }

    @Provide
    Arbitrary<Setup> setups() {
        return Steps.setups();
    }
}
