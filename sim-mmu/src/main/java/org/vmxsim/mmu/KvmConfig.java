package org.vmxsim.mmu;

import org.vmxsim.mmu.host.PageSize;

/**
 * Choices of the hypervisor.
 *
 * @param largestPage largest page size that EPT may map
 * @param eptAccessedDirty whether to enable EPT accessed and dirty flags where the processor has them. With them every
 *     reference to a guest paging structure counts as a write, which sub-page permissions never allow; so they are off
 *     in a virtual machine that has sub-page protection enabled
 * @param modificationLog whether writes to memslots are logged by the processors' page-modification logs where there
 *     are such and accessed and dirty flags are on (the module parameter {@code pml}); otherwise by write protection
 * @param exitCycles instructions of the hypervisor itself for one VM exit, in core cycles, when the cycle engine runs;
 *     its references to tables are charged besides
 * @param nested whether nested virtualization is offered (the module parameter {@code nested}); sub-page protection
 *     refuses to be enabled then, as since v5 of the series
 * @param prefetch whether a fault that maps a 4-KiB page also maps those of its 7 neighbours that the host has present;
 *     only with accessed and dirty flags, which tell what was used
 * @param deviceMarks whether pages without memslot are marked in EPT by misconfigured entries, so that an access is
 *     emulated without a look at the memslots
 */
public record KvmConfig(
        PageSize largestPage,
        boolean eptAccessedDirty,
        boolean modificationLog,
        int exitCycles,
        boolean nested,
        boolean prefetch,
        boolean deviceMarks) {
    /**
     * 1-GiB pages, accessed and dirty flags, page-modification log, prefetching, marks for devices, 300 cycles an exit
     * (assumed, no measurement).
     */
    public static final KvmConfig DEFAULT = new KvmConfig(PageSize.SIZE_1G, true, true, 300, false, true, true);

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
        return new KvmConfig(size, eptAccessedDirty, modificationLog, exitCycles, nested, prefetch, deviceMarks);
    }

    /**
     * With another way to notice accesses and writes.
     *
     * @param flags whether to enable EPT accessed and dirty flags
     * @param log whether processors are to log writes, which needs the flags
     * @return the changed choices
     */
    public KvmConfig withFlags(boolean flags, boolean log) {
        return new KvmConfig(largestPage, flags, log, exitCycles, nested, prefetch, deviceMarks);
    }

    /**
     * With another way to map.
     *
     * @param neighbours whether to prefetch
     * @param devices whether to mark pages without memslot
     * @return the changed choices
     */
    public KvmConfig withMapping(boolean neighbours, boolean devices) {
        return new KvmConfig(largestPage, eptAccessedDirty, modificationLog, exitCycles, nested, neighbours, devices);
    }
}
