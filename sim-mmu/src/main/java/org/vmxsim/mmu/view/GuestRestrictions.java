package org.vmxsim.mmu.view;

import org.vmxsim.mmu.ept.AccessRules;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.track.PageTracking;

/**
 * What views and page tracking together let the guest do without an exit, for the entries that the memory management
 * makes: the overlay's permissions without those that tracking takes. One page at a time may be exempt, while a vCPU
 * executes one instruction on it.
 */
public final class GuestRestrictions implements AccessRules {
    private static final int READ = 1;
    private static final int WRITE = 2;
    private static final int EXECUTE = 4;

    private final Views views;
    private final PageTracking tracking;
    private final boolean executeOnly;
    private final GrantedPages granted = new GrantedPages();

    /**
     * The rules of a virtual machine.
     *
     * @param views its views
     * @param tracking its tracked pages
     * @param executeOnly whether the processors allow EPT entries that only allow execution
     */
    public GuestRestrictions(Views views, PageTracking tracking, boolean executeOnly) {
        this.views = views;
        this.tracking = tracking;
        this.executeOnly = executeOnly;
    }

    /**
     * The pages that are exempt now.
     *
     * @return to be changed while one vCPU executes one instruction
     */
    public GrantedPages granted() {
        return granted;
    }

    @Override
    public int permissions(int view, Memslot slot, long gfn) {
        if (granted.contains(gfn)) {
            return ALL;
        }
        int permissions = views.permissions(view, gfn) & ofMemory(slot, gfn, backing(view, slot, gfn));
        // SDM "EPT Misconfigurations": no writes without reads, and no execution alone unless the processor has it.
        if ((permissions & READ) == 0) {
            permissions &= executeOnly ? EXECUTE : 0;
        }
        return permissions & (READ | WRITE | EXECUTE);
    }

    /**
     * Who tracks memory, tracks it at any address; what sub-pages are about, is judged by the emulator where two are.
     */
    private int ofMemory(Memslot slot, long gfn, long backing) {
        if (backing == gfn) {
            return tracking.permissions(slot, gfn);
        }
        Memslot memory = views.slot(backing);
        if (memory == null) {
            return ALL;
        }
        boolean subPages = isProtected(slot, gfn) || isProtected(memory, backing);
        return tracking.permissions(memory, backing) & (subPages ? READ | EXECUTE : ALL);
    }

    private static boolean isProtected(Memslot slot, long gfn) {
        return slot.bitmaps() != null && slot.bitmaps().isProtected(gfn, 1);
    }

    @Override
    public long backing(int view, Memslot slot, long gfn) {
        return slot.addressSpace() == 0 ? views.backing(view, gfn) : gfn;
    }

    @Override
    public int largestLevel(int view, Memslot slot, long gfn) {
        return Math.min(views.largestLevel(view, gfn), tracking.largestLevel(slot, gfn));
    }

    @Override
    public boolean suppressVe(int view, long gfn) {
        return views.suppressesVe(view, gfn);
    }
}
