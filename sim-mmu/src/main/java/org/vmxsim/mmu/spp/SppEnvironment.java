package org.vmxsim.mmu.spp;

import org.vmxsim.mmu.ept.EptMmu;
import org.vmxsim.mmu.ept.VcpuRequests;
import org.vmxsim.mmu.host.FrameAllocator;
import org.vmxsim.mmu.memslot.Memslots;
import org.vmxsim.mmu.page.KernelMemory;
import org.vmxsim.mmu.page.PageCaches;

/**
 * What a profile works on.
 *
 * @param memory the machine's memory as the hypervisor sees it
 * @param frames where tables come from
 * @param slots the memslots, which hold the bitmaps
 * @param mmu the EPT that arms protected pages
 * @param vcpus the request bits of the vCPUs
 * @param caches the frames that each vCPU keeps for tables
 * @param globals what all virtual machines of the host share
 * @param supported whether the processors have the control "sub-page write permissions for EPT"
 * @param nested whether the host offers nested virtualization to guests
 */
public record SppEnvironment(
        KernelMemory memory,
        FrameAllocator frames,
        Memslots slots,
        EptMmu mmu,
        VcpuRequests vcpus,
        PageCaches caches,
        SppGlobals globals,
        boolean supported,
        boolean nested) {}
