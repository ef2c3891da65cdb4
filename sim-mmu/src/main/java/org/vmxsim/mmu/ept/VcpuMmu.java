package org.vmxsim.mmu.ept;

import org.vmxsim.mmu.page.MmuPage;
import org.vmxsim.mmu.page.PageCache;

/** What memory management keeps for one vCPU: which root it uses, and frames for the tables that its faults need. */
public final class VcpuMmu {
    private final int id;
    private final PageCache cache;
    private int view;
    private int addressSpace;
    private boolean guestMode;
    private MmuPage root;

    VcpuMmu(int id, PageCache cache) {
        this.id = id;
        this.cache = cache;
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
     * The address space that it is in.
     *
     * @return 0, or 1 in system-management mode
     */
    public int addressSpace() {
        return addressSpace;
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

    boolean isIn(int inView, int inAddressSpace, boolean inGuestMode) {
        return view == inView && addressSpace == inAddressSpace && guestMode == inGuestMode;
    }

    void root(MmuPage newRoot) {
        root = newRoot;
    }

    void mode(int newView, int newAddressSpace, boolean newGuestMode) {
        view = newView;
        addressSpace = newAddressSpace;
        guestMode = newGuestMode;
    }
}
