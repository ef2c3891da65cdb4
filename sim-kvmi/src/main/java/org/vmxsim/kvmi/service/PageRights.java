package org.vmxsim.kvmi.service;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.view.Views;

/** What the tool took away from pages, so that its end gives it back. */
final class PageRights {
    private static final int ALL = 7;

    private final Introspection introspection;
    private final Map<Integer, Set<Long>> restricted = new HashMap<>();
    private final Map<Integer, Set<Long>> convertible = new HashMap<>();
    private final Set<Long> subPages = new HashSet<>();
    private final Set<Integer> created = new HashSet<>();

    PageRights(Introspection introspection) {
        this.introspection = introspection;
    }

    private Vm vm() {
        return introspection.vm();
    }

    /** Sets the rights of a page in a view; false if the view or the rights are none. */
    boolean set(int view, long gfn, int access) {
        if (!vm().views().access(view, gfn, access).isOk()) {
            return false;
        }
        Set<Long> pages = restricted.computeIfAbsent(view, key -> new HashSet<>());
        if (access == ALL) {
            pages.remove(gfn);
        } else {
            pages.add(gfn);
        }
        return true;
    }

    /** Chooses whether violations in a page are exits or #VE; false if there is no such view. */
    boolean suppressVe(int view, long gfn, boolean suppress) {
        if (!vm().views().suppressVe(view, gfn, suppress).isOk()) {
            return false;
        }
        convertible.computeIfAbsent(view, key -> new HashSet<>()).add(gfn);
        return true;
    }

    void protectedSubPages(long gfn) {
        subPages.add(gfn);
    }

    /** Whether the tool protects sub-pages of a page. */
    boolean protectsSubPages(long gfn) {
        return subPages.contains(gfn);
    }

    void createdView(int view) {
        created.add(view);
    }

    void destroyedView(int view) {
        created.remove(view);
        restricted.remove(view);
        convertible.remove(view);
    }

    /** Gives everything back. */
    void clear() {
        Views views = vm().views();
        restricted.forEach((view, pages) -> pages.forEach(gfn -> views.access(view, gfn, ALL)));
        convertible.forEach((view, pages) -> pages.forEach(gfn -> views.suppressVe(view, gfn, true)));
        subPages.forEach(gfn -> vm().setSubPages(gfn, new int[] {-1}));
        created.forEach(views::destroy);
        restricted.clear();
        convertible.clear();
        subPages.clear();
        created.clear();
    }
}
