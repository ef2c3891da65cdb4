package org.vmxsim.mmu.ept;

import org.vmxsim.mmu.host.FrameAllocator;
import org.vmxsim.mmu.host.HostMemory;
import org.vmxsim.mmu.host.KernelMemory;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.memslot.Memslots;
import org.vmxsim.vmx.ept.EptEntry;

/**
 * Maps guest-physical memory for one virtual machine: answers EPT violations, chooses page sizes, protects and removes
 * mappings. Works on the tables in memory alone; whatever a processor may have cached of them is reported by
 * {@link #takeFlushRequest()} and invalidated by the caller before the guest runs again.
 */
public final class EptMmu {
    private final HostMemory host;
    private final Memslots slots;
    private final EptTables tables;
    private final PageSize largestPage;
    private final EptCursor cursor = new EptCursor();
    private SubPageRules subPages = SubPageRules.NONE;

    /**
     * Empty tables.
     *
     * @param memory the machine's memory as the hypervisor sees it
     * @param frames where tables come from
     * @param host the address space behind the memslots
     * @param slots the memslots
     * @param largestPage largest page size to map
     * @throws IllegalArgumentException if there is no frame for the root table
     */
    public EptMmu(KernelMemory memory, FrameAllocator frames, HostMemory host, Memslots slots, PageSize largestPage) {
        this.host = host;
        this.slots = slots;
        this.tables = new EptTables(memory, frames, slots);
        this.largestPage = largestPage;
    }

    /**
     * Sets who decides about sub-page protected pages.
     *
     * @param rules the profile's rules
     */
    public void subPageRules(SubPageRules rules) {
        subPages = rules;
    }

    /**
     * The root table, for EPTP.
     *
     * @return host-physical address
     */
    public long root() {
        return tables.root();
    }

    /**
     * How many tables there are.
     *
     * @return 4-KiB pages of EPT paging structures, root included
     */
    public long tablePages() {
        return tables.tablePages();
    }

    /**
     * How many pages are mapped.
     *
     * @param size their size
     * @return entries that map a page of that size
     */
    public long mappedPages(PageSize size) {
        long sum = 0;
        for (Memslot slot : slots.all()) {
            sum += slot.rmap().count(size.level());
        }
        return sum;
    }

    /**
     * Whether processors may have cached what is no longer so; asking clears it.
     *
     * @return true if every processor that uses these tables must invalidate (single-context INVEPT) before it enters
     *     the guest
     */
    public boolean takeFlushRequest() {
        boolean needed = tables.flushNeeded;
        tables.flushNeeded = false;
        return needed;
    }

    /**
     * Looks an address up, as software does: without any processor's caches.
     *
     * @param gpa guest-physical address
     * @param found filled with the entry where the walk ended
     */
    public void lookup(long gpa, EptCursor found) {
        tables.walk(gpa, found);
    }

    /**
     * Answers an EPT violation in a memslot.
     *
     * @param vcpu number of the vCPU that faulted
     * @param slot the memslot of the address
     * @param gpa guest-physical address of the access
     * @param write whether the access writes
     * @return what was done, or why nothing could be done
     */
    public MapOutcome fault(int vcpu, Memslot slot, long gpa, boolean write) {
        tables.walk(gpa, cursor);
        if (!cursor.isMapped()) {
            return write && slot.isReadOnly() ? MapOutcome.READ_ONLY : map(vcpu, slot, gpa);
        }
        if (!write || EptEntry.WRITE.isSet(cursor.spte)) {
            return MapOutcome.SPURIOUS;
        }
        if (!Spte.HOST_WRITABLE.isSet(cursor.spte)) {
            return MapOutcome.READ_ONLY;
        }
        if (subPages.writeFault(cursor.spte) == SubPageRules.WriteFault.DENY) {
            return MapOutcome.SUB_PAGE;
        }
        tables.change(cursor.spteHpa, cursor.spte, cursor.spte | EptEntry.WRITE.mask());
        return MapOutcome.WRITE_ALLOWED;
    }

