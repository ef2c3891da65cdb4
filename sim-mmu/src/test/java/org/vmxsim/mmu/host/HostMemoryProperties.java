package org.vmxsim.mmu.host;

import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class HostMemoryProperties {
    @Property(tries = 200)
    void nothingButWritesChangesContents(
            @ForAll boolean zeroFrame, @ForAll @Size(max = 200) List<@IntRange(min = 0) Integer> steps) {
        new HostMemoryRun().run(zeroFrame, steps);
    }
}
