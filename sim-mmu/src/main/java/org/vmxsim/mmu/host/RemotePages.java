package org.vmxsim.mmu.host;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.host.HostFrames.User;
import org.vmxsim.mmu.host.HostMappings.Mapping;

/**
 * Pages of one process shown in another in the place of a page there, as KVM introspection does it for a tool that runs
 * in a virtual machine of its own. There are two ways.
 *
 * <p>{@link #map} is the safe one, after {@code mm/remote_mapping.c} of the KVMI series v6: the page has a frame of its
 * own that may be written, both processes share it for reading and writing, it is never swapped, merged or made part of
 * a huge page, a migration moves it for both, and fork copies it at once. The page that gave way is kept and comes back
 * at the end. If the page that is shown goes away, the mapping is stale: its contents stay as they were.
 *
 * <p>{@link #borrow} is what {@code virt/kvm/kvmi_mem.c} of the series v4 does: it takes the frame that is there and
 * drops the page that gives way. Nobody is told if the first process gets another frame.
 */
public final class RemotePages {
    private static final PageSize SMALL = PageSize.SIZE_4K;
    private static final long PAGE_BYTES = 4096;
    private static final long PARKING_BYTES = 1L << 46;

    private static final class Shown {
        final User target;
        final User local;
        final long parkedHva;
        boolean live = true;

        Shown(User target, User local, long parkedHva) {
            this.target = target;
            this.local = local;
            this.parkedHva = parkedHva;
        }
    }

    private final HostFrames frames;
    private final Map<User, Shown> byLocal = new LinkedHashMap<>();
    /** Where pages that gave way are kept, as pages of a process that never runs: they may be swapped and shared. */
    private final HostMemory parking;

    private final Deque<Long> freeParking = new ArrayDeque<>();
    private long parkingEnd;

    /** Frames that were borrowed, by borrower. */
    private final Map<User, Long> borrowed = new LinkedHashMap<>();
    /** How many borrowers a frame has. */
    private final Map<Long, Integer> borrowers = new LinkedHashMap<>();
    /** Frames that their owner gave back while somebody had borrowed them. */
    private final Set<Long> orphans = new HashSet<>();

    RemotePages(HostFrames frames) {
        this.frames = frames;
        this.parking = new HostMemory(frames);
        parking.mappings().add(new Mapping(0, PARKING_BYTES, SMALL, true, null, 0, false));
    }

    /**
     * Shows a page of one process in another.
     *
     * @param target address space of the page
     * @param targetHva its address; a page of anonymous memory that may be written and is not shown yet
     * @param local address space where it is to be seen; may be the same
     * @param localHva address there; anonymous memory, be it touched, untouched or in swap
     * @return 0; ENOENT if nothing is mapped at one of the addresses, or the target may not be written; ENOMEM if no
     *     frame is free; EINVAL if one page is of a file or was mapped as a large one, or both are the same; EALREADY
     *     if one of both shows a page or is shown already
     * @throws IllegalArgumentException if an address space is of another host
     */
    public KvmResult map(HostMemory target, long targetHva, HostMemory local, long localHva) {
        User shown = placeOf(target, targetHva);
        User place = placeOf(local, localHva);
        Errno refusal = refuseTarget(shown);
        if (refusal == null) {
            refusal = refuseLocal(place, shown);
        }
        if (refusal != null) {
            return KvmResult.failed(refusal);
        }
        target.hugePages().split(shown.hva());
        local.hugePages().split(place.hva());
        long hpa = HostPageTable.frame(target.table().get(shown.hva()));
        Shown made = new Shown(shown, place, takeParking());
        local.begin(place.hva(), PAGE_BYTES);
        moveEntry(place, new User(parking, made.parkedHva));
        put(place, HostPageTable.present(hpa, mapping(place).writable()));
        local.end(place.hva(), PAGE_BYTES);
        frames.shareForWriting(hpa, shown, place);
        byLocal.put(place, made);
        return KvmResult.OK;
    }

    private User placeOf(HostMemory space, long hva) {
        if (space.frames() != frames) {
            throw HostMappings.wrong("need an address space of this host", hva, PAGE_BYTES);
        }
        return new User(space, SMALL.base(hva));
    }

    private static Mapping mapping(User user) {
        return user.space().mappings().at(user.hva());
    }

    /** Why a page cannot be shown, or null; then it is in a frame of its own. */
    private Errno refuseTarget(User shown) {
        Mapping mapping = mapping(shown);
        if (mapping == null || !mapping.writable()) {
            return Errno.ENOENT;
        }
        if (!mapping.isSmall() || mapping.shared()) {
            return Errno.EINVAL;
        }
        if (byLocal.containsKey(shown) || isShown(shown)) {
            return Errno.EALREADY;
        }
        return shown.space().resolve(shown.hva(), true, new HostPage()) < 0 ? Errno.ENOMEM : null;
    }

