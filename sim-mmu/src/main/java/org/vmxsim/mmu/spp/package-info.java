/**
 * Sub-page write protection as KVM offers it: the interface of the series' last posting, exact to the sub-page in every
 * path and atomic.
 *
 * <p>Read in this order: {@link org.vmxsim.mmu.spp.SubPageProtection} (the calls), {@code Sppt} (the tables). The
 * bitmaps are kept by memslot, in {@link org.vmxsim.mmu.memslot.SubPageBitmaps}; pages are armed by
 * {@link org.vmxsim.mmu.ept.EptMmu}. Not modelled: the historic behaviours of the series.
 */
package org.vmxsim.mmu.spp;
