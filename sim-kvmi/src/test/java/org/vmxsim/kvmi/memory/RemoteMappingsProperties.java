package org.vmxsim.kvmi.memory;

import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class RemoteMappingsProperties {
    @Property(tries = 150)
    void guestsLoadWhatTheModelSays(
            @ForAll @Size(min = 1, max = 120) List<@IntRange(min = 0, max = 1_000_000) Integer> steps) {
        new MappingRun(true).run(steps);
    }

    @Property(tries = 300)
    void noFrameIsLost(@ForAll @Size(min = 1, max = 120) List<@IntRange(min = 0, max = 1_000_000) Integer> steps) {
        new MappingRun(false).run(steps);
    }
}
