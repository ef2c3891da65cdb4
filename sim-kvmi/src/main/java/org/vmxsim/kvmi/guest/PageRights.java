package org.vmxsim.kvmi.guest;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.abi.Capability;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.spp.SubPages;
import org.vmxsim.mmu.view.Views;

/** What the tool took away from pages and sub-pages, so that its end gives it back. */
public final class PageRights {
    private static final int ALL = 7;

    private final Vm vm;
    private final Map<Integer, Set<Long>> restricted = new HashMap<>();
    private final Map<Integer, Set<Long>> convertible = new HashMap<>();
    /** Bitmaps as they were before the tool set them, by guest frame. */
    private final Map<Long, Integer> bitmaps = new HashMap<>();

    private boolean subPages;

    /**
     * Nothing taken away.
     *
     * @param vm the virtual machine
     */
    public PageRights(Vm vm) {
        this.vm = vm;
    }

    /**
     * Sets the rights of a page in a view.
     *
     * @param view number of the view
     * @param gfn the guest frame, which may have no memory yet
     * @param access bit 0 read, bit 1 write, bit 2 execute
     * @return 0, or as {@link Views#access(int, long, int)} fails
     */
    public KvmResult set(int view, long gfn, int access) {
        KvmResult result = vm.views().access(view, gfn, access);
        if (result.isOk()) {
            note(restricted, view, gfn, access != ALL);
        }
        return result;
    }

    /**
     * Chooses whether violations in a page are exits or #VE.
     *
     * @param view number of the view
     * @param gfn the guest frame
     * @param suppress true for exits
     * @return 0, or as {@link Views#suppressVe} fails
     */
    public KvmResult suppressVe(int view, long gfn, boolean suppress) {
        KvmResult result = vm.views().suppressVe(view, gfn, suppress);
        if (result.isOk()) {
            note(convertible, view, gfn, !suppress);
        }
        return result;
    }

    private static void note(Map<Integer, Set<Long>> pages, int view, long gfn, boolean changed) {
        if (changed) {
            pages.computeIfAbsent(view, key -> new HashSet<>()).add(gfn);
        } else if (pages.containsKey(view)) {
            pages.get(view).remove(gfn);
        }
    }

    /**
     * Lets the tool protect sub-pages.
     *
     * @return 0, or as {@link Vm#enableCap(Capability)} fails
     */
    public KvmResult enableSubPages() {
        KvmResult result = vm.enableCap(Capability.SPP);
        subPages = result.isOk();
        return result;
    }

    /**
     * Whether the tool may protect sub-pages.
     *
     * @return true after {@link #enableSubPages}
     */
    public boolean allowsSubPages() {
        return subPages;
    }

    /**
     * Sets which sub-pages of a page can be written, in all views.
     *
     * @param gfn the guest frame
     * @param bitmap bit n for the n-th 128 bytes
     * @return the number of pages, 1, or as {@link Vm#setSubPages} fails
     */
    public KvmResult bitmap(long gfn, int bitmap) {
        SubPages before = vm.getSubPages(gfn, 1);
        KvmResult result = before.result().isOk() ? vm.setSubPages(gfn, new int[] {bitmap}) : before.result();
        if (result.isOk()) {
            bitmaps.putIfAbsent(gfn, before.bitmaps()[0]);
        }
        return result;
    }

    /**
     * Whether the tool protects sub-pages of a page.
     *
     * @param gfn the guest frame
     * @return true after {@link #bitmap}
     */
    public boolean protectsSubPages(long gfn) {
        return bitmaps.containsKey(gfn);
    }

    /**
     * Forgets a view that is there no more.
     *
     * @param view its number
     */
    public void destroyed(int view) {
        restricted.remove(view);
        convertible.remove(view);
    }

    /** Gives everything back. */
    public void clear() {
        Views views = vm.views();
        restricted.forEach((view, pages) -> pages.forEach(gfn -> views.access(view, gfn, ALL)));
        convertible.forEach((view, pages) -> pages.forEach(gfn -> views.suppressVe(view, gfn, true)));
        bitmaps.forEach((gfn, bitmap) -> vm.setSubPages(gfn, new int[] {bitmap}));
        restricted.clear();
        convertible.clear();
        bitmaps.clear();
        subPages = false;
    }
}
