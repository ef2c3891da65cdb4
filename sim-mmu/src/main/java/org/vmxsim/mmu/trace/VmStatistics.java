package org.vmxsim.mmu.trace;

/**
 * The size of what a virtual machine's tables hold at one moment, and what was counted until then.
 *
 * @param pages4k 4-KiB pages mapped (KVM's {@code pages_4k})
 * @param pages2m 2-MiB pages mapped
 * @param pages1g 1-GiB pages mapped
 * @param eptTablePages 4-KiB pages of EPT paging structures
 * @param spptTablePages 4-KiB pages of the SPPT
 * @param regionsFilled 2-MiB regions whose sub-page vectors were filled
 * @param kernelLoads 8-byte loads that the hypervisor made from tables, for all virtual machines of the machine
 * @param kernelStores 8-byte stores that it made to tables
 * @param counts what was counted, by {@link VmCounter#ordinal()}
 */
public record VmStatistics(
        long pages4k,
        long pages2m,
        long pages1g,
        long eptTablePages,
        long spptTablePages,
        long regionsFilled,
        long kernelLoads,
        long kernelStores,
        long[] counts) {

    /**
     * Something that was counted.
     *
     * @param counter what
     * @return how often
     */
    public long count(VmCounter counter) {
        return counts[counter.ordinal()];
    }
}
