/**
 * The host below the virtual machine: frames of physical memory, and the address space of the process that runs it.
 *
 * <p>Read in this order: {@link org.vmxsim.mmu.host.PageSize}, {@link org.vmxsim.mmu.host.FrameAllocator},
 * {@link org.vmxsim.mmu.host.HostMemory}. Not modelled: unmapping, copy on write, swapping, migration, and so no
 * notifier either; one NUMA node.
 */
package org.vmxsim.mmu.host;
