package org.vmxsim.core.memory;

/**
 * A device that answers loads and stores of a range of physical addresses. Guest software reaches it; it never throws.
 */
public interface MmioDevice {
    /**
     * A load from the device.
     *
     * @param offset byte offset from the start of the device's range
     * @param sizeBytes 1, 2, 4 or 8
     * @return the value, zero-extended
     */
    long read(long offset, int sizeBytes);

    /**
     * A store to the device.
     *
     * @param offset byte offset from the start of the device's range
     * @param sizeBytes 1, 2, 4 or 8
     * @param value the value; bits above the size are to be ignored
     */
    void write(long offset, int sizeBytes, long value);
}
