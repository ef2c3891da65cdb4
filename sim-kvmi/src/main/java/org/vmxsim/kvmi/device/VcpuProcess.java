package org.vmxsim.kvmi.device;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.core.paging.GuestPagingWalker;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.guest.GuestPageTables;

/**
 * The process that runs on a vCPU: its address space is what the page tables map that the vCPU has loaded when this is
 * made. Page tables know no areas, so that all of user space is one, and no copy on write: a page that the process may
 * not write is nobody's to give.
 */
public final class VcpuProcess extends GuestProcess {
    private final Vcpu vcpu;
    private final CpuState paging;
    private final GuestPageTables tables;

    /**
     * The process that runs now.
     *
     * @param vcpu the vCPU
     * @throws IllegalArgumentException if it is null
     */
    public VcpuProcess(Vcpu vcpu) {
        if (vcpu == null) {
            throw new IllegalArgumentException("need a vCPU, got null");
        }
        this.vcpu = vcpu;
        this.paging = vcpu.state();
        this.tables = new GuestPageTables(vcpu.memory(), vcpu.processor().model);
    }

    @Override
    protected boolean copyFromUser(long gva, byte[] to) {
        if (!accessOk(gva, to.length)) {
            return false;
        }
        for (int done = 0; done < to.length; ) {
            long gpa = tables.gpa(paging, gva + done, AccessContext.READ | AccessContext.USER);
            int count = (int) Math.min(to.length - done, PAGE_BYTES - (gva + done) % PAGE_BYTES);
            if (gpa == GuestPageTables.NONE || vcpu.memory().hpa(gpa) < 0) {
                return false;
            }
            System.arraycopy(vcpu.memory().read(gpa, count), 0, to, done, count);
            done += count;
        }
        return true;
    }

    @Override
    protected Area findArea(long gva) {
        return new Area(0, USER_END);
    }

    @Override
    protected PageLookup followPage(long gva) {
        long gpa = tables.gpa(paging, gva, GuestPagingWalker.SMAP_OVERRIDE);
        return gpa == GuestPageTables.NONE ? PageLookup.NONE : PageLookup.of(gpa);
    }

    @Override
    protected PageLookup writablePage(long gva) {
        long gpa = tables.gpa(paging, gva, AccessContext.WRITE | AccessContext.USER);
        if (gpa != GuestPageTables.NONE) {
            return PageLookup.of(gpa);
        }
        return followPage(gva).presence() == Presence.ABSENT ? PageLookup.NONE : PageLookup.failed(Errno.EFAULT);
    }

    /** The guest's tables are the guest's own: who runs its kernel changes them when the call has returned. */
    @Override
    protected void dropped(long startGva, long endGva) {}
}
