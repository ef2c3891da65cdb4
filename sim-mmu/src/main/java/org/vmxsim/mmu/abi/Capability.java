package org.vmxsim.mmu.abi;

/** Capabilities that {@link org.vmxsim.mmu.Vm#enableCap} enables; the number is that of KVM or of its SPP series. */
public enum Capability {
    /** Sub-page write permissions, number 182 in the last posting of the series. */
    SPP(182),
    /** How the log of writes is read and cleared: the options of {@link org.vmxsim.mmu.upkeep.DirtyLog}. */
    MANUAL_DIRTY_LOG_PROTECT2(168);

    private final int number;

    Capability(int number) {
        this.number = number;
    }

    /**
     * The number.
     *
     * @return as in {@code KVM_CAP_...}
     */
    public int number() {
        return number;
    }
}
