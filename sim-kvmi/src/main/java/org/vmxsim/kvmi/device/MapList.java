package org.vmxsim.kvmi.device;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * The driver's list of mappings: doubly linked through its entries, as in the kernel, so that a lost or a second unlink
 * is seen. Both ends are the list's own entry.
 */
final class MapList {
    private final PageMap head = new PageMap();

    /** One mapping of a page of this guest to a page of another one ({@code struct page_map}). */
    static final class PageMap {
        private PageMap previous;
        private PageMap next;
        /** Address in the process. */
        long gva;
        /** Guest-physical address of the process's page, which tells the host the mapping. */
        long gpa;
        /** Whether the driver keeps the page where it is. */
        boolean pinned;
        /** Whose page it is. */
        GuestProcess process;
    }

    MapList() {
        head.previous = head;
        head.next = head;
    }

    void append(PageMap entry) {
        if (entry.next != null) {
            throw new AssertionError("an entry of gva=0x" + Long.toHexString(entry.gva) + " is linked already");
        }
        entry.previous = head.previous;
        entry.next = head;
        head.previous.next = entry;
        head.previous = entry;
    }

    void unlink(PageMap entry) {
        if (entry.next == null || entry.next.previous != entry || entry.previous.next != entry) {
            throw new AssertionError("an entry of gva=0x" + Long.toHexString(entry.gva) + " is not linked");
        }
        entry.previous.next = entry.next;
        entry.next.previous = entry.previous;
        entry.next = null;
        entry.previous = null;
    }

    /** The oldest entry, or null. */
    PageMap first() {
        return head.next == head ? null : head.next;
    }

    /** The oldest entry of which something holds, or null. */
    PageMap find(Predicate<PageMap> condition) {
        for (PageMap entry = head.next; entry != head; entry = entry.next) {
            if (condition.test(entry)) {
                return entry;
            }
        }
        return null;
    }

    /** The addresses in the process, oldest first. */
    List<Long> addresses() {
        List<Long> addresses = new ArrayList<>();
        for (PageMap entry = head.next; entry != head; entry = entry.next) {
            addresses.add(entry.gva);
        }
        return addresses;
    }
}
