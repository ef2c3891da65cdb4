/**
 * What keeps EPT entries that exist in step with the world: with the memslots when they change, with the logs of writes
 * and accesses, and with the host's own page tables.
 *
 * <p>Read in this order: {@link org.vmxsim.mmu.upkeep.MemoryRegions} (memslots come, go, move),
 * {@link org.vmxsim.mmu.upkeep.DirtyLogging} (how writes are noticed), {@link org.vmxsim.mmu.upkeep.DirtyLog} (the
 * calls that read and clear the log), {@link org.vmxsim.mmu.upkeep.DeliveryWrite} (a write that is taken out of the
 * log), {@link org.vmxsim.mmu.upkeep.AccessTracking}, {@link org.vmxsim.mmu.upkeep.HostNotifications}. Not modelled:
 * the dirty ring, logging of a nested guest's writes.
 */
package org.vmxsim.mmu.upkeep;
