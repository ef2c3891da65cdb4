/**
 * Sub-page protection as the series' posting "v4" of August 2019 had it, function by function, hazards included.
 *
 * <p>Read in this order: {@link org.vmxsim.mmu.spp.v4.SubPagesV4} (the calls and the hooks), {@code VcpuSppt} (each
 * vCPU has an SPPT of its own), {@code LeafProtection} (arming and disarming EPT entries), {@code Crash} (what would
 * have crashed the kernel). Names of kernel functions are those of the patches.
 *
 * <p>Not modelled: the messages that the patches print; races that need two processors in the kernel at once, except
 * between the vCPUs of the init call, where {@link org.vmxsim.mmu.spp.Interleaving} can step in.
 */
package org.vmxsim.mmu.spp.v4;
