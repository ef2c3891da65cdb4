package org.vmxsim.mmu.ept;

import org.vmxsim.mmu.host.FrameAllocator;
import org.vmxsim.mmu.host.HostMemory;
import org.vmxsim.mmu.host.HostPage;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.page.MmuPage;
import org.vmxsim.mmu.page.PageCache;
import org.vmxsim.mmu.trace.MmuEvent;
import org.vmxsim.mmu.trace.Tracer;
import org.vmxsim.vmx.ept.EptEntry;
import org.vmxsim.vmx.ept.EptViolation;

/** Answers EPT violations: {@code direct_page_fault}, the fast path first. */
final class FaultPath {
    /** Bit of an access: it is a write that is known to land. */
    static final int LANDS = 8;

    private static final int ACCESS = 7;
    /** Bit of an access: the entry is only to let the processor raise #VE. */
    private static final int VE = 16;
    /** Four levels reach no further. */
    private static final long END_GPA = 1L << 48;

    private static final int PREFETCH = 8;

    private final EptTables tables;
    private final EptRoots roots;
    private final MappingRules rules;
    private final HostMemory host;
    private final Tracer tracer;
    private final EptCursor cursor = new EptCursor();
    private final HostPage page = new HostPage();

    FaultPath(EptTables tables, EptRoots roots, MappingRules rules, HostMemory host, Tracer tracer) {
        this.tracer = tracer;
        this.tables = tables;
        this.roots = roots;
        this.rules = rules;
        this.host = host;
    }

    /** With {@link #LANDS} in the access, nobody is asked any more whether a write lands before it is logged. */
    MapOutcome fault(VcpuMmu vcpu, Memslot slot, long gpa, int access) {
        long backing = rules.access.backing(vcpu.view(), slot, gpa >>> 12);
        Memslot memory = backing == gpa >>> 12 ? slot : tables.slotAt(slot.addressSpace(), backing);
        if (memory == null) {
            return MapOutcome.UNMAPPED;
        }
        if (memory.isReadOnly() && (access & EptViolation.WRITE) != 0) {
            return MapOutcome.READ_ONLY;
        }
        boolean restricted = (access & ACCESS & ~rules.access.permissions(vcpu.view(), slot, gpa >>> 12)) != 0;
        if (restricted && !rules.mayBecomeVe(vcpu.view(), gpa >>> 12)) {
            return MapOutcome.RESTRICTED;
        }
        // Also for a fault that will need no table (mmu_topup_memory_caches stands before fast_page_fault).
        if (!vcpu.cache().topUp(PageCache.MIN) || !roots.isReady(vcpu.id())) {
            return MapOutcome.NO_MEMORY;
        }
        tables.walk(vcpu.root().tableHpa(), gpa, cursor);
        if (backing != gpa >>> 12) {
            return substituted(vcpu, slot, gpa, backing, restricted ? EptViolation.READ | VE : access);
        }
        if (restricted) {
            return forVe(vcpu, slot, gpa);
        }
        if (cursor.isMapped()) {
            long before = cursor.spte;
            MapOutcome fast = fast(slot, gpa, access);
            if (fast != null) {
                traceFast(gpa, before);
                return fast;
            }
        }
        return map(vcpu, slot, gpa, access);
    }

    /**
     * A page that has the memory of another behind it. Without dirty logging by the processor there is no fast path.
     */
    private MapOutcome substituted(VcpuMmu vcpu, Memslot slot, long gpa, long backing, int access) {
        boolean there = cursor.isMapped() && cursor.level == 1;
        if (there && (access & VE) != 0 && !EptEntry.SUPPRESS_VE.isSet(cursor.spte)) {
            return MapOutcome.RESTRICTED;
        }
        boolean write = (access & EptViolation.WRITE) != 0;
        Memslot memory = tables.slotAt(slot.addressSpace(), backing);
        long hpa = host.resolve(memory.hvaOf(backing), write, page);
        if (hpa < 0) {
            return hpa == HostMemory.NO_MEMORY ? MapOutcome.NO_MEMORY : MapOutcome.UNMAPPED;
        }
        tables.descendMaking(vcpu.root(), slot, gpa, 1, cursor, vcpu.cache());
        long spte = rules.substitute(vcpu.view(), slot, gpa >>> 12, memory, page);
        boolean unlogged = memory.logsWrites() && !write && !memory.isDirty(backing);
        spte = unlogged ? spte & ~EptEntry.WRITE.mask() : spte;
        if (write) {
            memory.markDirty(backing);
        }
        if (!cursor.isMapped()) {
            tables.substitute(memory, gpa >>> 12, backing, cursor, spte);
        } else if (tables.isSubstitute(cursor.spteHpa)) {
            tables.change(cursor.spteHpa, cursor.spte, spte);
        } else {
            throw new AssertionError("a page has its own memory and another's, gpa=0x" + Long.toHexString(gpa));
        }
        return MapOutcome.MAPPED;
    }

