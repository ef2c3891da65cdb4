package org.vmxsim.mmu;

/**
 * Runs a vCPU for whoever schedules it: the vCPU's own {@link Vcpu#run}, or somebody in front of it who deals with some
 * of its exits, or lets it wait.
 */
public interface VcpuRunner {
    /** Nobody in front of the vCPU. */
    VcpuRunner DIRECT = Vcpu::run;

    /**
     * Runs a vCPU until something needs the caller.
     *
     * @param vcpu the vCPU
     * @param maxInstructions budget, as {@link Vcpu#run} has it
     * @return why it came back; {@link VcpuExit.Intr} if the budget is used up or the vCPU has to wait
     */
    VcpuExit run(Vcpu vcpu, long maxInstructions);

    /**
     * Whether a vCPU could run now.
     *
     * @param vcpu the vCPU
     * @return false if it waits for something outside
     */
    default boolean isReady(Vcpu vcpu) {
        return true;
    }

    /**
     * What the last {@link #run} of a vCPU has left of its budget.
     *
     * @param vcpu the vCPU
     * @return instructions and VM exits, at least 0
     */
    default long budgetLeft(Vcpu vcpu) {
        return vcpu.budgetLeft();
    }

    /** Waits for what vCPUs wait for, because none of them can run; returns after a while even if nothing came. */
    default void idle() {}
}
