package org.vmxsim.mmu;

import java.util.List;
import org.vmxsim.mmu.ept.VcpuRequests;

/** The request bits of the vCPUs of one virtual machine. */
final class RequestBits implements VcpuRequests {
    private final List<Vcpu> vcpus;

    RequestBits(List<Vcpu> vcpus) {
        this.vcpus = vcpus;
    }

    @Override
    public int count() {
        return vcpus.size();
    }

    @Override
    public void flush(int vcpu) {
        vcpus.get(vcpu).request(Vcpu.FLUSH_TLB);
    }

    @Override
    public void flushAll() {
        vcpus.forEach(vcpu -> vcpu.request(Vcpu.FLUSH_TLB));
    }

    @Override
    public void loadMmu(int vcpu) {
        vcpus.get(vcpu).request(Vcpu.LOAD_MMU);
    }

    @Override
    public void loadMmuAll() {
        vcpus.forEach(vcpu -> vcpu.request(Vcpu.LOAD_MMU));
    }

    @Override
    public void updateDirtyLoggingAll() {
        vcpus.forEach(vcpu -> vcpu.request(Vcpu.UPDATE_DIRTY_LOGGING));
    }
}
