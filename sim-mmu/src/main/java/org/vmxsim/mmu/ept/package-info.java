/**
 * The EPT builder: software that keeps a virtual machine's EPT in physical memory. The hardware that walks it is in
 * module sim-vmx.
 *
 * <p>Read in this order: {@link org.vmxsim.mmu.ept.Spte} (what entries look like), {@link org.vmxsim.mmu.ept.EptMmu}
 * (what is mapped, and how large), {@code EptTables} (linking, splitting, dropping). Not modelled: several roots, five
 * levels, access tracking, dirty logging, entries that mark devices.
 */
package org.vmxsim.mmu.ept;
