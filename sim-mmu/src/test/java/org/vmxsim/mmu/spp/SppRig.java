package org.vmxsim.mmu.spp;

import org.vmxsim.mmu.ept.EptMmu;
import org.vmxsim.mmu.ept.VcpuRequests;
import org.vmxsim.mmu.host.FrameAllocator;
import org.vmxsim.mmu.memslot.Memslots;
import org.vmxsim.mmu.page.KernelMemory;

/** A profile's environment without a virtual machine: requests are counted. */
public final class SppRig implements VcpuRequests {
    /** Nothing asked for. */
    public SppRig() {}

    /** How many remote flushes were asked for. */
    public int flushes;
    /** How many times all vCPUs were asked to load their tables. */
    public int loads;

    /**
     * Whether a remote flush was asked for since the last question.
     *
     * @return true if one was
     */
    public boolean takeFlush() {
        boolean taken = flushes > 0;
        flushes = 0;
        return taken;
    }

    /**
     * The environment.
     *
     * @param kernel memory as the hypervisor sees it
     * @param frames where tables come from
     * @param slots the memslots
     * @param mmu the EPT
     * @param supported whether the processors have SPP
     * @return what a profile works on
     */
    public SppEnvironment environment(
            KernelMemory kernel, FrameAllocator frames, Memslots slots, EptMmu mmu, boolean supported) {
        return new SppEnvironment(kernel, frames, slots, mmu, this, mmu.caches(), new SppGlobals(), supported, false);
    }

    @Override
    public int count() {
        return 1;
    }

    @Override
    public void flush(int vcpu) {
        flushes++;
    }

    @Override
    public void flushAll() {
        flushes++;
    }

    @Override
    public void loadMmu(int vcpu) {
        loads++;
    }

    @Override
    public void loadMmuAll() {
        loads++;
    }

    @Override
    public void updateDirtyLoggingAll() {}
}
