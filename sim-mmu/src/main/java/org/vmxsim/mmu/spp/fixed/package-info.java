/**
 * The default profile of sub-page protection: the interface of the series' last posting without its hazards.
 *
 * <p>Read in this order: {@link org.vmxsim.mmu.spp.fixed.FixedSubPages} (the calls), {@code Sppt} (the tables).
 */
package org.vmxsim.mmu.spp.fixed;
