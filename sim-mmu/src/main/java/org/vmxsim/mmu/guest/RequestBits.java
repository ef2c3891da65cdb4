package org.vmxsim.mmu.guest;

import java.util.Arrays;
import org.vmxsim.mmu.ept.VcpuRequests;
import org.vmxsim.mmu.trace.MmuEvent;
import org.vmxsim.mmu.trace.Tracer;
import org.vmxsim.mmu.trace.VmCounter;

/** The request bits of the vCPUs of one virtual machine: what each has to do before it enters the guest again. */
public final class RequestBits implements VcpuRequests {
    /** Invalidate cached guest-physical and combined mappings. */
    public static final int FLUSH_TLB = 1;
    /** Load EPT pointer and sub-page-permission-table pointer anew. */
    public static final int LOAD_MMU = 1 << 1;
    /** Come back to the caller. */
    public static final int KICK = 1 << 2;
    /** Turn the page-modification log on or off. */
    public static final int UPDATE_DIRTY_LOGGING = 1 << 3;

    private final Tracer tracer;
    private int[] bits = new int[4];
    private int count;

    /**
     * No vCPU.
     *
     * @param tracer who is told of remote flushes
     */
    public RequestBits(Tracer tracer) {
        this.tracer = tracer;
    }

    /** One more vCPU, which has everything to load. */
    public void add() {
        if (count == bits.length) {
            bits = Arrays.copyOf(bits, 2 * count);
        }
        bits[count++] = LOAD_MMU | UPDATE_DIRTY_LOGGING;
    }

    /**
     * Asks one vCPU for something.
     *
     * @param vcpu number of the vCPU
     * @param request one of the constants
     */
    public void request(int vcpu, int request) {
        bits[vcpu] |= request;
    }

    /**
     * Whether a vCPU was asked for something; the question clears it.
     *
     * @param vcpu number of the vCPU
     * @param request one of the constants
     * @return true if it was
     */
    public boolean take(int vcpu, int request) {
        boolean taken = (bits[vcpu] & request) != 0;
        bits[vcpu] &= ~request;
        return taken;
    }

    private void requestAll(int request) {
        for (int vcpu = 0; vcpu < count; vcpu++) {
            bits[vcpu] |= request;
        }
    }

    @Override
    public int count() {
        return count;
    }

    @Override
    public void flush(int vcpu) {
        request(vcpu, FLUSH_TLB);
    }

    @Override
    public void flushAll() {
        tracer.count(VmCounter.REMOTE_TLB_FLUSH);
        if (tracer.isOn()) {
            tracer.emit(new MmuEvent.RemoteTlbFlush());
        }
        requestAll(FLUSH_TLB);
    }

    @Override
    public void loadMmu(int vcpu) {
        request(vcpu, LOAD_MMU);
    }

    @Override
    public void loadMmuAll() {
        requestAll(LOAD_MMU);
    }

    @Override
    public void updateDirtyLoggingAll() {
        requestAll(UPDATE_DIRTY_LOGGING);
    }
}