    private MapOutcome map(int vcpu, Memslot slot, long gpa) {
        long gfn = gpa >>> 12;
        long hpa = host.resolve(slot.hvaOf(gfn));
        if (hpa < 0) {
            return hpa == HostMemory.UNMAPPED ? MapOutcome.UNMAPPED : MapOutcome.NO_MEMORY;
        }
        int level = mappingLevel(slot, gfn);
        if (!tables.descendMaking(gpa, level, cursor)) {
            return MapOutcome.NO_MEMORY;
        }
        if (cursor.isMapped()) {
            // A table of smaller pages, some of them not mapped, where a larger page is possible by now.
            tables.dropTable(gpa, cursor);
        }
        PageSize size = PageSize.ofLevel(level);
        long spte = Spte.leaf(size.base(hpa), size, !slot.isReadOnly());
        tables.install(slot, gfn, cursor, level == 1 ? subPages.made(slot, gfn, spte) : spte);
        if (level == 1) {
            subPages.installed(vcpu, slot, gfn);
        }
        return MapOutcome.MAPPED;
    }

    /**
     * The largest level that may map a frame: not beyond what was asked for, what the host has behind it and what lies
     * in the memslot, with guest-physical and host-virtual address alike in their offset bits, and without any sub-page
     * protected page in the range, since sub-page permissions exist for 4-KiB pages only.
     */
    private int mappingLevel(Memslot slot, long gfn) {
        PageSize backing = host.backing(slot.hvaOf(gfn));
        int level = backing == null ? 1 : Math.min(largestPage.level(), backing.level());
        level = Math.min(level, subPages.largestLevel(slot, gfn));
        while (level > 1 && !levelAllowed(slot, gfn, level)) {
            level--;
        }
        return level;
    }

    private static boolean levelAllowed(Memslot slot, long gfn, int level) {
        long offsetBits = PageSize.ofLevel(level).sizeBytes() - 1;
        return slot.containsRange(gfn, level) && ((slot.hvaOf(gfn) ^ gfn << 12) & offsetBits) == 0;
    }

    /**
     * Brings the mapping of a frame in line with its sub-page bitmap: large pages around a protected page are split,
     * the page is armed or disarmed, and where nothing is protected any more smaller pages make way for a larger one.
     *
     * @param slot the memslot of the frame
     * @param gfn the guest frame whose bitmap has changed
     */
    public void applySubPages(Memslot slot, long gfn) {
        boolean armed = slot.bitmaps().isProtected(gfn, 1);
        long gpa = gfn << 12;
        tables.walk(gpa, cursor);
        while (armed && cursor.isMapped() && cursor.level > 1) {
            if (!tables.split(slot, gfn, cursor)) {
                // No memory for the table: the next access maps the page anew.
                tables.zap(slot, gfn, cursor.level, cursor.spteHpa);
            }
            tables.walk(gpa, cursor);
        }
        if (cursor.level == 1 && cursor.isMapped()) {
            tables.change(cursor.spteHpa, cursor.spte, Spte.withSubPages(cursor.spte, armed));
        }
        if (!armed) {
            collapse(slot, gfn);
        }
    }

    /** Removes the smaller pages where a larger one is possible; the next access maps it. */
    private void collapse(Memslot slot, long gfn) {
        int level = mappingLevel(slot, gfn);
        tables.descend(gfn << 12, level, cursor);
        if (level > 1 && cursor.level == level && cursor.isMapped() && !EptEntry.mapsPage(cursor.spte, level)) {
            tables.dropTable(gfn << 12, cursor);
        }
    }

    /**
     * Takes write permission from every mapping of a frame. The next write gets it back by an EPT violation. A frame
     * that sub-page permissions decide about stays with them.
     *
     * @param slot the memslot of the frame
     * @param gfn the guest frame
     */
    public void writeProtect(Memslot slot, long gfn) {
        slot.rmap().forEach(gfn, gfn, (first, level, spteHpa) -> {
            long spte = tables.read(spteHpa);
            tables.change(spteHpa, spte, spte & ~EptEntry.WRITE.mask());
        });
    }

    /**
     * Removes all mappings of a range.
     *
     * @param slot the memslot
     * @param firstGfn first guest frame
     * @param lastGfn last guest frame; both within the memslot
     */
    public void zap(Memslot slot, long firstGfn, long lastGfn) {
        slot.rmap().forEach(firstGfn, lastGfn, (gfn, level, spteHpa) -> tables.zap(slot, gfn, level, spteHpa));
    }
}
