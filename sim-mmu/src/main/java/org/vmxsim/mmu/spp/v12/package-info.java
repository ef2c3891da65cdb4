/**
 * Sub-page protection as last posted ("[PATCH v12]", May 2020), with the hazards T2 to T12 that the text has, and T1 by
 * what the text means. {@code docs/spp.md} explains each and names the test that shows it.
 *
 * <p>Read in this order: {@link org.vmxsim.mmu.spp.v12.SubPagesV12} (the calls), {@code SharedSppt} (the tables),
 * {@code EptRange} (what a set does to the mappings). Not modelled: 5-level EPT, with which the root table would be
 * found under another level than the walk begins at (T12).
 */
package org.vmxsim.mmu.spp.v12;
