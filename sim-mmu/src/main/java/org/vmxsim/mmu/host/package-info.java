/**
 * The host below the virtual machine: frames of physical memory, and the address space of the process that runs it, as
 * Linux manages them.
 *
 * <p>Read in this order: {@link org.vmxsim.mmu.host.PageSize}, {@link org.vmxsim.mmu.host.FrameAllocator},
 * {@link org.vmxsim.mmu.host.HostMemory}, {@link org.vmxsim.mmu.host.HostFrames}, {@link org.vmxsim.mmu.host.HostFile},
 * then what is done to pages: {@link org.vmxsim.mmu.host.HostRanges}, {@link org.vmxsim.mmu.host.Reclaim},
 * {@link org.vmxsim.mmu.host.SamePages}, {@link org.vmxsim.mmu.host.HugePages}; what one process shows of another:
 * {@link org.vmxsim.mmu.host.RemotePages}; and {@link org.vmxsim.mmu.host.MmuNotifier}, who is told of it. Not
 * modelled: a swap cache (a shared page that comes back is a copy for each that asks), writeback to a disk, several
 * NUMA nodes, memory control groups.
 */
package org.vmxsim.mmu.host;
