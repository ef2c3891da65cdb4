package org.vmxsim.mmu.page;

import org.vmxsim.core.memory.PhysicalMemory;

/**
 * Physical memory as the hypervisor's own code reads and writes it, table entries above all. Every such reference goes
 * through here, so that the time model can charge the hypervisor's work to the processor that does it.
 */
public final class KernelMemory {
    /** Charges a reference by hypervisor code to simulated time. */
    @FunctionalInterface
    public interface Charge {
        /**
         * Hypervisor code loads or stores 8 bytes.
         *
         * @param hpa host-physical address
         * @param write whether it stores
         */
        void reference(long hpa, boolean write);
    }

    private final PhysicalMemory memory;
    private Charge charge;
    private long loads;
    private long stores;

    /**
     * The hypervisor's view of a memory.
     *
     * @param memory the machine's physical memory
     */
    public KernelMemory(PhysicalMemory memory) {
        this.memory = memory;
    }

    /**
     * Sets who is charged from now on.
     *
     * @param charge the time model of the processor whose exit is being handled, or null for nobody
     */
    public void charge(Charge charge) {
        this.charge = charge;
    }

    /**
     * Loads 8 bytes.
     *
     * @param hpa host-physical address
     * @return the value
     */
    public long readLong(long hpa) {
        loads++;
        if (charge != null) {
            charge.reference(hpa, false);
        }
        return memory.readLong(hpa);
    }

    /**
     * Stores 8 bytes.
     *
     * @param hpa host-physical address
     * @param value the value
     */
    public void writeLong(long hpa, long value) {
        stores++;
        if (charge != null) {
            charge.reference(hpa, true);
        }
        memory.writeLong(hpa, value);
    }

    /**
     * The memory below, for what is not the hypervisor's own work.
     *
     * @return the machine's physical memory
     */
    public PhysicalMemory physical() {
        return memory;
    }

    /**
     * How many loads were made.
     *
     * @return the count since the hypervisor started
     */
    public long loads() {
        return loads;
    }

    /**
     * How many stores were made.
     *
     * @return the count since the hypervisor started
     */
    public long stores() {
        return stores;
    }
}
