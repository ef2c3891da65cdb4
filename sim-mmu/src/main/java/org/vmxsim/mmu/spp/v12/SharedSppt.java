package org.vmxsim.mmu.spp.v12;

import org.vmxsim.core.paging.Radix;
import org.vmxsim.mmu.host.FrameAllocator;
import org.vmxsim.mmu.page.KernelMemory;
import org.vmxsim.mmu.page.MmuPage;
import org.vmxsim.mmu.page.MmuPages;
import org.vmxsim.mmu.page.MmuRole;
import org.vmxsim.mmu.page.PageCache;
import org.vmxsim.spp.SppEntry;
import org.vmxsim.spp.SppVector;

/**
 * The SPPT that all vCPUs of one virtual machine share. Its pages are found by guest frame and level, so that a root
 * that was let go of is found again. The kernel takes any address but {@link #INVALID} for a root, 0 included.
 */
final class SharedSppt {
    /** {@code INVALID_PAGE}. */
    static final long INVALID = FrameAllocator.NONE;

    private static final int REGION_PAGES = 512;

    private final KernelMemory memory;
    private final MmuPages pages;
    /** {@code kvm->arch.sppt_root}: zero like everything in a new virtual machine. */
    private long root;

    SharedSppt(KernelMemory memory, MmuPages pages) {
        this.memory = memory;
        this.pages = pages;
    }

    long root() {
        return root;
    }

    boolean hasRoot() {
        return root != INVALID;
    }

    /** The root table, or null if the address is not that of one. */
    MmuPage rootPage() {
        return root == INVALID ? null : pages.at(root);
    }

    void invalidateRoot() {
        root = INVALID;
    }

    /** Finds or makes the root table ({@code kvm_spp_get_page}); false if the cache is empty. */
    boolean makeRoot(PageCache cache) {
        MmuPage page = page(cache, 0, Radix.PML4);
        root = page == null ? root : page.tableHpa();
        return page != null;
    }

    private MmuPage page(PageCache cache, long gfn, int level) {
        MmuRole role = new MmuRole(level, 0, false, false, false, true);
        MmuPage found = pages.find(gfn, role);
        if (found != null || cache.isEmpty()) {
            return found;
        }
        return pages.make(gfn, role, cache.take());
    }

    /**
     * Writes the vector of a page, making the tables on the way ({@code kvm_spp_setup_structure}); false if the cache
     * of pages is empty. A table whose entry was made invalid becomes valid again with all it holds.
     */
    boolean write(PageCache cache, long gfn, int bitmap) {
        long gpa = gfn << 12;
        long table = root;
        for (int level = Radix.PML4; level > Radix.PT; level--) {
            long at = Radix.entryAddress(table, gpa, level);
            long entry = memory.readLong(at);
            if (entry == 0) {
                MmuPage page = page(cache, gfn & -1L << 9 * (level - 1), level - 1);
                if (page == null) {
                    return false;
                }
                page.addParent(at);
                entry = SppEntry.of(page.tableHpa());
                memory.writeLong(at, entry);
            } else if (!SppEntry.VALID.isSet(entry)) {
                // T1: the text asks a variable that it has not set yet whether the entry is to become valid.
                entry |= SppEntry.VALID.mask();
                memory.writeLong(at, entry);
            }
            table = SppEntry.table(entry);
        }
        long at = Radix.entryAddress(table, gpa, Radix.PT);
        long vector = SppVector.ofBitmap(bitmap);
        if (memory.readLong(at) != vector) {
            memory.writeLong(at, vector);
        }
        return true;
    }

    /**
     * Makes the entries of level 2 that cover a range invalid, so that the next use of each is a miss
     * ({@code spp_flush_sppt}); whether there were any. After each entry one page too many is left out (T2).
     */
    boolean invalidate(long firstGfn, int npages) {
        long lastGfn = firstGfn + npages - 1;
        boolean any = false;
        for (long gfn = firstGfn; gfn <= lastGfn; gfn++) {
            long at = regionEntry(gfn);
            if (at == INVALID) {
                continue;
            }
            memory.writeLong(at, memory.readLong(at) & ~SppEntry.VALID.mask());
            any = true;
            long count = Math.min(lastGfn, gfn | REGION_PAGES - 1) - gfn + 1;
            gfn += count;
        }
        return any;
    }

    /** Where the entry of level 2 lies, valid or not, that has a table; INVALID if there is none. */
    private long regionEntry(long gfn) {
        long table = root;
        for (int level = Radix.PML4; ; level--) {
            long at = Radix.entryAddress(table, gfn << 12, level);
            long entry = memory.readLong(at);
            if (entry == 0) {
                return INVALID;
            }
            if (level == Radix.PD) {
                return at;
            }
            table = SppEntry.table(entry);
        }
    }

    long tablePages() {
        return pages.count(true);
    }
}
