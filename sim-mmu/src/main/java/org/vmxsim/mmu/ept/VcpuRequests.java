package org.vmxsim.mmu.ept;

/**
 * The request bits of a virtual machine's vCPUs, as its memory management sets them. A vCPU honours them before it
 * enters the guest again: KVM's {@code kvm_make_request} and {@code kvm_flush_remote_tlbs}.
 */
public interface VcpuRequests {
    /**
     * How many vCPUs there are.
     *
     * @return the count; their numbers are 0 to count-1
     */
    int count();

    /**
     * One vCPU invalidates what it may have cached of guest-physical mappings (single-context INVEPT).
     *
     * @param vcpu number of the vCPU
     */
    void flush(int vcpu);

    /** As {@link #flush}, for all vCPUs: a remote TLB flush. */
    void flushAll();

    /**
     * One vCPU loads EPT pointer and sub-page-permission-table pointer anew.
     *
     * @param vcpu number of the vCPU
     */
    void loadMmu(int vcpu);

    /** As {@link #loadMmu}, for all vCPUs. */
    void loadMmuAll();

    /** All vCPUs turn their page-modification log on or off, as writes to memslots are logged now or not. */
    void updateDirtyLoggingAll();
}