    private Errno refuseLocal(User place, User shown) {
        Mapping mapping = mapping(place);
        if (mapping == null) {
            return Errno.ENOENT;
        }
        if (!mapping.isSmall() || !mapping.isAnonymous() || place.equals(shown)) {
            return Errno.EINVAL;
        }
        return byLocal.containsKey(place) || isShown(place) ? Errno.EALREADY : null;
    }

    private boolean isShown(User user) {
        return byLocal.values().stream().anyMatch(shown -> shown.live && shown.target.equals(user));
    }

    private long takeParking() {
        if (freeParking.isEmpty()) {
            freeParking.add(parkingEnd);
            parkingEnd += PAGE_BYTES;
        }
        return freeParking.remove();
    }

    private void moveEntry(User from, User to) {
        long entry = from.space().table().get(from.hva());
        from.space().table().set(from.hva(), SMALL, 0);
        to.space().table().set(to.hva(), SMALL, entry);
        if (HostPageTable.has(entry, HostPageTable.PRESENT)) {
            frames.moved(HostPageTable.frame(entry), from, to);
        }
    }

    /** Stores an entry, and tells the frame. */
    private static void put(User user, long entry) {
        user.space().table().set(user.hva(), SMALL, entry);
        if (HostPageTable.has(entry, HostPageTable.PRESENT)) {
            boolean writable = HostPageTable.has(entry, HostPageTable.WRITABLE);
            user.space().changed(user.hva(), SMALL, HostPageTable.frame(entry), writable);
        }
    }

    /**
     * Ends {@link #map}: the page that gave way is back, with what it held.
     *
     * @param local address space where the page is seen
     * @param localHva address there
     * @return 0; ENOENT if no page is shown there
     */
    public KvmResult unmap(HostMemory local, long localHva) {
        Shown shown = byLocal.get(placeOf(local, localHva));
        if (shown == null) {
            return KvmResult.failed(Errno.ENOENT);
        }
        restore(shown);
        return KvmResult.OK;
    }

    private void restore(Shown shown) {
        User place = shown.local;
        // A stale page is like any other: it may be in swap or in a huge page by now.
        place.space().hugePages().split(place.hva());
        place.space().begin(place.hva(), PAGE_BYTES);
        release(place, place.space().table().get(place.hva()));
        moveEntry(new User(parking, shown.parkedHva), place);
        long own = place.space().table().get(place.hva());
        put(place, mapping(place).writable() ? own : own & ~HostPageTable.WRITABLE);
        place.space().end(place.hva(), PAGE_BYTES);
        freeParking.push(shown.parkedHva);
        byLocal.remove(place);
    }

    private void release(User user, long entry) {
        if (HostPageTable.has(entry, HostPageTable.SWAPPED)) {
            frames.dropSlot(HostPageTable.slot(entry));
        } else if (entry != 0) {
            frames.drop(HostPageTable.frame(entry), SMALL, user);
        }
    }

    /**
     * Makes a page that is shown stale: a copy, or the page that gave way if no frame is free for one.
     *
     * @param local address space where the page is seen
     * @param localHva address there; nothing happens if no page is shown there, or it is stale already
     */
    public void detach(HostMemory local, long localHva) {
        Shown shown = byLocal.get(placeOf(local, localHva));
        if (shown != null && shown.live) {
            detach(shown);
        }
    }

    private void detach(Shown shown) {
        long copy = frames.allocate(SMALL);
        if (copy == FrameAllocator.NONE) {
            restore(shown);
            return;
        }
        User place = shown.local;
        long entry = place.space().table().get(place.hva());
        place.space().begin(place.hva(), PAGE_BYTES);
        frames.copy(HostPageTable.frame(entry), copy, SMALL);
        put(place, HostPageTable.present(copy, mapping(place).writable()));
        place.space().end(place.hva(), PAGE_BYTES);
        frames.drop(HostPageTable.frame(entry), SMALL, place);
        shown.live = false;
    }

    /**
     * Whether {@link #map} shows a page somewhere.
     *
     * @param local address space
     * @param localHva address
     * @return true until it ends, be the page stale or not
     */
    public boolean isMapped(HostMemory local, long localHva) {
        return byLocal.containsKey(placeOf(local, localHva));
    }

    /**
     * Whether a page that {@link #map} shows still is the one of the other process.
     *
     * @param local address space where the page is seen
     * @param localHva address there
     * @return false if it is stale, or if no page is shown there
     */
    public boolean isLive(HostMemory local, long localHva) {
        Shown shown = byLocal.get(placeOf(local, localHva));
        return shown != null && shown.live;
    }

    /** Pages of a range go away, or to another address: what is shown there ends, what is shown of them is stale. */
    void leaving(HostMemory space, long hva, long sizeBytes, boolean moving) {
        if (byLocal.isEmpty()) {
            return;
        }
        List<Shown> all = List.copyOf(byLocal.values());
        all.stream().filter(shown -> lies(shown.local, space, hva, sizeBytes)).forEach(this::restore);
        for (Shown shown : all) {
            boolean leaves = shown.live && lies(shown.target, space, hva, sizeBytes);
            // A page that goes away leaves its frame to who sees it; one that moves keeps it.
            if (leaves && moving && isMapped(shown.local.space(), shown.local.hva())) {
                detach(shown);
            } else if (leaves) {
                shown.live = false;
            }
        }
    }

