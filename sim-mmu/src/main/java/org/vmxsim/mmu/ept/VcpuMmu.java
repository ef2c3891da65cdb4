package org.vmxsim.mmu.ept;

import org.vmxsim.mmu.host.FrameAllocator;
import org.vmxsim.mmu.page.MmuPage;
import org.vmxsim.mmu.page.PageCache;

/** What memory management keeps for one vCPU: which root it uses, and frames for the tables that its faults need. */
public final class VcpuMmu {
    private final int id;
    private final PageCache cache;
    private int view;
    private boolean smm;
    private boolean guestMode;
    private MmuPage root;
    private boolean loaded;

    VcpuMmu(int id, FrameAllocator frames) {
        this.id = id;
        this.cache = new PageCache(frames);
    }

    /**
     * Number of the vCPU.
     *
     * @return 0 for the first
     */
    public int id() {
        return id;
    }

    /**
     * The frames kept for it.
     *
     * @return its page cache
     */
    public PageCache cache() {
        return cache;
    }

    /**
     * The view that it is in.
     *
     * @return 0 for the default view
     */
    public int view() {
        return view;
    }

    /**
     * Whether it is in system-management mode.
     *
     * @return true if it uses the second address space
     */
    public boolean isSmm() {
        return smm;
    }

    /**
     * The address space that it is in.
     *
     * @return 0, or 1 in system-management mode
     */
    public int addressSpace() {
        return smm ? 1 : 0;
    }

    /**
     * Whether it runs a nested guest.
     *
     * @return true if its tables are those for nested guests
     */
    public boolean isGuestMode() {
        return guestMode;
    }

    /**
     * The root that it holds.
     *
     * @return the table; null if it is to load one
     */
    public MmuPage root() {
        return root;
    }

    /** Whether the processor was told of the root. */
    boolean isLoaded() {
        return loaded;
    }

    void loaded() {
        loaded = true;
    }

    void root(MmuPage newRoot) {
        root = newRoot;
        loaded = false;
    }

    void mode(int newView, boolean newSmm, boolean newGuestMode) {
        view = newView;
        smm = newSmm;
        guestMode = newGuestMode;
    }
}
