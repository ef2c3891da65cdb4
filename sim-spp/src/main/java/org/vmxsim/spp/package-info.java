/**
 * The sub-page permission table (SPPT): entry formats and the hardware walk. Where EPT makes a 4-KiB page not writable,
 * the SPPT may allow writes to some of its thirty-two 128-byte sub-pages. SDM Vol. 3C, "Sub-Page Write Permissions".
 *
 * <p>Read in this order: {@link org.vmxsim.spp.SppEntry} (the bits of the upper levels),
 * {@link org.vmxsim.spp.SppVector} (the bits of the leaf, and the 32-bit bitmap that software uses for it),
 * {@link org.vmxsim.spp.SppWalker} (the loop), {@link org.vmxsim.spp.SppOutcome} (the four endings),
 * {@link org.vmxsim.spp.SppOptions} (what the manual leaves open, as named options).
 *
 * <p>Not here: which accesses consult the SPPT at all (module sim-vmx, package {@code org.vmxsim.vmx.ept}), and the
 * software that keeps these tables in a hypervisor (module sim-mmu); {@link org.vmxsim.spp.SppTables} is a plain
 * builder for tests, benchmarks and experiments. Not modelled: the memory type of SPPT references.
 */
package org.vmxsim.spp;
