package org.vmxsim.mmu.spp.fixed;

import org.vmxsim.core.paging.Radix;
import org.vmxsim.mmu.host.FrameAllocator;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.memslot.Memslots;
import org.vmxsim.mmu.memslot.SubPageBitmaps;
import org.vmxsim.mmu.page.KernelMemory;
import org.vmxsim.spp.SppEntry;
import org.vmxsim.spp.SppVector;

/**
 * The SPPT of one virtual machine, shared by its vCPUs. A table of vectors exists for the 2-MiB regions in which the
 * processor has missed one; once it exists, each of its 512 vectors says what the bitmaps say.
 */
final class Sppt {
    private static final int REGION_PAGES = 512;

    private final KernelMemory memory;
    private final FrameAllocator frames;
    private final long root;
    private long tablePages = 1;

    private Sppt(KernelMemory memory, FrameAllocator frames, long root) {
        this.memory = memory;
        this.frames = frames;
        this.root = root;
    }

    /** An SPPT with an empty root table, or null if there is no memory for it. */
    static Sppt create(KernelMemory memory, FrameAllocator frames) {
        long root = frames.allocate(PageSize.SIZE_4K);
        return root == FrameAllocator.NONE ? null : new Sppt(memory, frames, root);
    }

    long root() {
        return root;
    }

    long tablePages() {
        return tablePages;
    }

    /**
     * Makes the vectors of a 2-MiB region agree with the bitmaps; those of pages without a bitmap allow everything, so
     * that no page is denied for having a protected neighbour. False if there is no memory for a table.
     */
    boolean fillRegion(long gfn, Memslots slots) {
        long table = makeVectorTable(gfn << 12);
        if (table == FrameAllocator.NONE) {
            return false;
        }
        long first = gfn & -REGION_PAGES;
        for (int i = 0; i < REGION_PAGES; i++) {
            Memslot slot = slots.at(first + i);
            int bitmap = slot == null || slot.bitmaps() == null
                    ? SubPageBitmaps.FULL
                    : slot.bitmaps().get(first + i);
            memory.writeLong(table + 8L * i, SppVector.ofBitmap(bitmap));
        }
        return true;
    }

    private long makeVectorTable(long gpa) {
        long table = root;
        for (int level = Radix.PML4; level > Radix.PT; level--) {
            long address = Radix.entryAddress(table, gpa, level);
            long entry = memory.readLong(address);
            if (SppEntry.VALID.isSet(entry)) {
                table = SppEntry.table(entry);
                continue;
            }
            table = frames.allocate(PageSize.SIZE_4K);
            if (table == FrameAllocator.NONE) {
                return FrameAllocator.NONE;
            }
            tablePages++;
            memory.writeLong(address, SppEntry.of(table));
        }
        return table;
    }

    /** Sets the vector of a page if its region has vectors; true if that took a permission away. */
    boolean update(long gfn, int bitmap) {
        long gpa = gfn << 12;
        long table = root;
        for (int level = Radix.PML4; level > Radix.PT; level--) {
            long entry = memory.readLong(Radix.entryAddress(table, gpa, level));
            if (!SppEntry.VALID.isSet(entry)) {
                return false;
            }
            table = SppEntry.table(entry);
        }
        long address = Radix.entryAddress(table, gpa, Radix.PT);
        long vector = SppVector.ofBitmap(bitmap);
        long before = memory.readLong(address);
        if (before != vector) {
            memory.writeLong(address, vector);
        }
        return (before & ~vector) != 0;
    }
}
