package org.vmxsim.mmu.track;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.vmxsim.mmu.ept.AccessRules;
import org.vmxsim.mmu.memslot.Memslot;

/**
 * The tracked pages of one virtual machine and who is told about them. Tracking counts: a page tracked twice in a mode
 * stays tracked until it is removed twice. A tracked page is mapped by 4-KiB entries only, without the permissions of
 * which uses are to be told; the guest's instruction is emulated then, and the trackers are told.
 */
public final class PageTracking {
    private final Mappings mappings;
    private final Map<Memslot, TrackedPages> bySlot = new IdentityHashMap<>();
    private final List<PageTracker> trackers = new ArrayList<>();
    /** The memslot asked about last. */
    private TrackedPages found;

    /**
     * No page is tracked.
     *
     * @param mappings what to do when permissions of a page change
     */
    public PageTracking(Mappings mappings) {
        this.mappings = mappings;
    }

    /**
     * Registers a tracker ({@code kvm_page_track_register_notifier}).
     *
     * @param tracker who is to be told, after those that registered before
     * @throws IllegalArgumentException if it is null
     */
    public void register(PageTracker tracker) {
        if (tracker == null) {
            throw new IllegalArgumentException("need a tracker, got null");
        }
        trackers.add(tracker);
    }

    /**
     * Ends {@link #register}. Pages stay tracked until they are removed.
     *
     * @param tracker who is told no more
     */
    public void unregister(PageTracker tracker) {
        trackers.remove(tracker);
    }

    /**
     * Tracks a page ({@code kvm_slot_page_track_add_page}).
     *
     * @param slot the memslot
     * @param gfn the guest frame
     * @param mode what to follow
     * @throws IllegalArgumentException if the frame is not in the memslot, or tracked 65535 times
     */
    public void add(Memslot slot, long gfn, TrackMode mode) {
        requireIn(slot, gfn);
        TrackedPages pages = bySlot.computeIfAbsent(slot, TrackedPages::new);
        if (pages.count(gfn, mode) == TrackedPages.MOST) {
            throw new IllegalArgumentException("need a page tracked less than " + TrackedPages.MOST
                    + " times, got gfn=0x" + Long.toHexString(gfn) + " mode=" + mode);
        }
        found = null;
        if (pages.add(gfn, mode, 1)) {
            mappings.zap(slot, gfn, gfn);
        }
    }

    /**
     * Ends one {@link #add} ({@code kvm_slot_page_track_remove_page}).
     *
     * @param slot the memslot
     * @param gfn the guest frame
     * @param mode what was followed
     * @throws IllegalArgumentException if the frame is not in the memslot, or not tracked in that mode
     */
    public void remove(Memslot slot, long gfn, TrackMode mode) {
        requireIn(slot, gfn);
        if (count(slot, gfn, mode) == 0) {
            throw new IllegalArgumentException(
                    "need a tracked page, got gfn=0x" + Long.toHexString(gfn) + " mode=" + mode);
        }
        TrackedPages pages = bySlot.get(slot);
        if (pages.add(gfn, mode, -1)) {
            mappings.zap(slot, gfn, gfn);
        }
        if (pages.isEmpty()) {
            bySlot.remove(slot);
            found = null;
        }
    }

    private static void requireIn(Memslot slot, long gfn) {
        if (!slot.contains(gfn)) {
            throw new IllegalArgumentException(
                    "need a frame of memslot " + slot.id() + ", got gfn=0x" + Long.toHexString(gfn));
        }
    }

    private TrackedPages pages(Memslot slot) {
        if (bySlot.isEmpty() || slot == null) {
            return null;
        }
        if (found == null || found.slot() != slot) {
            found = bySlot.get(slot);
        }
        return found;
    }

    private int count(Memslot slot, long gfn, TrackMode mode) {
        TrackedPages pages = pages(slot);
        return pages == null ? 0 : pages.count(gfn, mode);
    }

