package org.vmxsim.mmu.ept;

import org.vmxsim.mmu.host.FrameAllocator;
import org.vmxsim.mmu.host.HostMemory;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.memslot.Memslots;
import org.vmxsim.mmu.page.KernelMemory;
import org.vmxsim.mmu.page.MmuPages;
import org.vmxsim.mmu.page.PageCaches;
import org.vmxsim.mmu.trace.Tracer;
import org.vmxsim.vmx.ept.EptEntry;

/**
 * Maps guest-physical memory for one virtual machine: answers EPT violations, chooses page sizes, protects and removes
 * mappings, in all EPT roots. Works on the tables in memory alone; whatever a processor may have cached of them is
 * reported by {@link #takeFlushRequest()} and invalidated by the caller before the guest runs again.
 */
public final class EptMmu {
    /** What an EPT misconfiguration is about. */
    public enum Misconfiguration {
        /** The page has no memslot: the instruction is to be emulated. */
        DEVICE,
        /** The page had no memslot, but memslots have changed since: the access is to be tried again. */
        STALE,
        /** The entry is none that this hypervisor writes to be misconfigured. */
        BROKEN
    }

    private final Tracer tracer;
    private final Memslots slots;
    private final EptTables tables;
    private final EptUpdates updates;
    private final EptRoots roots;
    private final MappingRules rules;
    private final FaultPath faults;
    private final PageCaches caches;

    /**
     * An empty root.
     *
     * @param memory the machine's memory as the hypervisor sees it
     * @param frames where tables come from
     * @param host the address space behind the memslots
     * @param slots the memslots
     * @param largestPage largest page size to map
     * @throws IllegalArgumentException if there is no frame for the root table
     */
    public EptMmu(KernelMemory memory, FrameAllocator frames, HostMemory host, Memslots slots, PageSize largestPage) {
        this(memory, frames, host, slots, largestPage, new Tracer(0));
    }

    /**
     * An empty root.
     *
     * @param memory the machine's memory as the hypervisor sees it
     * @param frames where tables come from
     * @param host the address space behind the memslots
     * @param slots the memslots
     * @param largestPage largest page size to map
     * @param tracer who is told what happens
     * @throws IllegalArgumentException if there is no frame for the root table
     */
    public EptMmu(
            KernelMemory memory,
            FrameAllocator frames,
            HostMemory host,
            Memslots slots,
            PageSize largestPage,
            Tracer tracer) {
        this.tracer = tracer;
        this.slots = slots;
        this.tables = new EptTables(memory, frames, slots::at, tracer);
        this.caches = new PageCaches(frames);
        this.rules = new MappingRules(largestPage);
        this.roots = new EptRoots(tables, rules, caches);
        this.updates = new EptUpdates(tables, rules, host, tracer);
        this.faults = new FaultPath(tables, roots, rules, host, tracer);
        root();
    }

    /**
     * Sets who decides about sub-page protected pages.
     *
     * @param subPageRules the profile's rules
     */
    public void subPageRules(SubPageRules subPageRules) {
        rules.subPages = subPageRules;
    }

    /**
     * Sets who restricts accesses besides. What is mapped by other rules stays: the caller zaps it.
     *
     * @param accessRules the rules of views and page tracking
     */
    public void accessRules(AccessRules accessRules) {
        rules.access = accessRules;
    }

    /**
     * Whether the processors log writes where they set dirty flags, so that memslots with a dirty bitmap need no write
     * protection. Accessed and dirty flags must be on for it.
     *
     * @param on true if they do
     */
    public void pageModificationLog(boolean on) {
        rules.pageModificationLog = on;
    }

    /**
     * Whether EPT violations may become #VE: then entries that map nothing suppress it, and {@link AccessRules} decide
     * about the others. A change makes everything obsolete.
     *
     * @param on true if some vCPU has the control "EPT-violation #VE"
     */
    public void convertibleViolations(boolean on) {
        if (rules.convertible != on) {
            rules.convertible = on;
            tables.notPresent(on ? EptEntry.SUPPRESS_VE.mask() : Spte.NOT_PRESENT);
            zapAllFast();
        }
    }

    /**
     * Whether a fault that maps a 4-KiB page also maps its neighbours that the host has present. Only tables in which
     * the processors set accessed flags are prefetched into, since nothing else tells what was used.
     *
     * @param on true to prefetch
     */
    public void prefetch(boolean on) {
        rules.prefetch = on;
    }

    /**
     * Memslots have changed. Marks for devices are told to be old by their generation; when the numbers of generations
     * begin again, everything is removed ({@code kvm_mmu_invalidate_mmio_sptes}).
     */
    public void memslotsChanged() {
        if (slots.generation() % Spte.GENERATIONS == 0) {
            zapAllFast();
        }
    }

    /**
     * Who is told what happens.
     *
     * @return the virtual machine's tracepoints
     */
    public Tracer tracer() {
        return tracer;
    }

    /**
     * The frames that each vCPU keeps for tables; other tables may be made of them too.
     *
     * @return one set for the virtual machine
     */
    public PageCaches caches() {
        return caches;
    }

    /**
     * What is kept for a vCPU.
     *
     * @param id number of the vCPU
     * @return its root and frames
     */
    public VcpuMmu vcpu(int id) {
        return roots.vcpu(id);
    }

    /**
     * All tables, those of other purposes included that are made with the same pages.
     *
     * @return by guest frame and role, and by frame
     */
    public MmuPages pages() {
        return tables.pages();
    }

    /**
     * The root table of the default view, outside system-management mode.
     *
     * @return host-physical address
     * @throws IllegalArgumentException if there is no frame for it
     */
    public long root() {
        return roots.hpa(0, 0);
    }

