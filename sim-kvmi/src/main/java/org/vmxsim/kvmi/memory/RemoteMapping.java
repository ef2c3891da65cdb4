package org.vmxsim.kvmi.memory;

import org.vmxsim.mmu.Vm;

/**
 * A page of one virtual machine that another has in the place of one of its own.
 *
 * @param caller who has it
 * @param mapGpa where: guest-physical address as given by the caller
 * @param target whose page it is
 * @param reqGpa which: guest-physical address as given by the caller
 * @param live whether it still is the page that the target has there; a stale one keeps what it held. With
 *     {@link MappingQuirk#BORROWED_PAGES} nobody knows, and it is true
 */
public record RemoteMapping(Vm caller, long mapGpa, Vm target, long reqGpa, boolean live) {}
