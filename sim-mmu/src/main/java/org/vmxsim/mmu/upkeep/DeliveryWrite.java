package org.vmxsim.mmu.upkeep;

import org.vmxsim.mmu.ept.EptMmu;
import org.vmxsim.mmu.memslot.DirtyBitmap;
import org.vmxsim.mmu.memslot.Memslot;

/**
 * A write that the processor made, or tried to make, on a page whose writes are logged, while it delivered an event.
 * How many bytes it writes is not known, so that it is logged first; if it is denied after all, that is taken back.
 * There is one such write at a time, since what is delivered to a vCPU makes its writes one after the other.
 */
public final class DeliveryWrite {
    /** The longest push. */
    private static final int MOST_BYTES = 8;

    private static final long PAGE_BYTES = 4096;

    private final EptMmu mmu;
    private Memslot slot;
    private long gfn;
    private long gla;
    private long rip;
    private long retired;

    /**
     * No write under way.
     *
     * @param mmu the virtual machine's EPT
     */
    public DeliveryWrite(EptMmu mmu) {
        this.mmu = mmu;
    }

    /**
     * A write is let through, and has been logged for the first time.
     *
     * @param newSlot the memslot
     * @param gpa guest-physical address of the first byte
     * @param newGla guest-linear address of the first byte
     * @param newRip where the event is delivered
     * @param newRetired how many instructions the processor has retired
     */
    public void begin(Memslot newSlot, long gpa, long newGla, long newRip, long newRetired) {
        slot = newSlot;
        gfn = gpa >>> 12;
        gla = newGla;
        rip = newRip;
        retired = newRetired;
    }

    /** Whatever is under way has been written, or nobody can tell any more. */
    public void forget() {
        slot = null;
    }

    /**
     * A write is denied. If it is the one under way, or its part in the next page, the page is not dirty by it.
     *
     * @param deniedGla guest-linear address that the processor reports
     * @param atRip where the event is delivered
     * @param nowRetired how many instructions the processor has retired
     */
    public void denied(long deniedGla, long atRip, long nowRetired) {
        boolean secondPart = deniedGla % PAGE_BYTES == 0 && deniedGla - gla > 0 && deniedGla - gla < MOST_BYTES;
        boolean same = rip == atRip && retired == nowRetired && (deniedGla == gla || secondPart);
        if (slot != null && same && slot.isDirty(gfn)) {
            long page = gfn - slot.baseGfn();
            slot.dirty().clear((int) (page / DirtyBitmap.WORD_PAGES), 1L << page);
            mmu.writeProtect(slot, gfn);
        }
        forget();
    }
}
