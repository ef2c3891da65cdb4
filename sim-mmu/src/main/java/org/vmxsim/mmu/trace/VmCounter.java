package org.vmxsim.mmu.trace;

/**
 * What is counted for each virtual machine, under the names that KVM has in debugfs. Several are of shadow paging alone
 * and always 0 with EPT.
 */
public enum VmCounter {
    /** Pages of EPT paging structures that were removed. */
    MMU_SHADOW_ZAPPED("mmu_shadow_zapped"),
    /** Writes of the guest to page tables that are shadowed: always 0. */
    MMU_PTE_WRITE("mmu_pte_write"),
    /** Entries zapped because of such writes: always 0. */
    MMU_PDE_ZAPPED("mmu_pde_zapped"),
    /** Shadow pages given up because of too many such writes: always 0. */
    MMU_FLOODED("mmu_flooded"),
    /** Shadow pages taken to make room for others: always 0, there is no limit but memory. */
    MMU_RECYCLED("mmu_recycled"),
    /** Pages of EPT paging structures that had to be made. */
    MMU_CACHE_MISS("mmu_cache_miss"),
    /** Shadow pages out of step with the guest's: always 0. */
    MMU_UNSYNC("mmu_unsync"),
    /** Times that all vCPUs were asked to invalidate. */
    REMOTE_TLB_FLUSH("remote_tlb_flush"),
    /** Large pages split because executable ones are dangerous: always 0, the erratum is not modelled. */
    NX_LPAGE_SPLITS("nx_largepages_splitted"),
    /** Most pages of EPT paging structures passed over in one search of their hash table. */
    MAX_MMU_PAGE_HASH_COLLISIONS("max_mmu_page_hash_collisions");

    private final String stat;

    VmCounter(String stat) {
        this.stat = stat;
    }

    /**
     * The name in debugfs.
     *
     * @return such as {@code mmu_shadow_zapped}
     */
    public String stat() {
        return stat;
    }
}