    /**
     * Whether a page is tracked ({@code kvm_slot_page_track_is_active}).
     *
     * @param slot the memslot, or null for none
     * @param gfn the guest frame, in the memslot
     * @param mode the mode
     * @return true if it was added more often than removed
     */
    public boolean isActive(Memslot slot, long gfn, TrackMode mode) {
        return count(slot, gfn, mode) != 0;
    }

    /**
     * What the guest may do to a page without an exit.
     *
     * @param slot the memslot
     * @param gfn the guest frame
     * @return bits 0 to 2: read, write, execute
     */
    public int permissions(Memslot slot, long gfn) {
        TrackedPages pages = pages(slot);
        return pages == null ? AccessRules.ALL : pages.permissions(gfn);
    }

    /**
     * The largest level that may map a frame.
     *
     * @param slot the memslot
     * @param gfn the guest frame
     * @return 1 to 3
     */
    public int largestLevel(Memslot slot, long gfn) {
        TrackedPages pages = pages(slot);
        return pages == null ? 3 : pages.largestLevel(gfn);
    }

    /**
     * Asks the trackers before an access to a page. All are asked, whatever the first say.
     *
     * @param mode {@link TrackMode#PREREAD}, {@link TrackMode#PREWRITE} or {@link TrackMode#PREEXEC}
     * @param slot the memslot, or null for none
     * @param access the access
     * @return {@link PageTracker.Answer#RETRY} if one of them says so; CONTINUE if the page is not tracked so
     * @throws IllegalArgumentException for {@link TrackMode#WRITE}
     */
    public PageTracker.Answer before(TrackMode mode, Memslot slot, TrackedAccess access) {
        if (!isActive(slot, access.gpa() >>> 12, mode)) {
            return PageTracker.Answer.CONTINUE;
        }
        boolean retry = false;
        for (PageTracker tracker : List.copyOf(trackers)) {
            retry |= ask(tracker, mode, access) == PageTracker.Answer.RETRY;
        }
        return retry ? PageTracker.Answer.RETRY : PageTracker.Answer.CONTINUE;
    }

    private static PageTracker.Answer ask(PageTracker tracker, TrackMode mode, TrackedAccess access) {
        return switch (mode) {
            case PREREAD -> tracker.preRead(access);
            case PREWRITE -> tracker.preWrite(access);
            case PREEXEC -> tracker.preExec(access);
            case WRITE -> throw new IllegalArgumentException("need a mode that is told beforehand, got " + mode);
        };
    }

    /**
     * Tells the trackers about a write that has landed ({@code kvm_page_track_write}), if the page is tracked.
     *
     * @param slot the memslot
     * @param access the write
     */
    public void written(Memslot slot, TrackedAccess access) {
        if (isActive(slot, access.gpa() >>> 12, TrackMode.WRITE)) {
            List.copyOf(trackers).forEach(tracker -> tracker.written(access));
        }
    }

    /**
     * Memslots change ({@code kvm_page_track_flush_slot}, and the KVMI series' create_slot). A memslot of which only
     * flags change keeps what is tracked; of one that goes or moves the trackers are told.
     *
     * @param removed the memslot that goes, or null
     * @param added the memslot that comes, or null
     */
    public void memslotChanged(Memslot removed, Memslot added) {
        found = null;
        if (removed != null && added != null && sameRange(removed, added)) {
            TrackedPages kept = bySlot.remove(removed);
            if (kept != null) {
                bySlot.put(added, kept.movedTo(added));
            }
            return;
        }
        if (removed != null) {
            List.copyOf(trackers).forEach(tracker -> tracker.slotFlushed(removed));
            bySlot.remove(removed);
        }
        if (added != null) {
            List.copyOf(trackers).forEach(tracker -> tracker.slotCreated(added));
        }
    }

    private static boolean sameRange(Memslot one, Memslot other) {
        return one.baseGfn() == other.baseGfn() && one.npages() == other.npages() && one.hva() == other.hva();
    }
}