    private static boolean lies(User user, HostMemory space, long hva, long sizeBytes) {
        return user.space() == space && user.hva() >= hva && user.hva() < hva + sizeBytes;
    }

    /**
     * Puts the frame of a page of one process into the page table of another, in the place of a page that is dropped.
     *
     * @param target address space of the page
     * @param targetHva its address; touched as for a read, so that the frame may be shared with others
     * @param local address space where it is to be seen
     * @param localHva address there; a page in a frame, whose permission to be written stays
     * @return 0; EFAULT if nothing is mapped at the target's address; ENOMEM if no frame is free; ENOENT if nothing is
     *     mapped at the local address or its page is in no frame; EINVAL if one was mapped as a large page
     * @throws IllegalArgumentException if an address space is of another host
     */
    public KvmResult borrow(HostMemory target, long targetHva, HostMemory local, long localHva) {
        User owner = placeOf(target, targetHva);
        User place = placeOf(local, localHva);
        long found = target.resolve(owner.hva(), false, new HostPage());
        if (found < 0) {
            return KvmResult.failed(found == HostMemory.NO_MEMORY ? Errno.ENOMEM : Errno.EFAULT);
        }
        Errno refusal = refusePresent(place);
        if (refusal != null || !mapping(owner).isSmall()) {
            return KvmResult.failed(refusal == null ? Errno.EINVAL : refusal);
        }
        target.hugePages().split(owner.hva());
        long hpa = HostPageTable.frame(target.table().get(owner.hva()));
        replace(place, hpa);
        if (!frames.isZeroFrame(hpa)) {
            borrowed.put(place, hpa);
            borrowers.merge(hpa, 1, Integer::sum);
        }
        return KvmResult.OK;
    }

    /**
     * Ends {@link #borrow}: puts a frame of zeros into the page table in the place of whatever is there.
     *
     * @param local address space
     * @param localHva address; a page in a frame
     * @return 0; ENOENT if nothing is mapped there or the page is in no frame; EINVAL if it was mapped as a large page;
     *     ENOMEM if no frame is free
     */
    public KvmResult replaceByFresh(HostMemory local, long localHva) {
        User place = placeOf(local, localHva);
        Errno refusal = refusePresent(place);
        long hpa = refusal == null ? frames.allocate(SMALL) : FrameAllocator.NONE;
        if (hpa == FrameAllocator.NONE) {
            return KvmResult.failed(refusal == null ? Errno.ENOMEM : refusal);
        }
        replace(place, hpa);
        return KvmResult.OK;
    }

    private static Errno refusePresent(User place) {
        Mapping mapping = mapping(place);
        if (mapping == null || !HostPageTable.has(place.space().table().get(place.hva()), HostPageTable.PRESENT)) {
            return Errno.ENOENT;
        }
        return mapping.isSmall() ? null : Errno.EINVAL;
    }

    /** Another frame with the flags of the entry that was there. */
    private void replace(User place, long hpa) {
        place.space().hugePages().split(place.hva());
        long old = place.space().table().get(place.hva());
        long oldHpa = HostPageTable.frame(old);
        place.space().begin(place.hva(), PAGE_BYTES);
        put(place, hpa | old & (PAGE_BYTES - 1));
        place.space().end(place.hva(), PAGE_BYTES);
        frames.drop(oldHpa, SMALL, place);
    }

    /** Whether the page at an address is one that {@link #borrow} put there. */
    boolean isBorrower(User user) {
        return borrowed.containsKey(user);
    }

    /** Whether somebody has borrowed a frame. */
    boolean isBorrowed(long hpa) {
        return borrowers.containsKey(hpa);
    }

    /** A borrower has another address now. */
    void moved(User from, User to) {
        Long hpa = borrowed.remove(from);
        if (hpa != null) {
            borrowed.put(to, hpa);
        }
    }

    /** A frame goes out of a page table: true if it was borrowed there, and nothing else is to be done about it. */
    boolean giveBack(User user) {
        Long hpa = borrowed.remove(user);
        if (hpa == null) {
            return false;
        }
        if (borrowers.merge(hpa, -1, Integer::sum) == 0) {
            borrowers.remove(hpa);
            if (orphans.remove(hpa)) {
                frames.release(hpa, SMALL);
            }
        }
        return true;
    }

    /** The owner of a frame gives it back: true if it is borrowed, and stays. */
    boolean keep(long hpa) {
        if (isBorrowed(hpa)) {
            orphans.add(hpa);
        }
        return isBorrowed(hpa);
    }

    /** How many pages of a range fork has to copy at once, since their frames are shared for writing. */
    long copiedByFork(HostMemory space, long hva, long sizeBytes) {
        Stream<User> shown =
                byLocal.values().stream().filter(page -> page.live).flatMap(page -> Stream.of(page.local, page.target));
        return Stream.concat(shown, borrowed.keySet().stream())
                .filter(user -> lies(user, space, hva, sizeBytes))
                .count();
    }
}
