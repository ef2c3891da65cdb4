package org.vmxsim.lab.subpage;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.vmxsim.core.cpu.LinearAccess;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.track.PageTracker;
import org.vmxsim.mmu.track.TrackMode;
import org.vmxsim.mmu.track.TrackedAccess;

/**
 * Write protection of whole pages: pages with a closed sub-page are tracked, so each write to them exits and is
 * emulated, and the emulator asks the sub-page bitmaps. The processor's sub-page permissions are never asked, since the
 * hypervisor does not arm a page that it write-protects itself.
 */
public final class WholePages implements PageTracker {
    private final Vm vm;
    private final List<Memslot> slots = new ArrayList<>();
    private final Set<Long> tracked = new HashSet<>();
    private LinearAccess.StoreObserver observer;

    /**
     * No page is protected. To be made before the virtual machine gets memory.
     *
     * @param vm whose pages
     */
    public WholePages(Vm vm) {
        this.vm = vm;
        vm.pageTracking().register(this);
    }

    /**
     * Sets who hears of the writes that land.
     *
     * @param newObserver who counts
     */
    public void observer(LinearAccess.StoreObserver newObserver) {
        observer = newObserver;
    }

    @Override
    public void slotCreated(Memslot slot) {
        slots.add(slot);
    }

    /** Whether a page's writes are to be emulated from now on. */
    void protect(long gfn, boolean wanted) {
        if (wanted == tracked.contains(gfn)) {
            return;
        }
        for (Memslot slot : slots) {
            if (slot.contains(gfn) && wanted) {
                tracked.add(gfn);
                vm.pageTracking().add(slot, gfn, TrackMode.WRITE);
            } else if (slot.contains(gfn)) {
                tracked.remove(gfn);
                vm.pageTracking().remove(slot, gfn, TrackMode.WRITE);
            }
        }
    }

    @Override
    public void written(TrackedAccess access) {
        if (observer != null) {
            observer.stored(vm.memory().hpa(access.gpa()), access.sizeBytes());
        }
    }
}
