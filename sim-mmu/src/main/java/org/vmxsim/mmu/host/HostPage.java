package org.vmxsim.mmu.host;

/**
 * A page as {@link HostMemory#resolve(long, boolean, HostPage)} or {@link HostMemory#look} found it; reused from call
 * to call.
 */
public final class HostPage {
    /** Host-physical address of the frame's first byte; -1 if the page is not in a frame. */
    public long frameHpa = FrameAllocator.NONE;
    /** Size of the page in the host's page table: no larger page may be mapped from it. */
    public PageSize size = PageSize.SIZE_4K;
    /** Whether the frame may be written as it is; if not, a write must resolve the address again. */
    public boolean writable;
    /** Whether the host accessed the page since its flag was cleared. */
    public boolean accessed;
    /** Whether the host wrote the page since it came into the page table. */
    public boolean dirty;
    /** Whether the page lies in swap. */
    public boolean swapped;

    /** Nothing found yet. */
    public HostPage() {}

    void fill(long entry, PageSize entrySize) {
        boolean present = HostPageTable.has(entry, HostPageTable.PRESENT);
        frameHpa = present ? HostPageTable.frame(entry) : FrameAllocator.NONE;
        size = entrySize;
        writable = HostPageTable.has(entry, HostPageTable.WRITABLE);
        accessed = HostPageTable.has(entry, HostPageTable.ACCESSED);
        dirty = HostPageTable.has(entry, HostPageTable.DIRTY);
        swapped = HostPageTable.has(entry, HostPageTable.SWAPPED);
    }
}
