package org.vmxsim.mmu;

import java.util.List;
import org.vmxsim.mmu.ept.VcpuRequests;
import org.vmxsim.mmu.trace.MmuEvent;
import org.vmxsim.mmu.trace.Tracer;
import org.vmxsim.mmu.trace.VmCounter;

/** The request bits of the vCPUs of one virtual machine. */
final class RequestBits implements VcpuRequests {
    private final List<Vcpu> vcpus;
    private final Tracer tracer;

    RequestBits(List<Vcpu> vcpus, Tracer tracer) {
        this.vcpus = vcpus;
        this.tracer = tracer;
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
        tracer.count(VmCounter.REMOTE_TLB_FLUSH);
        if (tracer.isOn()) {
            tracer.emit(new MmuEvent.RemoteTlbFlush());
        }
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
