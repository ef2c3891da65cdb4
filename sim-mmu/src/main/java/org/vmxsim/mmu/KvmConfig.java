package org.vmxsim.mmu;

import org.vmxsim.mmu.host.PageSize;

/**
 * Choices of the hypervisor.
 *
 * @param largestPage largest page size that EPT may map
 * @param eptAccessedDirty whether to enable EPT accessed and dirty flags where the processor has them. With them every
 *     reference to a guest paging structure counts as a write, which sub-page permissions never allow; so they are off
 *     in a virtual machine that has sub-page protection enabled
 * @param exitCycles instructions of the hypervisor itself for one VM exit, in core cycles, when the cycle engine runs;
 *     its references to tables are charged besides
 * @param nested whether nested virtualization is offered (the module parameter {@code nested}); sub-page protection
 *     refuses to be enabled then, as since v5 of the series
 */
public record KvmConfig(PageSize largestPage, boolean eptAccessedDirty, int exitCycles, boolean nested) {
    /** 1-GiB pages, accessed and dirty flags, 300 cycles an exit (assumed, no measurement). */
    public static final KvmConfig DEFAULT = new KvmConfig(PageSize.SIZE_1G, true, 300, false);

    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException if the cycles are negative
     */
    public KvmConfig {
        if (exitCycles < 0) {
            throw new IllegalArgumentException("need exitCycles of at least 0, got " + exitCycles);
        }
    }

    /**
     * With another page size.
     *
     * @param size largest page size that EPT may map
     * @return the changed choices
     */
    public KvmConfig withLargestPage(PageSize size) {
        return new KvmConfig(size, eptAccessedDirty, exitCycles, nested);
    }
}
