package org.vmxsim.lab.subpage;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.Hypercalls;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.memslot.SubPageBitmaps;
import org.vmxsim.mmu.spp.SubPages;

/**
 * The hypercall by which a guest arms and disarms its own sub-pages; the interface is documented in
 * guests/kvserver/README.md. RDI is the function: 1 protect and 2 unprotect the range at RSI of RDX bytes, 3 query the
 * page of RSI, 4 set the bitmap RDX of the page at RSI.
 */
public final class SubPageHypercall implements Hypercalls.Handler {
    /** The number in RAX: "SPP1". */
    public static final long NUMBER = 0x5350_5031;

    private static final long U32 = 0xffff_ffffL;
    private static final int SUB_PAGE_BYTES = 128;
    private static final int PAGE_BYTES = 4096;

    private final Vm vm;
    private final SubPageMap watched;
    private final WholePages wholePages;

    /**
     * The hypercall of a virtual machine.
     *
     * @param vm the virtual machine
     * @param watched is told which pages are protected
     * @param wholePages write-protects them as a whole, or null to leave judging to the processor
     */
    public SubPageHypercall(Vm vm, SubPageMap watched, WholePages wholePages) {
        this.vm = vm;
        this.watched = watched;
        this.wholePages = wholePages;
    }

    @Override
    public long call(Vcpu vcpu, long rbx, long rcx, long rdx, long rsi) {
        long function = vcpu.processor().gpr[CpuState.RDI];
        if (function == 3) {
            SubPages page = vm.getSubPages(rsi >>> 12, 1);
            return page.result().isOk()
                    ? page.bitmaps()[0] & U32
                    : page.result().returnValue();
        }
        if (function == 4 && rsi % PAGE_BYTES == 0 && rdx >>> 32 == 0) {
            return set(rsi >>> 12, (int) rdx);
        }
        return function == 1 || function == 2 ? range(rsi, rdx, function == 2) : -Errno.EINVAL.number();
    }

    /**
     * Protects a range before the guest starts.
     *
     * @param gpa guest-physical address, a multiple of 128
     * @param sizeBytes size, a positive multiple of 128
     * @return 0 or a negative errno
     */
    public long protect(long gpa, long sizeBytes) {
        return range(gpa, sizeBytes, false);
    }

    private long set(long gfn, int bitmap) {
        KvmResult result = vm.setSubPages(gfn, new int[] {bitmap});
        if (!result.isOk()) {
            return result.returnValue();
        }
        watched.watch(gfn);
        if (wholePages != null) {
            wholePages.protect(gfn, bitmap != SubPageBitmaps.FULL);
        }
        return 0;
    }

    /** Page by page: memory ends long before a hostile length does. */
    private long range(long start, long sizeBytes, boolean writable) {
        if ((start | sizeBytes) % SUB_PAGE_BYTES != 0
                || sizeBytes <= 0
                || start < 0
                || start > Long.MAX_VALUE - sizeBytes) {
            return -Errno.EINVAL.number();
        }
        long end = start + sizeBytes;
        for (long gpa = start; gpa < end; gpa = (gpa | PAGE_BYTES - 1) + 1) {
            SubPages page = vm.getSubPages(gpa >>> 12, 1);
            if (!page.result().isOk()) {
                return page.result().returnValue();
            }
            int first = (int) (gpa & PAGE_BYTES - 1) / SUB_PAGE_BYTES;
            int count = (int) Math.min(32 - first, (end - gpa) / SUB_PAGE_BYTES);
            int touched = (int) (U32 >>> 32 - count) << first;
            int before = page.bitmaps()[0];
            long result = set(gpa >>> 12, writable ? before | touched : before & ~touched);
            if (result != 0) {
                return result;
            }
        }
        return 0;
    }
}
