package org.vmxsim.mmu.upkeep;

import org.vmxsim.mmu.ept.EptMmu;
import org.vmxsim.mmu.ept.Spte;
import org.vmxsim.mmu.ept.SubPageRules;
import org.vmxsim.mmu.ept.VcpuRequests;
import org.vmxsim.mmu.host.MmuNotifier;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.memslot.Memslots;
import org.vmxsim.mmu.trace.HostEvent;
import org.vmxsim.mmu.trace.Tracer;
import org.vmxsim.vmx.ept.EptEntry;

/**
 * Follows the host's page tables: what EPT entries say about frames is changed or removed as the host changes its mind.
 * One host virtual address may lie in several memslots of both address spaces; all of them follow.
 */
public final class HostNotifications implements MmuNotifier {
    private final Memslots slots;
    private final EptMmu mmu;
    private final AccessTracking tracking;
    private final SubPageRules subPages;
    private final VcpuRequests vcpus;
    private final Tracer tracer;

    /** What is done with the part of a memslot that lies in a range of host virtual addresses. */
    @FunctionalInterface
    private interface Part {
        boolean apply(Memslot slot, long firstGfn, long lastGfn);
    }

    /**
     * The notifier of one virtual machine, to be registered with its host memory.
     *
     * @param slots its memslots
     * @param mmu its EPT
     * @param tracking who knows what was accessed
     * @param subPages who decides about sub-page protected pages
     * @param vcpus who is to invalidate
     */
    public HostNotifications(
            Memslots slots, EptMmu mmu, AccessTracking tracking, SubPageRules subPages, VcpuRequests vcpus) {
        this.tracer = mmu.tracer();
        this.slots = slots;
        this.mmu = mmu;
        this.tracking = tracking;
        this.subPages = subPages;
        this.vcpus = vcpus;
    }

    private boolean forEach(long startHva, long endHva, Part part) {
        boolean any = false;
        for (Memslot slot : slots.all()) {
            long first = Math.max(startHva, slot.hva());
            long end = Math.min(endHva, slot.hva() + (slot.npages() << 12));
            if (first < end) {
                long firstGfn = slot.baseGfn() + (first - slot.hva() >>> 12);
                any |= part.apply(slot, firstGfn, slot.baseGfn() + (end - 1 - slot.hva() >>> 12));
            }
        }
        return any;
    }

    private void flushIfNeeded() {
        if (mmu.takeFlushRequest()) {
            vcpus.flushAll();
        }
    }

    @Override
    public void invalidateRangeStart(long startHva, long endHva) {
        if (tracer.isOn()) {
            tracer.emit(new HostEvent.UnmapHvaRange(startHva, endHva));
        }
        forEach(startHva, endHva, (slot, firstGfn, lastGfn) -> {
            mmu.zap(slot, firstGfn, lastGfn);
            return true;
        });
        flushIfNeeded();
    }

    @Override
    public void invalidateRangeEnd(long startHva, long endHva) {
        // The guest does not run between start and end, so there is no fault to hold off.
    }

    @Override
    public void changePte(long hva, long hpa, boolean writable) {
        if (tracer.isOn()) {
            tracer.emit(new HostEvent.SetSpteHva(hva));
        }
        forEach(hva, hva + 1, (slot, firstGfn, lastGfn) -> {
            mmu.updates()
                    .update(
                            slot,
                            firstGfn,
                            lastGfn,
                            (gfn, level, adDisabled, spte) -> level > 1 || writable
                                    ? Spte.NOT_PRESENT
                                    : retargeted(slot, gfn, adDisabled, spte, hpa));
            return true;
        });
        flushIfNeeded();
    }

    /** The entry for another frame, which may not be written, and was not accessed: {@code kvm_set_pte_rmapp}. */
    private long retargeted(Memslot slot, long gfn, boolean adDisabled, long spte, long hpa) {
        long rights = EptEntry.WRITE.mask() | Spte.HOST_WRITABLE.mask() | EptEntry.DIRTY.mask();
        long armed = EptEntry.SPP.mask() | Spte.SPP_SAVED.mask();
        long moved = EptEntry.ADDRESS.put(spte & ~(rights | armed), hpa >>> 12);
        return tracking.old(subPages.retargeted(slot, gfn, moved), 1, adDisabled);
    }

    @Override
    public boolean clearFlushYoung(long startHva, long endHva) {
        boolean young = clearYoung(startHva, endHva);
        if (young) {
            vcpus.flushAll();
        }
        return young;
    }

    @Override
    public boolean clearYoung(long startHva, long endHva) {
        if (tracer.isOn()) {
            tracer.emit(new HostEvent.AgeHva(startHva, endHva));
        }
        boolean young = forEach(startHva, endHva, tracking::clearYoung);
        // Permissions that were taken instead of flags must be gone: the saved ones are not what processors may use.
        flushIfNeeded();
        return young;
    }

    @Override
    public boolean testYoung(long hva) {
        if (tracer.isOn()) {
            tracer.emit(new HostEvent.TestAgeHva(hva));
        }
        return forEach(hva, hva + 1, tracking::testYoung);
    }
}
