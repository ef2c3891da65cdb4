package org.vmxsim.mmu.trace;

/**
 * Something the hypervisor did. Each record is one tracepoint; {@link #point()} is KVM's name of it, or a name without
 * {@code kvm_} for what KVM has no tracepoint for.
 */
public sealed interface TraceEvent permits RunEvent, MmuEvent, SubPageEvent, HostEvent {
    /**
     * The name of the tracepoint.
     *
     * @return such as {@code kvm_exit}
     */
    String point();

    /**
     * The address that the event is about.
     *
     * @return a guest-physical address, of a HostEvent that names no guest frame a host virtual one, or -1 if the event
     *     has none
     */
    default long address() {
        return -1;
    }
}
