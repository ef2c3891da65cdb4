package org.vmxsim.mmu.spp.v4;

import org.vmxsim.mmu.ept.Spte;
import org.vmxsim.mmu.ept.VcpuRequests;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.page.KernelMemory;
import org.vmxsim.vmx.ept.EptEntry;

/**
 * Arms and disarms the 4-KiB EPT entries of a frame through the reverse map, whatever root they belong to. Large pages
 * are not looked at.
 */
final class LeafProtection {
    private final KernelMemory memory;
    private final VcpuRequests vcpus;

    LeafProtection(KernelMemory memory, VcpuRequests vcpus) {
        this.memory = memory;
        this.vcpus = vcpus;
    }

    /** Whether a 4-KiB entry maps the frame: the test for {@code rmap_head->val}. */
    static boolean isMapped(Memslot slot, long gfn) {
        return slot.rmap().get(gfn, 1) >= 0;
    }

    /**
     * {@code kvm_mmu_open_subpage_write_protect}: W=0 and bit 61, whether or not the host lets the guest write. A
     * remote flush follows if an entry could have been made writable without the lock, changed or not
     * ({@code mmu_spte_update}).
     */
    void open(Memslot slot, long gfn) {
        boolean[] flush = new boolean[1];
        slot.rmap().forEach(gfn, gfn, (first, level, spteHpa) -> {
            if (level == 1) {
                long spte = memory.readLong(spteHpa);
                memory.writeLong(spteHpa, spte & ~EptEntry.WRITE.mask() | EptEntry.SPP.mask());
                flush[0] |= Spte.isFixable(spte);
            }
        });
        if (flush[0]) {
            vcpus.flushAll();
        }
    }

    /**
     * {@code kvm_mmu_clear_subpage_write_protect}: bit 61 goes, W=1 whatever dirty logging, page tracking and the host
     * say (S11). Nothing is flushed, since what is writable now needs no flush.
     */
    void clear(Memslot slot, long gfn) {
        slot.rmap().forEach(gfn, gfn, (first, level, spteHpa) -> {
            if (level == 1) {
                long spte = memory.readLong(spteHpa);
                memory.writeLong(spteHpa, spte & ~EptEntry.SPP.mask() | EptEntry.WRITE.mask());
            }
        });
    }
}