    /** The entry that lets the processor raise #VE; if it is there already, the processor did not want to. */
    private MapOutcome forVe(VcpuMmu vcpu, Memslot slot, long gpa) {
        boolean there = cursor.isMapped() && cursor.level == 1 && !EptEntry.SUPPRESS_VE.isSet(cursor.spte);
        return there ? MapOutcome.RESTRICTED : map(vcpu, slot, gpa, EptViolation.READ);
    }

    private void traceFast(long gpa, long before) {
        if (tracer.isOn()) {
            tracer.emit(new MmuEvent.FastPageFault(gpa, before, tables.peek(cursor.spteHpa)));
        }
    }

    /** Gives back what was taken for a while; null if that is not enough. */
    private MapOutcome fast(Memslot slot, long gpa, int access) {
        long gfn = gpa >>> 12;
        boolean write = (access & EptViolation.WRITE) != 0;
        long from = cursor.spte;
        long to = Spte.isAccessTracked(from) ? Spte.restored(from) : from;
        if (write && !EptEntry.WRITE.isSet(to)) {
            if (!Spte.isFixable(to)) {
                return null;
            }
            MapOutcome unlogged = unlogged(slot, gpa, access);
            if (unlogged != null) {
                return unlogged;
            }
            SubPageRules.WriteFault subPage =
                    cursor.level == 1 ? rules.subPages.writeFault(to) : SubPageRules.WriteFault.NONE;
            return switch (subPage) {
                case NONE -> writable(slot, gfn, to | EptEntry.WRITE.mask());
                case DENY -> MapOutcome.SUB_PAGE;
                case RESTORE -> rearmed(slot, gfn, to, MapOutcome.WRITE_ALLOWED);
                case RESTORE_AND_DENY -> rearmed(slot, gfn, to, MapOutcome.SUB_PAGE);
            };
        }
        if ((access & ~to & ACCESS) != 0) {
            return null;
        }
        tables.change(cursor.spteHpa, from, to);
        return from == to ? MapOutcome.SPURIOUS : MapOutcome.WRITE_ALLOWED;
    }

    /** What becomes of a write that must not be logged because it may not land; null for one that may be logged. */
    private MapOutcome unlogged(Memslot slot, long gpa, int access) {
        boolean write = (access & EptViolation.WRITE) != 0;
        if (!write || (access & LANDS) != 0 || !slot.logsWrites() || slot.isDirty(gpa >>> 12)) {
            return null;
        }
        return switch (rules.subPages.firstWrite(slot, gpa)) {
            case LANDS -> null;
            case DENIED -> MapOutcome.SUB_PAGE;
            case UNKNOWN -> MapOutcome.UNJUDGED;
        };
    }

    /** A large page whose writes are logged is not made writable: its parts are. */
    private MapOutcome writable(Memslot slot, long gfn, long to) {
        if (cursor.level > 1 && slot.logsWrites()) {
            return null;
        }
        tables.change(cursor.spteHpa, cursor.spte, to);
        slot.markDirty(gfn);
        return MapOutcome.WRITE_ALLOWED;
    }

    private MapOutcome rearmed(Memslot slot, long gfn, long spte, MapOutcome outcome) {
        tables.change(cursor.spteHpa, cursor.spte, Spte.sppRestored(spte));
        slot.markDirty(gfn);
        return outcome;
    }

    private MapOutcome map(VcpuMmu vcpu, Memslot slot, long gpa, int access) {
        boolean write = (access & EptViolation.WRITE) != 0;
        long gfn = gpa >>> 12;
        long hpa = host.resolve(slot.hvaOf(gfn), write, page);
        if (hpa < 0) {
            return hpa == HostMemory.NO_MEMORY ? MapOutcome.NO_MEMORY : MapOutcome.UNMAPPED;
        }
        MapOutcome unlogged = unlogged(slot, gpa, access);
        boolean lands = write && unlogged == null;
        MmuPage root = vcpu.root();
        int level = rules.level(root.role().view(), slot, gfn, page.size);
        tables.descendMaking(root, slot, gpa, level, cursor, vcpu.cache());
        replace(slot, gfn, rules.leaf(root.role(), slot, gfn, level, page, lands));
        if (lands && rules.isLoggedByProtection(slot, root.role())) {
            slot.markDirty(gfn);
        }
        if (level == 1) {
            installed(vcpu, root, slot, gfn);
        }
        return unlogged == null ? MapOutcome.MAPPED : unlogged;
    }

