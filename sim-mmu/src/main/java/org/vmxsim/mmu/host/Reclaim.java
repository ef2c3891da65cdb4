package org.vmxsim.mmu.host;

import java.util.List;
import org.vmxsim.mmu.host.HostFrames.User;
import org.vmxsim.mmu.host.HostMappings.Mapping;

/** What the host's memory management does to pages of one address space by itself: ageing, swapping, migration. */
public final class Reclaim {
    /** The rest of a round of the clock, and two whole ones: one to clear flags, one to find them clear. */
    private static final int ROUNDS = 3;

    private final HostMemory space;
    /** Where {@link #reclaim} goes on. */
    private long hand;

    Reclaim(HostMemory space) {
        this.space = space;
    }

    /**
     * Moves a page to swap, out of all address spaces that share it. A transparent huge page is split first. Whether it
     * was accessed lately is not asked, see {@link #reclaim}.
     *
     * @param hva host virtual address
     * @return whether the page went; not so if it is in no frame, shared with all as the frame of zeros, or swap is
     *     full; nor if it is shown in another process, or shows a page of one
     * @throws IllegalArgumentException if nothing is mapped there, or a page that was mapped as a large one
     */
    public boolean swapOut(long hva) {
        long page = small(hva);
        HostFrames frames = space.frames();
        long hpa = presentFrame(page);
        if (hpa == FrameAllocator.NONE || frames.isZeroFrame(hpa) || isPinned(page, hpa) || frames.isForWriting(hpa)) {
            return false;
        }
        if (frames.file(hpa) != null) {
            return frames.file(hpa).swapOut(frames.fileOffset(hpa));
        }
        space.hugePages().split(page);
        hpa = presentFrame(page);
        List<User> users = frames.users(hpa, new User(space, page));
        int slot = frames.takeSlot(users.size());
        if (slot == HostFrames.NO_SLOT) {
            return false;
        }
        users.forEach(user -> user.space().begin(user.hva(), PageSize.SIZE_4K.sizeBytes()));
        frames.store(slot, hpa);
        for (User user : users) {
            user.space().table().set(user.hva(), PageSize.SIZE_4K, HostPageTable.swapped(slot));
            user.space().end(user.hva(), PageSize.SIZE_4K.sizeBytes());
        }
        frames.dropAll(hpa, PageSize.SIZE_4K);
        return true;
    }

    /**
     * Brings a page back from swap, without waiting for an access.
     *
     * @param hva host virtual address
     * @return whether it was there and is not any more; not so if no frame is free
     * @throws IllegalArgumentException if nothing is mapped there, or a page that was mapped as a large one
     */
    public boolean swapIn(long hva) {
        long page = small(hva);
        return HostPageTable.has(space.table().get(page), HostPageTable.SWAPPED)
                && space.resolve(page, false, new HostPage()) >= 0;
    }

    /** Whether somebody holds the frame whom no page table names: it cannot be taken from under him. */
    private boolean isPinned(long hva, long hpa) {
        RemotePages remote = space.frames().remotePages();
        return remote.isBorrowed(hpa) && remote.isBorrower(new User(space, PageSize.SIZE_4K.base(hva)));
    }

    private long small(long hva) {
        Mapping mapping = space.mappings().at(hva);
        if (mapping == null || !mapping.isSmall()) {
            throw HostMappings.wrong("need a mapping of small pages", hva, PageSize.SIZE_4K.sizeBytes());
        }
        return PageSize.SIZE_4K.base(hva);
    }

    private long presentFrame(long hva) {
        long entry = space.table().get(hva);
        return HostPageTable.has(entry, HostPageTable.PRESENT) ? HostPageTable.frame(entry) : FrameAllocator.NONE;
    }

