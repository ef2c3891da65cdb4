package org.vmxsim.mmu.ept;

import org.vmxsim.core.paging.Radix;
import org.vmxsim.mmu.host.FrameAllocator;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.page.KernelMemory;
import org.vmxsim.mmu.page.MmuPage;
import org.vmxsim.mmu.page.MmuPages;
import org.vmxsim.mmu.page.MmuRole;
import org.vmxsim.mmu.page.PageCache;
import org.vmxsim.mmu.trace.MmuEvent;
import org.vmxsim.mmu.trace.Tracer;
import org.vmxsim.mmu.trace.VmCounter;
import org.vmxsim.vmx.ept.EptEntry;

/**
 * The EPT paging structures of one virtual machine, all roots, in the machine's memory: the mechanics of linking,
 * splitting and dropping, with reverse maps and parent links kept in step. What to map is decided elsewhere.
 */
final class EptTables {
    static final int ROOT_LEVEL = Radix.PML4;

    private static final int ENTRIES = 512;
    private static final long TABLE = ~0xfffL;

    private final KernelMemory memory;
    private final FrameAllocator frames;
    private final SlotLookup slots;
    private final MmuPages pages;
    private final Substitutes substitutes = new Substitutes();
    private final Tracer tracer;
    /** What an entry holds that maps nothing: 0, or bit 63 where violations could become #VE. */
    private long notPresent = Spte.NOT_PRESENT;
    /** Set when something changed that a processor may have cached. */
    boolean flushNeeded;

    /** The memslot of a guest frame in an address space. */
    @FunctionalInterface
    interface SlotLookup {
        Memslot at(int addressSpace, long gfn);
    }

    EptTables(KernelMemory memory, FrameAllocator frames, SlotLookup slots, Tracer tracer) {
        this.tracer = tracer;
        this.memory = memory;
        this.frames = frames;
        this.slots = slots;
        this.pages = new MmuPages(frames);
    }

    void tellZapAllFast() {
        if (tracer.isOn()) {
            tracer.emit(new MmuEvent.ZapAllFast());
        }
    }

    MmuPages pages() {
        return pages;
    }

    long notPresent() {
        return notPresent;
    }

    /** For tables made from now on; those that exist are to be zapped. */
    void notPresent(long spte) {
        notPresent = spte;
    }

    /** The table that an entry lies in. */
    MmuPage pageOf(long spteHpa) {
        return pages.at(spteHpa & TABLE);
    }

    /** As {@link #read}, for who looks on: not a reference of the hypervisor's own. */
    long peek(long spteHpa) {
        return memory.physical().readLong(spteHpa);
    }

    long read(long spteHpa) {
        return memory.readLong(spteHpa);
    }

    /** A new table, from a cache that was topped up, or from the allocator if there is none; null without memory. */
    MmuPage newTable(long gfn, MmuRole role, PageCache cache) {
        long hpa = cache == null ? frames.allocate(PageSize.SIZE_4K) : cache.take();
        if (hpa == FrameAllocator.NONE) {
            return null;
        }
        if (notPresent != Spte.NOT_PRESENT) {
            for (int i = 0; i < ENTRIES; i++) {
                memory.writeLong(hpa + 8L * i, notPresent);
            }
        }
        tracer.count(VmCounter.MMU_CACHE_MISS);
        tracer.highest(VmCounter.MAX_MMU_PAGE_HASH_COLLISIONS, pages.mostCollisions());
        if (tracer.isOn()) {
            tracer.emit(new MmuEvent.GetPage(gfn, role.toString(), hpa, true));
        }
        return pages.make(gfn, role, hpa);
    }

    void walk(long root, long gpa, EptCursor cursor) {
        descend(root, gpa, Radix.PT, cursor);
    }