    private void installed(VcpuMmu vcpu, MmuPage root, Memslot slot, long gfn) {
        rules.subPages.installed(vcpu.id(), slot, gfn);
        if (rules.prefetch && !root.role().adDisabled() && !slot.logsWrites()) {
            prefetch(root, slot, gfn);
        }
    }

    /** Maps the neighbours in the same 8 entries that the host has present: {@code direct_pte_prefetch}. */
    private void prefetch(MmuPage root, Memslot slot, long gfn) {
        long first = gfn & -PREFETCH;
        long firstHpa = cursor.spteHpa - Long.BYTES * (gfn - first);
        for (int i = 0; i < PREFETCH; i++) {
            long neighbour = first + i;
            long spteHpa = firstHpa + Long.BYTES * i;
            if (neighbour == gfn || !slot.contains(neighbour) || tables.read(spteHpa) != tables.notPresent()) {
                continue;
            }
            if (rules.access.backing(root.role().view(), slot, neighbour) != neighbour) {
                continue;
            }
            boolean present = host.look(slot.hvaOf(neighbour), page) && page.frameHpa != FrameAllocator.NONE;
            boolean readable = (rules.access.permissions(root.role().view(), slot, neighbour) & EptViolation.READ) != 0;
            if (present && page.writable && readable) {
                cursor.spteHpa = spteHpa;
                tables.install(slot, neighbour, cursor, rules.leaf(root.role(), slot, neighbour, 1, page, false));
            }
        }
    }

    private void replace(Memslot slot, long gfn, long spte) {
        if (cursor.isMapped() && EptEntry.mapsPage(cursor.spte, cursor.level)) {
            // The page was there with fewer rights, or from another frame; the processor's flags stay.
            long flags = cursor.spte & (EptEntry.ACCESSED.mask() | EptEntry.DIRTY.mask());
            tables.change(cursor.spteHpa, cursor.spte, spte | flags);
            return;
        }
        if (cursor.isMapped()) {
            // A table of smaller pages, some of them not mapped, where a larger page is possible by now.
            tables.dropTable(cursor);
        }
        tables.install(slot, gfn, cursor, spte);
    }

    /** Marks a page without memslot, so that the next access tells at once; without memory nothing is marked. */
    void markDevice(VcpuMmu vcpu, long gpa, long generation) {
        if (gpa >= END_GPA || !roots.isReady(vcpu.id()) || !vcpu.cache().topUp(PageCache.MIN)) {
            return;
        }
        tables.descendMaking(vcpu.root(), null, gpa, 1, cursor, vcpu.cache());
        if (cursor.isMapped()) {
            throw new AssertionError("a page without memslot is mapped, gpa=0x" + Long.toHexString(gpa));
        }
        tables.mark(cursor.spteHpa, Spte.device(generation));
        if (tracer.isOn()) {
            tracer.emit(new MmuEvent.MarkMmioSpte(cursor.spteHpa, gpa >>> 12, generation));
        }
    }

    /** Whether the mark that an EPT misconfiguration met is of this generation; one that is not is removed. */
    EptMmu.Misconfiguration misconfiguration(VcpuMmu vcpu, long gpa, long generation) {
        if (vcpu.root() == null) {
            return EptMmu.Misconfiguration.BROKEN;
        }
        tables.walk(vcpu.root().tableHpa(), gpa, cursor);
        if (!Spte.isDevice(cursor.spte)) {
            return EptMmu.Misconfiguration.BROKEN;
        }
        if (tracer.isOn()) {
            tracer.emit(new MmuEvent.CheckMmioSpte(cursor.spte, generation, Spte.generation(cursor.spte)));
        }
        if (Spte.generation(cursor.spte) == generation) {
            return EptMmu.Misconfiguration.DEVICE;
        }
        tables.mark(cursor.spteHpa, tables.notPresent());
        return EptMmu.Misconfiguration.STALE;
    }
}
