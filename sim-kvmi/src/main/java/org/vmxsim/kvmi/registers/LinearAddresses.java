package org.vmxsim.kvmi.registers;

import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.guest.GuestPageTables;

/** Linear addresses of a guest, looked up in the page tables that a vCPU has loaded. */
public final class LinearAddresses {
    private LinearAddresses() {}

    /**
     * Where an address leads now, without a trace in the guest.
     *
     * @param vcpu the vCPU
     * @param gva linear address
     * @param access the access, as {@link GuestPageTables#gpa} takes it
     * @return guest-physical address, or {@link GuestPageTables#NONE}
     */
    public static long gpa(Vcpu vcpu, long gva, int access) {
        return new GuestPageTables(vcpu.memory(), vcpu.processor().model).gpa(vcpu.state(), gva, access);
    }
}
