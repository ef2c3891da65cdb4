package org.vmxsim.mmu.trace;

/** Who is told about tracepoints, on the thread that runs the virtual machine, while the thing happens. */
@FunctionalInterface
public interface TraceListener {
    /**
     * The hypervisor did something.
     *
     * @param vcpu number of the vCPU that was served, or -1 if none was
     * @param event what it did
     */
    void traced(int vcpu, TraceEvent event);
}
