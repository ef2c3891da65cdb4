package org.vmxsim.core.boot;

/** Memory that a loader fills: the machine's own, or that of a virtual machine. */
public interface GuestMemory {
    /**
     * Stores bytes.
     *
     * @param address first physical address, as the loaded program sees it
     * @param bytes what to store
     * @throws IllegalArgumentException if part of the range is not RAM
     */
    void load(long address, byte[] bytes);

    /**
     * Size of the RAM that begins at 0.
     *
     * @return bytes without a hole
     */
    long lowRamBytes();

    /**
     * Size of the RAM that begins at 4 GiB.
     *
     * @return bytes, 0 if there is none
     */
    default long highRamBytes() {
        return 0;
    }
}
