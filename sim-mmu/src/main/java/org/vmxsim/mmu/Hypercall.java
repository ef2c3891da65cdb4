package org.vmxsim.mmu;

/** A hypercall that the virtual machine answers by itself. */
@FunctionalInterface
public interface Hypercall {
    /**
     * The guest executed VMCALL.
     *
     * @param vcpu which vCPU
     * @param arg0 from RBX
     * @param arg1 from RCX
     * @param arg2 from RDX
     * @param arg3 from RSI
     * @return the value for RAX; errors are negative
     */
    long call(Vcpu vcpu, long arg0, long arg1, long arg2, long arg3);
}
