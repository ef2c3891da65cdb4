package org.vmxsim.mmu.track;

import org.vmxsim.mmu.memslot.Memslot;

/** What is done to mappings when the rules about pages change. */
@FunctionalInterface
public interface Mappings {
    /**
     * Removes every mapping of a range, in all views, and has the vCPUs invalidate; the next access maps a page by the
     * rules of that moment.
     *
     * @param slot the memslot
     * @param firstGfn first guest frame
     * @param lastGfn last guest frame, within the memslot
     */
    void zap(Memslot slot, long firstGfn, long lastGfn);
}
