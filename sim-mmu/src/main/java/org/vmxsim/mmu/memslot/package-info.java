/**
 * Guest-physical memory as the caller laid it out, and what is kept for each of its pages.
 *
 * <p>Read in this order: {@link org.vmxsim.mmu.memslot.Memslots}, {@link org.vmxsim.mmu.memslot.Memslot},
 * {@link org.vmxsim.mmu.memslot.SubPageBitmaps}, {@link org.vmxsim.mmu.memslot.DirtyBitmap}. Not modelled: the dirty
 * ring, memslots for device memory.
 */
package org.vmxsim.mmu.memslot;