    /**
     * Moves a page to another frame, in all address spaces that share it: what compaction and NUMA balancing do.
     *
     * @param hva host virtual address
     * @return whether it moved; not so if the page is in no frame, is the frame of zeros or one that was borrowed from
     *     another process, or no other frame is free
     * @throws IllegalArgumentException if nothing is mapped there
     */
    public boolean migrate(long hva) {
        if (space.mappings().at(hva) == null) {
            throw HostMappings.wrong("need a mapping", hva, PageSize.SIZE_4K.sizeBytes());
        }
        HostFrames frames = space.frames();
        PageSize size = space.table().size(hva);
        long hpa = presentFrame(hva);
        if (hpa == FrameAllocator.NONE || frames.isZeroFrame(hpa) || isPinned(hva, hpa)) {
            return false;
        }
        long newHpa = frames.allocate(size);
        if (newHpa == FrameAllocator.NONE) {
            return false;
        }
        List<User> users = frames.users(hpa, new User(space, size.base(hva)));
        users.forEach(user -> user.space().begin(user.hva(), size.sizeBytes()));
        frames.copy(hpa, newHpa, size);
        if (frames.file(hpa) != null) {
            frames.file(hpa).moved(frames.fileOffset(hpa), newHpa);
        }
        for (User user : users) {
            long flags = user.space().table().get(user.hva()) & ~HostPageTable.frame(-1);
            user.space().table().set(user.hva(), size, newHpa | flags);
            user.space().changed(user.hva(), size, newHpa, HostPageTable.has(flags, HostPageTable.WRITABLE));
            user.space().end(user.hva(), size.sizeBytes());
        }
        frames.replace(hpa, newHpa, size);
        return true;
    }

    /**
     * Asks whether a range was accessed since it was asked last, by the process or by whom it notifies.
     *
     * @param hva first address
     * @param sizeBytes size
     * @param flush whether translations are flushed, so that no access goes unseen from now on
     *     ({@link MmuNotifier#clearFlushYoung}, as before swapping; else {@link MmuNotifier#clearYoung})
     * @return true if it was
     * @throws IllegalArgumentException if unaligned, or a large page is cut
     */
    public boolean age(long hva, long sizeBytes, boolean flush) {
        space.mappings().checked(hva, sizeBytes);
        boolean young = false;
        for (long at = hva; at < hva + sizeBytes; at = space.table().next(at, hva + sizeBytes)) {
            young |= HostPageTable.has(space.table().get(at), HostPageTable.ACCESSED);
            space.table().flags(at, 0, HostPageTable.ACCESSED);
        }
        for (MmuNotifier notifier : space.notifiers()) {
            young |= flush ? notifier.clearFlushYoung(hva, hva + sizeBytes) : notifier.clearYoung(hva, hva + sizeBytes);
        }
        return young;
    }

    /**
     * As {@link #age} for one page, but nothing is cleared.
     *
     * @param hva host virtual address
     * @return true if it was accessed
     */
    public boolean isYoung(long hva) {
        boolean young = HostPageTable.has(space.table().get(hva), HostPageTable.ACCESSED);
        for (MmuNotifier notifier : space.notifiers()) {
            young |= notifier.testYoung(PageSize.SIZE_4K.base(hva));
        }
        return young;
    }

    /**
     * Swaps pages out that were not accessed since they were last looked at: one hand of a clock goes round, as often
     * as twice beyond the round it is in.
     *
     * @param pages how many 4-KiB pages to swap out at most
     * @return how many went
     */
    public int reclaim(int pages) {
        int swapped = 0;
        for (int round = 0; round < ROUNDS && swapped < pages; round++) {
            for (Mapping mapping : space.mappings().all()) {
                long at = Math.max(hand, mapping.startHva());
                while (mapping.isSmall() && at < mapping.endHva() && swapped < pages) {
                    swapped += swapOld(at) ? 1 : 0;
                    at = space.table().next(at, mapping.endHva());
                    hand = at;
                }
            }
            hand = swapped < pages ? 0 : hand;
        }
        return swapped;
    }

    private boolean swapOld(long hva) {
        PageSize size = space.table().size(hva);
        return presentFrame(hva) != FrameAllocator.NONE && !age(size.base(hva), size.sizeBytes(), true) && swapOut(hva);
    }
}
