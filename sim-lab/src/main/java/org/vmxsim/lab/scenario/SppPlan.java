package org.vmxsim.lab.scenario;

import java.util.List;
import org.vmxsim.mmu.spp.SppProfile;

/**
 * What a scenario does with sub-page permissions.
 *
 * @param enabled whether the hypervisor enables them (the CPU model must have them)
 * @param hypercalls whether the guest may arm and disarm sub-pages by the documented hypercall
 * @param ranges sub-pages protected before the guest starts
 * @param onDenied what happens to a denied store
 * @param profile which posting of KVM's series the hypervisor has
 * @param enforcedBy who judges writes to protected pages
 * @param cacheVectors whether the processor may keep permissions that it has read, until INVEPT
 */
public record SppPlan(
        boolean enabled,
        boolean hypercalls,
        List<ProtectedRange> ranges,
        OnDenied onDenied,
        SppProfile profile,
        Enforcement enforcedBy,
        boolean cacheVectors) {
    /** No sub-page protection at all. */
    public static final SppPlan OFF = new SppPlan(false, false, List.of(), OnDenied.STOP);

    /**
     * Copies the list.
     *
     * @throws IllegalArgumentException if ranges are given but sub-page protection is off, or a historic profile is to
     *     judge emulated writes, which v4 never judges and v12 by the page
     */
    public SppPlan {
        ranges = List.copyOf(ranges);
        if (!enabled && !ranges.isEmpty()) {
            throw new IllegalArgumentException(
                    "need spp enabled to protect ranges, got enabled=false ranges=" + ranges);
        }
        if (enforcedBy == Enforcement.EMULATION && profile != SppProfile.FIXED) {
            throw new IllegalArgumentException(
                    "need the profile fixed where emulation enforces sub-pages, got " + profile);
        }
    }

    /**
     * The profile without hazards, enforced by a processor that caches permissions.
     *
     * @param enabled whether the hypervisor enables them (the CPU model must have them)
     * @param hypercalls whether the guest may arm and disarm sub-pages by the documented hypercall
     * @param ranges sub-pages protected before the guest starts
     * @param onDenied what happens to a denied store
     * @throws IllegalArgumentException if ranges are given but sub-page protection is off
     */
    public SppPlan(boolean enabled, boolean hypercalls, List<ProtectedRange> ranges, OnDenied onDenied) {
        this(enabled, hypercalls, ranges, onDenied, SppProfile.FIXED, Enforcement.PROCESSOR, true);
    }

    /**
     * The same with another answer to denied stores.
     *
     * @param changed what happens to a denied store
     * @return the changed plan
     */
    public SppPlan withOnDenied(OnDenied changed) {
        return new SppPlan(enabled, hypercalls, ranges, changed, profile, enforcedBy, cacheVectors);
    }

    /**
     * The same with another profile.
     *
     * @param changed which posting of KVM's series the hypervisor has
     * @return the changed plan
     * @throws IllegalArgumentException if a historic profile is to judge emulated writes
     */
    public SppPlan withProfile(SppProfile changed) {
        return new SppPlan(enabled, hypercalls, ranges, onDenied, changed, enforcedBy, cacheVectors);
    }

    /**
     * The same judged by somebody else.
     *
     * @param changed who judges writes to protected pages
     * @return the changed plan
     * @throws IllegalArgumentException if a historic profile is to judge emulated writes
     */
    public SppPlan withEnforcedBy(Enforcement changed) {
        return new SppPlan(enabled, hypercalls, ranges, onDenied, profile, changed, cacheVectors);
    }
}
