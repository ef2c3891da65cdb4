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

/**
 * What the tool took away from pages and sub-pages, and the memory that it put behind pages, so that its end gives it
 * back.
 */
public final class PageRights {
    private static final int READ = 1;
    private static final int WRITE = 2;
    private static final int ALL = 7;
    private static final int EVERY_SUB_PAGE = -1;

    /** The bitmap of a page before the tool set one, and the one it set. */
    private record Bitmap(int before, int now) {}

    private final Vm vm;
    private final Map<Integer, Set<Long>> restricted = new HashMap<>();
    private final Map<Integer, Set<Long>> convertible = new HashMap<>();
    private final Map<Integer, Set<Long>> changed = new HashMap<>();
    private final Map<Long, Bitmap> bitmaps = new HashMap<>();
    private boolean subPages;
    private boolean switchedOn;

    /**
     * Nothing taken away.
     *
     * @param vm the virtual machine
     */
    public PageRights(Vm vm) {
        this.vm = vm;
    }

    /**
     * Sets the rights of a page in a view. In the default view, that all of the page can be written ends what the tool
     * allowed of its sub-pages, as kvmi.rst has it ("KVMI_SET_PAGE_WRITE_BITMAP").
     *
     * @param view number of the view
     * @param gfn the guest frame, which may have no memory yet
     * @param access bit 0 read, bit 1 write, bit 2 execute
     * @return 0, or as {@link Views#access(int, long, int)} fails
     */
    public KvmResult set(int view, long gfn, int access) {
        KvmResult result = restrict(view, gfn, access);
        if (result.isOk() && view == Views.DEFAULT_VIEW && (access & WRITE) != 0 && bitmaps.containsKey(gfn)) {
            restore(gfn, bitmaps.remove(gfn).before);
        }
        return result;
    }

    private KvmResult restrict(int view, long gfn, int access) {
        KvmResult result = vm.views().access(view, gfn, access);
        if (result.isOk()) {
            note(restricted, view, gfn, access != ALL);
        }
        return result;
    }

    private void restore(long gfn, int bitmap) {
        vm.setSubPages(gfn, new int[] {bitmap});
    }

    /**
     * The rights of a page in a view.
     *
     * @param view number of the view
     * @param gfn the guest frame
     * @return as {@link #set} takes them, without write if only some of its sub-pages can be written
     */
    public int get(int view, long gfn) {
        int access = vm.views().permissions(view, gfn);
        return protectsSubPages(gfn) ? access & ~WRITE : access;
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
     * Puts the memory of another page behind a page in a view.
     *
     * @param view number of the view
     * @param gfn the guest frame
     * @param newGfn the guest frame whose memory it gets; the same one ends that
     * @return 0, or as {@link Views#changeGfn} fails
     */
    public KvmResult change(int view, long gfn, long newGfn) {
        KvmResult result = vm.views().changeGfn(view, gfn, newGfn);
        if (result.isOk()) {
            note(changed, view, gfn, vm.views().backing(view, gfn) != gfn);
        }
        return result;
    }

    /**
     * Lets the tool protect sub-pages.
     *
     * @return 0, or as {@link Vm#enableCap(Capability)} fails
     */
    public KvmResult enableSubPages() {
        boolean before = vm.subPages().isActive();
        KvmResult result = vm.enableCap(Capability.SPP);
        subPages = result.isOk();
        switchedOn |= subPages && !before;
        return result;
    }

    /**
     * Whether the tool may protect sub-pages: libkvmi cannot ask for it, and relies on who made the virtual machine.
     *
     * @return true after {@link #enableSubPages}, and where the owner of the virtual machine has enabled sub-pages
     */
    public boolean allowsSubPages() {
        return subPages || !switchedOn && vm.subPages().isActive();
    }

    /**
     * Sets which sub-pages of a page can be written, in all views. In the default view only the bitmap decides about
     * writes from then on.
     *
     * @param gfn the guest frame
     * @param bitmap bit n for the n-th 128 bytes
     * @return the number of pages, 1, or as {@link Vm#setSubPages} fails
     */
    public KvmResult bitmap(long gfn, int bitmap) {
        SubPages before = vm.getSubPages(gfn, 1);
        KvmResult result = before.result().isOk() ? vm.setSubPages(gfn, new int[] {bitmap}) : before.result();
        if (result.isOk()) {
            Bitmap known = bitmaps.get(gfn);
            bitmaps.put(gfn, new Bitmap(known == null ? before.bitmaps()[0] : known.before, bitmap));
            int access = vm.views().permissions(Views.DEFAULT_VIEW, gfn);
            if ((access & (READ | WRITE)) == READ) {
                restrict(Views.DEFAULT_VIEW, gfn, access | WRITE);
            }
        }
        return result;
    }

    /**
     * Whether the tool protects sub-pages of a page.
     *
     * @param gfn the guest frame
     * @return true after {@link #bitmap} with any bit 0
     */
    public boolean protectsSubPages(long gfn) {
        Bitmap bitmap = bitmaps.get(gfn);
        return bitmap != null && bitmap.now != EVERY_SUB_PAGE;
    }

    /**
     * Forgets a view that is there no more.
     *
     * @param view its number
     */
    public void destroyed(int view) {
        restricted.remove(view);
        convertible.remove(view);
        changed.remove(view);
    }

    /** Gives everything back. */
    public void clear() {
        Views views = vm.views();
        restricted.forEach((view, pages) -> pages.forEach(gfn -> views.access(view, gfn, ALL)));
        convertible.forEach((view, pages) -> pages.forEach(gfn -> views.suppressVe(view, gfn, true)));
        changed.forEach((view, pages) -> pages.forEach(gfn -> views.changeGfn(view, gfn, gfn)));
        bitmaps.forEach((gfn, bitmap) -> restore(gfn, bitmap.before));
        restricted.clear();
        convertible.clear();
        changed.clear();
        bitmaps.clear();
        subPages = false;
    }
}