    /** Goes down to a level, or to the entry above it that maps a page or is not present. */
    void descend(long root, long gpa, int level, EptCursor cursor) {
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

    /**
     * As {@link #descend}, making the tables that are missing and splitting larger pages on the way. Needs a frame for
     * each level in the cache.
     */
    void descendMaking(MmuPage root, Memslot slot, long gpa, int level, EptCursor cursor, PageCache cache) {
        descend(root.tableHpa(), gpa, level, cursor);
        while (cursor.level > level) {
            if (Spte.isPresent(cursor.spte)) {
                split(slot, gpa >>> 12, cursor, cache);
            } else {
                MmuRole role = pageOf(cursor.spteHpa).role().child();
                link(cursor.spteHpa, newTable(firstGfn(gpa >>> 12, cursor.level), role, cache));
            }
            descend(root.tableHpa(), gpa, level, cursor);
        }
    }

    private void link(long spteHpa, MmuPage child) {
        child.addParent(spteHpa);
        memory.writeLong(spteHpa, Spte.table(child.tableHpa()));
    }

    /** Writes an entry that maps a page where nothing is mapped. */
    void install(Memslot slot, long gfn, EptCursor at, long spte) {
        memory.writeLong(at.spteHpa, spte);
        slot.rmap().add(firstGfn(gfn, at.level), at.level, at.spteHpa);
        at.spte = spte;
        if (tracer.isOn()) {
            tracer.emit(new MmuEvent.SetSpte(at.level, firstGfn(gfn, at.level), spte, at.spteHpa));
        }
    }

    /** As {@link #install}, an entry at the address of another frame than the one whose memory it maps. */
    void substitute(Memslot memory, long gfn, long backing, EptCursor at, long spte) {
        substitutes.add(at.spteHpa, memory.addressSpace(), gfn, backing);
        install(memory, backing, at, spte);
    }

    /** Whether an entry maps the memory of another frame than the one at whose address it is. */
    boolean isSubstitute(long spteHpa) {
        return substitutes.contains(spteHpa);
    }

    /**
     * Removes the entries that are at the address of a frame of a range, but map another frame's memory, or reverse.
     */
    void dropSubstitutes(int addressSpace, long firstGfn, long lastGfn) {
        if (substitutes.isEmpty()) {
            return;
        }
        substitutes.concerning(addressSpace, firstGfn, lastGfn).forEach(entry -> {
            long backing = entry.getValue().backing();
            zap(slots.at(addressSpace, backing), backing, Radix.PT, entry.getKey());
        });
    }

    Memslot slotAt(int addressSpace, long gfn) {
        return slots.at(addressSpace, gfn);
    }

    /** Writes an entry that maps no memory: it is in no reverse map and no processor caches it. */
    void mark(long spteHpa, long spte) {
        memory.writeLong(spteHpa, spte);
    }

    /** Changes an entry that maps a page: its rights, flags, or the frame behind it. */
    void change(long spteHpa, long from, long to) {
        if (from != to) {
            memory.writeLong(spteHpa, to);
            flushNeeded |= Spte.needsFlush(from, to);
        }
    }

    static long firstGfn(long gfn, int level) {
        return gfn & -1L << 9 * (level - 1);
    }

    /** Removes an entry that maps a page. */
    void zap(Memslot slot, long gfn, int level, long spteHpa) {
        flushNeeded |= EptEntry.PERMISSIONS.isSet(memory.readLong(spteHpa));
        memory.writeLong(spteHpa, notPresent);
        slot.rmap().remove(firstGfn(gfn, level), level, spteHpa);
        substitutes.remove(spteHpa);
    }

    /**
     * Replaces a large page by a table of the next smaller ones with the same rights and flags; false if there is no
     * memory for the table.
     */
    boolean split(Memslot slot, long gfn, EptCursor at, PageCache cache) {
        long first = firstGfn(gfn, at.level);
        MmuPage table = newTable(first, pageOf(at.spteHpa).role().child(), cache);
        if (table == null) {
            return false;
        }
        if (tracer.isOn()) {
            tracer.emit(new MmuEvent.SplitHugePage(first, at.spte, at.level));
        }
        int level = at.level - 1;
        PageSize size = PageSize.ofLevel(level);
        slot.rmap().remove(first, at.level, at.spteHpa);
        for (int i = 0; i < ENTRIES; i++) {
            long hpa = table.tableHpa() + 8L * i;
            memory.writeLong(hpa, Spte.part(at.spte, size, i));
            slot.rmap().add(first + i * size.pages(), level, hpa);
        }
        // What a processor has cached of the large page is still right: parts lose rights only by changes of their own.
        link(at.spteHpa, table);
        return true;
    }

    /** Removes the table that an entry refers to, with everything below. */
    void dropTable(EptCursor at) {
        dropTable(at.spteHpa, at.spte);
        at.spte = notPresent;
    }

    private void dropTable(long spteHpa, long spte) {
        MmuPage child = pages.at(EptEntry.table(spte));
        child.removeParent(spteHpa);
        memory.writeLong(spteHpa, notPresent);
        // Paging-structure caches may hold the entry even if nothing was mapped below it.
        flushNeeded = true;
        if (child.parentCount() == 0) {
            zapPage(child);
        }
    }

    /**
     * Removes everything that a table maps, and the table, to which no entry refers; one that is held as a root stays,
     * empty and invalid.
     */
    void zapPage(MmuPage page) {
        tracer.count(VmCounter.MMU_SHADOW_ZAPPED);
        if (tracer.isOn()) {
            tracer.emit(new MmuEvent.PrepareZapPage(page.gfn(), page.role().toString(), page.tableHpa()));
        }
        empty(page);
        if (page.rootCount() == 0) {
            pages.free(page);
        } else {
            page.invalidate();
        }
    }

    private void empty(MmuPage page) {
        int level = page.role().level();
        if (page.role().spp() && level == Radix.PT) {
            // Vectors: they refer to nothing.
            return;
        }
        for (int i = 0; i < ENTRIES; i++) {
            long spteHpa = page.tableHpa() + 8L * i;
            long spte = memory.readLong(spteHpa);
            if (!Spte.isPresent(spte)) {
                // Nothing, or a mark: it goes with the table.
                continue;
            }
            if (EptEntry.mapsPage(spte, level)) {
                long gfn = substitutes.backing(spteHpa, page.gfn() + ((long) i << 9 * (level - 1)));
                zap(slots.at(page.role().addressSpace(), gfn), gfn, level, spteHpa);
            } else {
                dropTable(spteHpa, spte);
            }
        }
    }
}
