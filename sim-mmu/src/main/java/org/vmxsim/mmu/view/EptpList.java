package org.vmxsim.mmu.view;

import org.vmxsim.mmu.host.FrameAllocator;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.page.KernelMemory;

/**
 * The page of 512 EPT pointers from which VMFUNC takes the one that the guest asks for by index (SDM "EPTP Switching"):
 * the index is the view id, and what the guest must not reach is 0, which no EPT pointer may be.
 */
public final class EptpList {
    private static final long NONE = 0;

    private final KernelMemory memory;
    private final FrameAllocator frames;
    private final int addressSpace;
    private final long[] entries = new long[Views.MAX_VIEWS];
    private long hpa = FrameAllocator.NONE;
    /** One more than the last entry that is not 0. */
    private int end;

    /**
     * An empty list. It takes a frame when its first view becomes visible.
     *
     * @param memory the machine's memory as the hypervisor sees it
     * @param frames where the frame comes from
     * @param addressSpace the address space whose roots it lists, 0 or 1
     */
    public EptpList(KernelMemory memory, FrameAllocator frames, int addressSpace) {
        this.memory = memory;
        this.frames = frames;
        this.addressSpace = addressSpace;
    }

    /**
     * Brings the list in line with the views.
     *
     * @param views which are visible
     * @param roots their EPT pointers
     * @return false if there is no memory for the list or for a root: nobody may enter the guest with it
     */
    public boolean update(Views views, ViewRoots roots) {
        int last = 0;
        for (int view = views.nextVisible(0); view >= 0; view = views.nextVisible(view + 1)) {
            last = view + 1;
        }
        end = Math.max(end, last);
        for (int view = 0; view < end; view++) {
            if (!set(view, views.isVisible(view) ? roots.eptp(view, addressSpace) : NONE)) {
                return false;
            }
        }
        end = last;
        return true;
    }

    private boolean set(int view, long eptp) {
        if (entries[view] == eptp) {
            return true;
        }
        if (hpa == FrameAllocator.NONE) {
            hpa = frames.allocate(PageSize.SIZE_4K);
        }
        if (eptp == ViewRoots.NO_MEMORY || hpa == FrameAllocator.NONE) {
            return false;
        }
        entries[view] = eptp;
        memory.writeLong(hpa + 8L * view, eptp);
        return true;
    }

    /**
     * Whether the guest is to have VM functions at all.
     *
     * @return true if any view is visible
     */
    public boolean isNeeded() {
        return end > 0;
    }

    /**
     * Where the list is.
     *
     * @return host-physical address; negative before any view was visible
     */
    public long hpa() {
        return hpa;
    }

    /**
     * The view of an EPT pointer that the guest has taken from the list.
     *
     * @param eptp the pointer
     * @return the view
     */
    public int viewOf(long eptp) {
        for (int view = 0; view < end; view++) {
            if (entries[view] == eptp) {
                return view;
            }
        }
        throw new AssertionError("the guest runs on an EPT that is not in its list, eptp=0x" + Long.toHexString(eptp));
    }
}
