package org.vmxsim.vmx.fuzz;

import org.vmxsim.core.time.Parameter;
import org.vmxsim.core.time.TimingPreset;

/** Variants of a timing preset whose modelled structures have other sizes. */
final class Geometries {
    private Geometries() {}

    /** One entry in every TLB, paging-structure cache and vector cache; one line in every cache. */
    static TimingPreset tiny() {
        return sized(1, 1, 64);
    }

    /** A thousand entries in each. */
    static TimingPreset huge() {
        return sized(1024, 16, 1 << 20);
    }

    private static TimingPreset sized(int entries, int ways, int cacheBytes) {
        StringBuilder text = new StringBuilder();
        for (Parameter parameter : TimingPreset.named("icelake-sp").parameters()) {
            String value = parameter.value();
            if (parameter.name().endsWith(".entries")) {
                value = Integer.toString(entries);
            } else if (parameter.name().endsWith(".ways")) {
                value = Integer.toString(ways);
            } else if (parameter.name().endsWith(".sizeBytes")) {
                value = Integer.toString(cacheBytes);
            }
            text.append(parameter.name()).append(" = ").append(value).append(" | variant\n");
        }
        return TimingPreset.parse("variant with " + entries + " entries", text.toString());
    }
}
