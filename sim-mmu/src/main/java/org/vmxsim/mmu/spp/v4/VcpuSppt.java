package org.vmxsim.mmu.spp.v4;

import org.vmxsim.core.paging.Radix;
import org.vmxsim.mmu.ept.VcpuRequests;
import org.vmxsim.mmu.page.KernelMemory;
import org.vmxsim.mmu.page.PageCache;
import org.vmxsim.mmu.page.PageCaches;
import org.vmxsim.mmu.spp.SppEnvironment;
import org.vmxsim.spp.SppEntry;
import org.vmxsim.spp.SppVector;

/**
 * The SPPT of one vCPU: {@code vcpu->arch.mmu->sppt_root} and what hangs below. Its pages come from the vCPU's page
 * cache and are always new: none is ever looked up, and none is freed while the virtual machine lives.
 */
final class VcpuSppt {
    /** {@code INVALID_PAGE}. */
    static final long INVALID = -1;
    /** What a new vCPU's structure holds before anybody has set the root. */
    static final long ZEROED = 0;

    /** Index of the vCPU's own set of paging structures, {@code root_mmu}, and of that for nested guests. */
    private static final int OWN = 0;

    private static final int NESTED = 1;

    /** Bit 7, which the walker takes for the end of the walk at a large page. */
    private static final long LARGE = 1 << 7;

    private final int vcpu;
    private final KernelMemory memory;
    private final PageCache cache;
    private final VcpuRequests requests;
    private final Crash crash;
    private final long[] roots = {INVALID, INVALID};
    /** The SPPT pointer in the VMCS for the own guest and in that for nested ones; 0 until first written. */
    private final long[] loaded = new long[2];

    private int context = OWN;

    private long tablePages;

    VcpuSppt(int vcpu, SppEnvironment environment, Crash crash, long root) {
        PageCaches caches = environment.caches();
        this.vcpu = vcpu;
        this.memory = environment.memory();
        this.cache = caches.of(vcpu);
        this.requests = environment.vcpus();
        this.crash = crash;
        this.roots[OWN] = root;
    }

    long tablePages() {
        return tablePages;
    }

    boolean isNested() {
        return context == NESTED;
    }

    void context(boolean nested) {
        context = nested ? NESTED : OWN;
    }

    boolean isRootValid() {
        return roots[context] != INVALID;
    }

    /** The body of the loop of {@code kvm_mmu_init_spp}. That the cache may stay empty is not looked at. */
    void allocateRoot() {
        cache.topUp(PageCache.MIN);
        long page = newPage();
        if (page != INVALID) {
            roots[context] = page;
        }
    }

    /** {@code kvm_mmu_get_spp_page}; {@link #INVALID} if that is the end of the kernel. */
    private long newPage() {
        if (cache.isEmpty()) {
            crash.of("mmu_memory_cache_alloc", "BUG: the page cache of vCPU " + vcpu + " is empty");
            return INVALID;
        }
        tablePages++;
        return cache.take();
    }

    /** The addition to {@code vmx_set_cr3}: the pointer goes to the VMCS, and all translations go (S10). */
    void load() {
        if (isRootValid()) {
            loaded[context] = roots[context];
            requests.flush(vcpu);
        }
    }

    /** What the current VMCS has as SPPT pointer. */
    long loaded() {
        return loaded[context];
    }

    /** The addition to {@code kvm_mmu_free_roots}: the page stays, but nobody refers to it any more (S9). */
    void freeRoot() {
        if (!isRootValid()) {
            return;
        }
        if (roots[context] == ZEROED) {
            crash.of("mmu_free_root_page", "NULL pointer dereference: physical page 0 is no table");
            return;
        }
        roots[context] = INVALID;
    }

    /**
     * {@code kvm_mmu_setup_spp_structure}: makes the tables that are missing on the way to a page's vector and writes
     * the vector. No caller looks at what it returns, -EFAULT without a valid root.
     */
    void setUp(int accessMap, long gfn) {
        if (!isRootValid()) {
            return;
        }
        long gpa = gfn << 12;
        long table = roots[context];
        for (int level = Radix.PML4; level > Radix.PT; level--) {
            long entryHpa = Radix.entryAddress(table, gpa, level);
            if (!isMemory(entryHpa)) {
                return;
            }
            long entry = memory.readLong(entryHpa);
            if (!SppEntry.VALID.isSet(entry)) {
                table = newPage();
                if (table == INVALID) {
                    return;
                }
                memory.writeLong(entryHpa, SppEntry.of(table));
            } else if ((entry & LARGE) != 0) {
                return;
            } else {
                table = SppEntry.table(entry);
            }
        }
        setVector(Radix.entryAddress(table, gpa, Radix.PT), SppVector.ofBitmap(accessMap));
    }

    private void setVector(long entryHpa, long vector) {
        if (isMemory(entryHpa) && memory.readLong(entryHpa) != vector) {
            memory.writeLong(entryHpa, vector);
            requests.flush(vcpu);
        }
    }

    /** Below a root of physical page 0 there may be anything. */
    private boolean isMemory(long hpa) {
        boolean ram = memory.physical().isRam(hpa);
        if (!ram) {
            crash.of("kvm_mmu_setup_spp_structure", "page fault: no memory at hpa 0x" + Long.toHexString(hpa));
        }
        return ram;
    }
}
