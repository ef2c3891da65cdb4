/**
 * Sub-page write protection as KVM's series offers it: what all profiles have in common.
 *
 * <p>Read in this order: {@link org.vmxsim.mmu.spp.SppProfile}, {@link org.vmxsim.mmu.spp.SubPageProtection} (the
 * calls), {@link org.vmxsim.mmu.spp.SppEnvironment} (what a profile works on). The profiles are in packages of their
 * own. The bitmaps are kept by memslot, in {@link org.vmxsim.mmu.memslot.SubPageBitmaps}; pages are armed through
 * {@link org.vmxsim.mmu.ept.EptMmu}, which asks {@link org.vmxsim.mmu.ept.SubPageRules}.
 */
package org.vmxsim.mmu.spp;
