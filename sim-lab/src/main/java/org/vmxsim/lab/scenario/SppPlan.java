package org.vmxsim.lab.scenario;

import java.util.List;

/**
 * What a scenario does with sub-page permissions.
 *
 * @param enabled whether the hypervisor enables them (the CPU model must have them)
 * @param hypercalls whether the guest may arm and disarm sub-pages by the documented hypercall
 * @param ranges sub-pages protected before the guest starts
 * @param onDenied what happens to a denied store
 */
public record SppPlan(boolean enabled, boolean hypercalls, List<ProtectedRange> ranges, OnDenied onDenied) {
    /** No sub-page protection at all. */
    public static final SppPlan OFF = new SppPlan(false, false, List.of(), OnDenied.STOP);

    /**
     * Copies the list.
     *
     * @throws IllegalArgumentException if ranges are given but sub-page protection is off
     */
    public SppPlan {
        ranges = List.copyOf(ranges);
        if (!enabled && !ranges.isEmpty()) {
            throw new IllegalArgumentException(
                    "need spp enabled to protect ranges, got enabled=false ranges=" + ranges);
        }
    }
}
