/**
 * The EPT builder: software that keeps a virtual machine's EPT in physical memory. The hardware that walks it is in
 * module sim-vmx.
 *
 * <p>Read in this order: {@link org.vmxsim.mmu.ept.Spte} (what entries look like), {@link org.vmxsim.mmu.ept.EptMmu}
 * (what can be asked for), {@link org.vmxsim.mmu.ept.EptRoots} (which roots there are, and who uses them),
 * {@code FaultPath} (how an EPT violation is met), {@code MappingRules} (how large and with which rights a page is
 * mapped), {@code EptTables} (linking, splitting, dropping), {@link org.vmxsim.mmu.ept.EptUpdates} (changes of what is
 * there). Ports to be implemented elsewhere: {@link org.vmxsim.mmu.ept.SubPageRules},
 * {@link org.vmxsim.mmu.ept.AccessRules}, {@link org.vmxsim.mmu.ept.VcpuRequests}. Not modelled: five levels, a limit
 * on the number of tables, shadow paging.
 */
package org.vmxsim.mmu.ept;
