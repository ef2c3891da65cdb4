package org.vmxsim.mmu.spp;

import org.vmxsim.mmu.trace.SubPageEvent;
import org.vmxsim.mmu.trace.Tracer;

/** Tells at the tracepoints what a profile does. */
public final class SubPageTracing {
    private final Tracer tracer;

    /**
     * The tracepoints of a virtual machine.
     *
     * @param tracer who is told
     */
    public SubPageTracing(Tracer tracer) {
        this.tracer = tracer;
    }

    /**
     * The bitmap of a page was stored.
     *
     * @param gfn guest frame
     * @param bitmap the bitmap
     */
    public void set(long gfn, int bitmap) {
        if (tracer.isOn()) {
            tracer.emit(new SubPageEvent.SetSubPages(gfn, bitmap));
        }
    }

    /**
     * An SPP miss was answered.
     *
     * @param gfn first guest frame whose vector was written, or could have been
     * @param pages how many vectors were written
     */
    public void filled(long gfn, int pages) {
        if (tracer.isOn()) {
            tracer.emit(new SubPageEvent.FillSppt(gfn, pages));
        }
    }

    /**
     * The entries above the vectors of a range were made invalid.
     *
     * @param gfn first guest frame
     * @param npages how many pages
     */
    public void flushed(long gfn, int npages) {
        if (tracer.isOn()) {
            tracer.emit(new SubPageEvent.FlushSppt(gfn, npages));
        }
    }
}
