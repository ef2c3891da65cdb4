package org.vmxsim.core.cpu;

/**
 * Sees stores of a processor: all of them in the cycle engine; in the functional engine those to pages without a write
 * tag, sub-page protected pages among them. Nothing it does changes the run.
 */
public interface StoreObserver {
    /**
     * A store is being made.
     *
     * @param hpa host-physical address of the first byte
     * @param sizeBytes bytes, all in one 4-KiB page
     */
    void stored(long hpa, int sizeBytes);
}
