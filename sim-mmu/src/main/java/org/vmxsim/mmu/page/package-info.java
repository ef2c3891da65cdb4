/**
 * The pages that the hypervisor's tables are made of.
 *
 * <p>Read in this order: {@link org.vmxsim.mmu.page.MmuRole}, {@link org.vmxsim.mmu.page.MmuPage},
 * {@link org.vmxsim.mmu.page.MmuPages}; {@link org.vmxsim.mmu.page.PageCache} keeps frames ready for one vCPU,
 * {@link org.vmxsim.mmu.page.PageCaches} has those of all. What is written to them goes through
 * {@link org.vmxsim.mmu.page.KernelMemory}, which charges it. Not modelled: the caches of page headers and of rmap
 * descriptors that KVM keeps beside it; in the simulator these are objects of the host's heap.
 */
package org.vmxsim.mmu.page;
