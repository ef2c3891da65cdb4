package org.vmxsim.mmu.upkeep;

import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.ept.EptMmu;
import org.vmxsim.mmu.ept.VcpuRequests;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.memslot.MemslotChange;
import org.vmxsim.mmu.memslot.Memslots;
import org.vmxsim.mmu.memslot.SubPageBitmaps;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.mmu.spp.SubPageProtection;
import org.vmxsim.mmu.trace.HostEvent;
import org.vmxsim.mmu.track.PageTracking;

/** Changes of the memslots of one virtual machine (KVM_SET_USER_MEMORY_REGION), with all that hangs on them. */
public final class MemoryRegions {
    private final Memslots slots;
    private final EptMmu mmu;
    private final DirtyLogging logging;
    private final DirtyLog dirtyLog;
    private final SubPageProtection subPages;
    private final PageTracking tracking;
    private final VcpuRequests vcpus;

    /**
     * The memslots of one virtual machine.
     *
     * @param slots the memslots
     * @param mmu the EPT, whose entries follow
     * @param modificationLog whether processors log writes where they set dirty flags
     * @param subPages whose bitmaps come and go with the memslots
     * @param tracking whose counts do so too
     * @param vcpus who is to invalidate
     */
    public MemoryRegions(
            Memslots slots,
            EptMmu mmu,
            boolean modificationLog,
            SubPageProtection subPages,
            PageTracking tracking,
            VcpuRequests vcpus) {
        this.slots = slots;
        this.mmu = mmu;
        this.logging = new DirtyLogging(mmu, modificationLog);
        this.dirtyLog = new DirtyLog(slots, logging, vcpus, subPages::oops);
        this.subPages = subPages;
        this.tracking = tracking;
        this.vcpus = vcpus;
    }

    /**
     * The log of writes.
     *
     * @return the calls that read and clear it
     */
    public DirtyLog dirtyLog() {
        return dirtyLog;
    }

    /**
     * Adds, moves or deletes a memslot, or gives it other flags.
     *
     * @param slot memslot number in bits 15:0, address space in bits 31:16
     * @param flags {@link Memslot#READONLY} and {@link Memslot#LOG_DIRTY_PAGES}
     * @param gpa first guest-physical address
     * @param sizeBytes size; 0 deletes
     * @param hva first host virtual address
     * @return 0, or the error of {@link Memslots#check}, or ENOMEM, or how the host's kernel crashed
     */
    public KvmResult set(int slot, int flags, long gpa, long sizeBytes, long hva) {
        if (subPages.oops() != null) {
            return KvmResult.crashed(subPages.oops());
        }
        MemslotChange change = slots.check(slot, flags, gpa, sizeBytes, hva);
        if (change.errno() != null) {
            return KvmResult.failed(change.errno());
        }
        if (change.removed() == null && change.added() != null && !subPages.memslotMade(change.added())) {
            return KvmResult.failed(Errno.ENOMEM);
        }
        return make(change, slot, gpa, sizeBytes);
    }

    private KvmResult make(MemslotChange change, int slot, long gpa, long sizeBytes) {
        make(change);
        if (mmu.tracer().isOn()) {
            mmu.tracer().emit(new HostEvent.MemslotChange(slot, gpa, sizeBytes));
        }
        return subPages.oops() == null ? KvmResult.OK : KvmResult.crashed(subPages.oops());
    }

    private void make(MemslotChange change) {
        Memslot removed = change.removed();
        boolean loggedBefore = slots.logsWrites();
        if (removed != null) {
            mmu.zapAllFast();
        }
        boolean slotLoggedBefore = change.kept() != null && change.kept().logsWrites();
        slots.make(change);
        mmu.memslotsChanged();
        if (removed != null || change.added() != null) {
            subPages.memslotChanged(removed, change.added());
            tracking.memslotChanged(removed, change.added());
        }
        if (change.kept() != null && change.kept().logsWrites() != slotLoggedBefore) {
            toggleLogging(change.kept());
        }
        if (slots.logsWrites() != loggedBefore) {
            vcpus.updateDirtyLoggingAll();
        }
        if (mmu.takeFlushRequest()) {
            vcpus.flushAll();
        }
    }

    private void toggleLogging(Memslot slot) {
        if (slot.logsWrites()) {
            logging.begin(slot, slots.logsBeginDirty());
            // Whether or not an entry lost a right: what was cached before the log began must not outlive it.
            vcpus.flushAll();
        } else {
            logging.end(slot);
        }
    }

    /**
     * Changes the size of a memslot as user space does it, since KVM has no call for it: deletes the memslot and adds
     * one of the new size at the same guest-physical and host virtual address with the same flags. Its log of writes is
     * lost with it and is to be read before. With the fixed profile the pages that stay keep their sub-page bitmaps.
     *
     * @param slot memslot number in bits 15:0, address space in bits 31:16
     * @param sizeBytes new size, a positive multiple of 4096
     * @return 0; EINVAL for a size that no memslot can have or if there is no such memslot; EEXIST if it would overlap
     *     another; ENOMEM; with an error nothing has changed
     */
    public KvmResult resize(int slot, long sizeBytes) {
        if (subPages.oops() != null) {
            return KvmResult.crashed(subPages.oops());
        }
        Memslot old = slots.byId(slot);
        if (old == null || sizeBytes <= 0) {
            return KvmResult.failed(Errno.EINVAL);
        }
        MemslotChange grown = slots.checkResize(old, sizeBytes);
        if (grown.errno() != null) {
            return KvmResult.failed(grown.errno());
        }
        // The array of the new size is there before the old one goes.
        if (!subPages.memslotMade(grown.added())) {
            return KvmResult.failed(Errno.ENOMEM);
        }
        SubPageBitmaps bitmaps = old.bitmaps();
        make(new MemslotChange(MemslotChange.Kind.DELETE, old, null, null, 0, null), slot, 0, 0);
        KvmResult result = make(
                new MemslotChange(MemslotChange.Kind.CREATE, null, grown.added(), null, grown.flags(), null),
                slot,
                old.baseGfn() << 12,
                sizeBytes);
        if (subPages.profile() == SppProfile.FIXED && subPages.isActive()) {
            long last = Math.min(old.lastGfn(), old.baseGfn() + (sizeBytes >>> 12) - 1);
            bitmaps.forEachProtected((gfn, bitmap) -> {
                if (gfn <= last) {
                    subPages.set(gfn, new int[] {bitmap});
                }
            });
        }
        return result;
    }
}
