package org.vmxsim.kvmi.device;

/** The kernel that the driver is part of, as far as it reaches the hypervisor. */
public interface GuestKernel {
    /**
     * {@code kvm_para_available}: whether CPUID names KVM.
     *
     * @return true if hypercalls are KVM's
     */
    boolean hasParavirtualization();

    /**
     * Hypercall 32, KVM_HC_MEM_MAP, with the token in the kernel's memory ("hypercalls.txt" in patch 01/18).
     *
     * @param token 32 bytes
     * @param targetGpa guest-physical address in the introspected virtual machine
     * @param localGpa guest-physical address of the page of this one that becomes it
     * @return the hypercall's result
     */
    long map(byte[] token, long targetGpa, long localGpa);

    /**
     * Hypercall 33, KVM_HC_MEM_UNMAP.
     *
     * @param localGpa guest-physical address of the page, as for {@link #map}
     * @return the hypercall's result
     */
    long unmap(long localGpa);
}
