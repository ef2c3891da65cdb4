package org.vmxsim.mmu.emulation;

/**
 * An access to a device that the caller has to make.
 *
 * @param port whether it is a port, not memory
 * @param write whether the guest writes
 * @param address guest-physical address or port number
 * @param sizeBytes 1 to 8
 * @param data the value written; 0 for a read
 */
public record DeviceAccess(boolean port, boolean write, long address, int sizeBytes, long data) {}
