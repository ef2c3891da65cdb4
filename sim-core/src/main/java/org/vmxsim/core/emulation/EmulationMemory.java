package org.vmxsim.core.emulation;

import org.vmxsim.core.paging.GuestPhysicalTranslator;

/**
 * Guest-physical memory as an emulated instruction sees it, supplied by who emulates. All parts of an access are
 * {@linkplain #translate translated} before the first of them is loaded or stored; refusing one
 * ({@link GuestPhysicalTranslator#VM_EXIT}) abandons the instruction without effect. For instruction fetches and guest
 * paging structures the translation's host-physical address is used, for data only {@link #load} and {@link #store}.
 */
public interface EmulationMemory extends GuestPhysicalTranslator {
    /**
     * Loads data.
     *
     * @param gpa guest-physical address of the first byte
     * @param sizeBytes 1 to 8, all in one page
     * @return the value, zero-extended
     */
    long load(long gpa, int sizeBytes);

    /**
     * Stores data.
     *
     * @param gpa guest-physical address of the first byte
     * @param sizeBytes 1 to 8, all in one page
     * @param value the value; bits above the size are ignored
     */
    void store(long gpa, int sizeBytes, long value);
}
