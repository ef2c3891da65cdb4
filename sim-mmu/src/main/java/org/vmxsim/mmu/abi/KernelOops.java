package org.vmxsim.mmu.abi;

/**
 * What would have crashed the host's kernel: the historic profiles of sub-page protection have such calls. The virtual
 * machine ends; every later call on it gives the same value. The simulator goes on. A thread of the kernel that waits
 * for ever is told in the same way.
 *
 * @param function the kernel function that does it, as in the patches
 * @param cause what it does there, such as a NULL pointer dereference
 */
public record KernelOops(String function, String cause) {}