    /**
     * How many tables there are.
     *
     * @return 4-KiB pages of EPT paging structures, roots included
     */
    public long tablePages() {
        return tables.pages().count(false);
    }

    /**
     * The roots.
     *
     * @return which there are, and who uses them
     */
    public EptRoots roots() {
        return roots;
    }

    /** Removes all mappings in all roots; see {@link EptRoots#zapAllFast}. */
    public void zapAllFast() {
        roots.zapAllFast();
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
     * @return true if every processor that uses these tables must invalidate (INVEPT) before it enters the guest
     */
    public boolean takeFlushRequest() {
        boolean needed = tables.flushNeeded;
        tables.flushNeeded = false;
        return needed;
    }

    /**
     * Looks an address up in the default view, as software does: without any processor's caches.
     *
     * @param gpa guest-physical address
     * @param found filled with the entry where the walk ended
     */
    public void lookup(long gpa, EptCursor found) {
        lookup(root(), gpa, found);
    }

    /**
     * Looks an address up.
     *
     * @param rootHpa host-physical address of a root table
     * @param gpa guest-physical address
     * @param found filled with the entry where the walk ended
     */
    public void lookup(long rootHpa, long gpa, EptCursor found) {
        tables.walk(rootHpa, gpa, found);
    }

    /**
     * Answers an EPT violation in a memslot, in the tables that the vCPU is in.
     *
     * @param vcpu number of the vCPU that faulted
     * @param slot the memslot of the address
     * @param gpa guest-physical address of the access
     * @param access what the access does: {@link org.vmxsim.vmx.ept.EptViolation#READ} and so on
     * @return what was done, or why nothing could be done
     */
    public MapOutcome fault(int vcpu, Memslot slot, long gpa, int access) {
        return faults.fault(vcpu(vcpu), slot, gpa, access);
    }

    /**
     * Answers an EPT violation of a write that is known to land, or that nothing more can be known about: as
     * {@link #fault}, but never {@link MapOutcome#UNJUDGED}.
     *
     * @param vcpu number of the vCPU that faulted
     * @param slot the memslot of the address
     * @param gpa guest-physical address of the access
     * @param access what the access does: {@link org.vmxsim.vmx.ept.EptViolation#READ} and so on
     * @return what was done, or why nothing could be done
     */
    public MapOutcome landing(int vcpu, Memslot slot, long gpa, int access) {
        return faults.fault(vcpu(vcpu), slot, gpa, access | FaultPath.LANDS);
    }

    /**
     * Notes that an address has no memslot, so that the next access to its page is an EPT misconfiguration.
     *
     * @param vcpu number of the vCPU that faulted
     * @param gpa guest-physical address
     */
    public void markDevice(int vcpu, long gpa) {
        faults.markDevice(vcpu(vcpu), gpa, slots.generation() % Spte.GENERATIONS);
    }

    /**
     * Answers an EPT misconfiguration.
     *
     * @param vcpu number of the vCPU
     * @param gpa guest-physical address of the access
     * @return what it is about
     */
    public Misconfiguration misconfiguration(int vcpu, long gpa) {
        return faults.misconfiguration(vcpu(vcpu), gpa, slots.generation() % Spte.GENERATIONS);
    }

    /**
     * Brings the mappings of a frame in line with its sub-page bitmap: large pages around a protected page are split,
     * the page is armed or disarmed, and where nothing is protected any more smaller pages make way for a larger one.
     *
     * @param slot the memslot of the frame
     * @param gfn the guest frame whose bitmap has changed
     */
    public void applySubPages(Memslot slot, long gfn) {
        tables.dropSubstitutes(slot.addressSpace(), gfn, gfn);
        updates.split(slot, gfn, gfn, rules.subPages.largestLevel(slot, gfn));
        slot.rmap().forEach(1, gfn, gfn, (first, level, spteHpa) -> {
            long spte = tables.read(spteHpa);
            tables.change(spteHpa, spte, rules.withBitmap(tables.pageOf(spteHpa).role(), slot, gfn, spte));
        });
        updates.collapse(slot, gfn, gfn);
    }

    /**
     * Changes of single entries.
     *
     * @return what changes them
     */
    public EptUpdates updates() {
        return updates;
    }

    /**
     * Takes write permission from every mapping of a frame. The next write gets it back by an EPT violation. A frame
     * that sub-page permissions decide about is left to the profile.
     *
     * @param slot the memslot of the frame
     * @param gfn the guest frame
     */
    public void writeProtect(Memslot slot, long gfn) {
        updates.update(slot, gfn, gfn, (first, level, adDisabled, spte) -> rules.writeProtected(spte, level));
    }

    /**
     * Removes the mappings by which a page has another page's memory behind it, where one of the two is concerned.
     *
     * @param firstGfn first guest frame
     * @param lastGfn last guest frame
     */
    public void dropSubstitutes(long firstGfn, long lastGfn) {
        tables.dropSubstitutes(0, firstGfn, lastGfn);
    }

    /**
     * Removes all mappings of a range ({@code kvm_zap_gfn_range}), also those by which pages of the range have the
     * memory of others behind them.
     *
     * @param slot the memslot
     * @param firstGfn first guest frame
     * @param lastGfn last guest frame; both within the memslot
     */
    public void zap(Memslot slot, long firstGfn, long lastGfn) {
        tables.dropSubstitutes(slot.addressSpace(), firstGfn, lastGfn);
        slot.rmap().forEach(firstGfn, lastGfn, (gfn, level, spteHpa) -> tables.zap(slot, gfn, level, spteHpa));
    }
}
