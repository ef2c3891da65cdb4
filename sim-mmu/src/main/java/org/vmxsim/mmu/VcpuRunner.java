package org.vmxsim.mmu;

/**
 * Runs a vCPU for whoever schedules it: the vCPU's own {@link Vcpu#run}, or somebody in front of it who deals with some
 * of its exits, or lets it wait.
 */
@FunctionalInterface
public interface VcpuRunner {
    /**
     * Runs a vCPU until something needs the caller.
     *
     * @param vcpu the vCPU
     * @param maxInstructions budget, as {@link Vcpu#run} has it
     * @return why it came back; {@link VcpuExit.Intr} if the budget is used up or the vCPU has to wait
     */
    VcpuExit run(Vcpu vcpu, long maxInstructions);
}
