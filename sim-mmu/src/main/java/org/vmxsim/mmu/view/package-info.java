/**
 * Views: several EPT hierarchies of one virtual machine over the same memslots, told apart by a view id, each with its
 * own restrictions of single pages (the access overlay). A vCPU is in one view at a time; software switches it, or the
 * guest itself by VMFUNC among the views that are visible to it.
 *
 * <p>Read in this order: {@link org.vmxsim.mmu.view.Views}, {@link org.vmxsim.mmu.view.Overlay},
 * {@link org.vmxsim.mmu.view.GuestRestrictions}, {@link org.vmxsim.mmu.view.EptpList},
 * {@link org.vmxsim.mmu.view.ViewAccess}, {@link org.vmxsim.mmu.view.ViewAccessHandler}. All views share one
 * sub-page-permission table: what it denies is denied in every view. Not modelled: another frame behind a page in one
 * view than in another.
 */
package org.vmxsim.mmu.view;
