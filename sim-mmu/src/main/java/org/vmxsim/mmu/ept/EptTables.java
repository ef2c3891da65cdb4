package org.vmxsim.mmu.ept;

import org.vmxsim.core.paging.Radix;
import org.vmxsim.mmu.host.FrameAllocator;
import org.vmxsim.mmu.host.KernelMemory;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.memslot.Memslots;
import org.vmxsim.vmx.ept.EptEntry;

/**
 * The EPT paging structures of one virtual machine, four levels, in the machine's memory: the mechanics of linking,
 * splitting and dropping, with the reverse maps kept in step. What to map is decided by {@link EptMmu}.
 */
final class EptTables {
    static final int ROOT_LEVEL = Radix.PML4;

    private static final int ENTRIES = 512;

    private final KernelMemory memory;
    private final FrameAllocator frames;
    private final Memslots slots;
    private final long root;
    private long tablePages;
    /** Set when something changed that a processor may have cached. */
    boolean flushNeeded;

    EptTables(KernelMemory memory, FrameAllocator frames, Memslots slots) {
        this.memory = memory;
        this.frames = frames;
        this.slots = slots;
        this.root = newTable();
        if (root == FrameAllocator.NONE) {
            throw new IllegalArgumentException("need a free frame for the root table, got freeBytes=0");
        }
    }

    long root() {
        return root;
    }

    long tablePages() {
        return tablePages;
    }

    private long newTable() {
        long hpa = frames.allocate(PageSize.SIZE_4K);
        tablePages += hpa == FrameAllocator.NONE ? 0 : 1;
        return hpa;
    }

    long read(long spteHpa) {
        return memory.readLong(spteHpa);
    }

    void walk(long gpa, EptCursor cursor) {
        descend(gpa, Radix.PT, cursor);
    }

    /** Goes down to a level, or to the entry above it that maps a page or is not present. */
    void descend(long gpa, int level, EptCursor cursor) {
        long table = root;
        for (int l = ROOT_LEVEL; ; l--) {
            cursor.level = l;
            cursor.spteHpa = Radix.entryAddress(table, gpa, l);
            cursor.spte = memory.readLong(cursor.spteHpa);
            if (l == level || !Spte.isPresent(cursor.spte) || EptEntry.mapsPage(cursor.spte, l)) {
                return;
            }
            table = EptEntry.table(cursor.spte);
        }
    }

    /** As {@link #descend}, making the tables that are missing; false if there is no memory for one. */
    boolean descendMaking(long gpa, int level, EptCursor cursor) {
        descend(gpa, level, cursor);
        while (cursor.level > level && !Spte.isPresent(cursor.spte)) {
            long table = newTable();
            if (table == FrameAllocator.NONE) {
                return false;
            }
            memory.writeLong(cursor.spteHpa, Spte.table(table));
            cursor.level--;
            cursor.spteHpa = Radix.entryAddress(table, gpa, cursor.level);
            cursor.spte = Spte.NOT_PRESENT;
        }
        return true;
    }

    /** Writes an entry that maps a page where none is present. */
    void install(Memslot slot, long gfn, EptCursor at, long spte) {
        memory.writeLong(at.spteHpa, spte);
        slot.rmap().add(firstGfn(gfn, at.level), at.level, at.spteHpa);
        at.spte = spte;
    }

    /** Changes rights of an entry that maps a page. */
    void change(long spteHpa, long from, long to) {
        if (from != to) {
            memory.writeLong(spteHpa, to);
            // Rights that only grow need no invalidation: the EPT violation that finds an old entry removes it.
            flushNeeded |= (from & ~to & EptEntry.PERMISSIONS.mask()) != 0 || EptEntry.SPP.isSet(from ^ to);
        }
    }

    private static long firstGfn(long gfn, int level) {
        return gfn & -1L << 9 * (level - 1);
    }

    /** Removes an entry that maps a page. */
    void zap(Memslot slot, long gfn, int level, long spteHpa) {
        memory.writeLong(spteHpa, Spte.NOT_PRESENT);
        slot.rmap().remove(firstGfn(gfn, level), level, spteHpa);
        flushNeeded = true;
    }

    /**
     * Replaces a large page by a table of the next smaller ones with the same rights; false if there is no memory for
     * the table.
     */
    boolean split(Memslot slot, long gfn, EptCursor at) {
        long table = newTable();
        if (table == FrameAllocator.NONE) {
            return false;
        }
        int level = at.level - 1;
        PageSize size = PageSize.ofLevel(level);
        long first = firstGfn(gfn, at.level);
        slot.rmap().remove(first, at.level, at.spteHpa);
        for (int i = 0; i < ENTRIES; i++) {
            long hpa = table + 8L * i;
            memory.writeLong(hpa, Spte.part(at.spte, size, i));
            slot.rmap().add(first + i * size.pages(), level, hpa);
        }
        memory.writeLong(at.spteHpa, Spte.table(table));
        flushNeeded = true;
        return true;
    }

    /** Removes the table that an entry refers to, with everything below. */
    void dropTable(long gpa, EptCursor at) {
        drop(gpa & -1L << Radix.shift(at.level), at.level, at.spteHpa, at.spte);
        at.spte = Spte.NOT_PRESENT;
    }

    private void drop(long gpa, int level, long spteHpa, long spte) {
        if (EptEntry.mapsPage(spte, level)) {
            zap(slots.at(gpa >>> 12), gpa >>> 12, level, spteHpa);
            return;
        }
        long table = EptEntry.table(spte);
        for (int i = 0; i < ENTRIES; i++) {
            long child = memory.readLong(table + 8L * i);
            if (Spte.isPresent(child)) {
                drop(gpa + ((long) i << Radix.shift(level - 1)), level - 1, table + 8L * i, child);
            }
        }
        memory.writeLong(spteHpa, Spte.NOT_PRESENT);
        frames.free(table, PageSize.SIZE_4K);
        tablePages--;
        // Paging-structure caches may hold the entry even if nothing was mapped below it.
        flushNeeded = true;
    }
}
