package org.vmxsim.mmu.ept;

import org.vmxsim.mmu.memslot.Memslot;

/**
 * What restricts guest accesses besides the host and sub-page protection: the access overlay of a view, and page
 * tracking. Asked while EPT entries are made; whoever changes an answer zaps or changes the entries concerned. An entry
 * that may not be written by these rules is never armed for sub-page protection.
 */
public interface AccessRules {
    /** Permission bits of {@link #permissions}: read, write and execute, as in an EPT entry. */
    int ALL = 7;

    /** Nothing is restricted. */
    AccessRules NONE = new AccessRules() {};

    /**
     * What the guest may do to a page without an exit.
     *
     * @param view view of the faulting vCPU, 0 for the default view
     * @param slot the memslot
     * @param gfn the guest frame
     * @return bits 0 to 2: read, write, execute
     */
    default int permissions(int view, Memslot slot, long gfn) {
        return ALL;
    }

    /**
     * The largest level that may map a frame in a view.
     *
     * @param view the view
     * @param slot the memslot
     * @param gfn the guest frame
     * @return 1 to 3
     */
    default int largestLevel(int view, Memslot slot, long gfn) {
        return 3;
    }

    /**
     * Which page's memory is behind a page.
     *
     * @param view the view
     * @param slot the memslot of the guest frame
     * @param gfn the guest frame
     * @return the guest frame itself, or another of the same address space, which may have no memslot
     */
    default long backing(int view, Memslot slot, long gfn) {
        return gfn;
    }

    /**
     * Whether EPT violations of a page exit instead of raising #VE.
     *
     * @param view the view
     * @param gfn the guest frame
     * @return bit 63 of the entry
     */
    default boolean suppressVe(int view, long gfn) {
        return true;
    }
}
