package org.vmxsim.mmu.host;

import java.util.List;
import org.vmxsim.mmu.host.HostFrames.User;
import org.vmxsim.mmu.host.HostMappings.Mapping;

/**
 * What is done to ranges of one address space: munmap, madvise(MADV_DONTNEED), mprotect, mremap, and the sharing of
 * fork. All addresses and sizes are page-aligned; pages of large mappings are never cut.
 */
public final class HostRanges {
    private final HostMemory space;

    HostRanges(HostMemory space) {
        this.space = space;
    }

    /**
     * Unmaps a range: munmap. Where nothing is mapped nothing happens.
     *
     * @param hva first address
     * @param sizeBytes size
     * @throws IllegalArgumentException if unaligned, or a large page is cut
     */
    public void unmap(long hva, long sizeBytes) {
        space.mappings().checked(hva, sizeBytes);
        zap(hva, sizeBytes);
        space.mappings().remove(hva, hva + sizeBytes);
    }

    /**
     * Forgets what anonymous memory of a range holds, so that it is zeros again; private pages of a file are the file's
     * again: madvise with MADV_DONTNEED.
     *
     * @param hva first address
     * @param sizeBytes size
     * @throws IllegalArgumentException if unaligned, or a large page is cut
     */
    public void discard(long hva, long sizeBytes) {
        space.mappings().checked(hva, sizeBytes);
        zap(hva, sizeBytes);
    }

    /** Unmaps everything: what becomes of the address space when the process ends (exit_mmap). */
    public void unmapAll() {
        for (Mapping mapping : space.mappings().all()) {
            unmap(mapping.startHva(), mapping.endHva() - mapping.startHva());
        }
    }

    private void zap(long hva, long sizeBytes) {
        space.frames().remotePages().leaving(space, hva, sizeBytes, false);
        splitEdges(hva, sizeBytes);
        space.begin(hva, sizeBytes);
        HostPageTable table = space.table();
        for (long at = hva; at < hva + sizeBytes; at = next(at, hva + sizeBytes)) {
            long entry = table.get(at);
            PageSize size = table.size(at);
            if (entry != 0) {
                table.set(at, size, 0);
                release(at, size, entry);
            }
        }
        space.end(hva, sizeBytes);
    }

    private void release(long hva, PageSize size, long entry) {
        if (HostPageTable.has(entry, HostPageTable.SWAPPED)) {
            space.frames().dropSlot(HostPageTable.slot(entry));
        } else {
            space.frames().drop(HostPageTable.frame(entry), size, new User(space, hva));
        }
    }

    /** The next address with an entry to look at: behind a page of any size, or behind an untouched region. */
    private long next(long hva, long endHva) {
        return space.table().next(hva, endHva);
    }

    /** Splits the transparent huge pages that a range cuts. */
    private void splitEdges(long hva, long sizeBytes) {
        splitEdge(hva);
        splitEdge(hva + sizeBytes);
    }

    private void splitEdge(long hva) {
        if (!space.table().size(hva).isAligned(hva)) {
            space.hugePages().split(hva);
        }
    }

    /** Huge pages stay whole only where they lie whole in the range, and lie aligned where they are to appear. */
    private void splitFor(long hva, long sizeBytes, long toHva) {
        splitEdges(hva, sizeBytes);
        if (!PageSize.SIZE_2M.isAligned(hva ^ toHva)) {
            splitAll(hva, sizeBytes);
        }
    }

    private void splitAll(long hva, long sizeBytes) {
        for (Mapping part : space.mappings().within(hva, hva + sizeBytes)) {
            for (long at = part.startHva(); part.isSmall() && at < part.endHva(); at = next(at, part.endHva())) {
                space.hugePages().split(at);
            }
        }
    }

    /**
     * Allows or forbids writes to a range: mprotect.
     *
     * @param hva first address
     * @param sizeBytes size
     * @param writable whether writes are allowed from now on
     * @throws IllegalArgumentException if unaligned, not mapped throughout, or a large page is cut
     */
    public void protect(long hva, long sizeBytes, boolean writable) {
        List<Mapping> parts = space.mappings().checkedWhole(hva, sizeBytes);
        splitEdges(hva, sizeBytes);
        space.begin(hva, sizeBytes);
        space.mappings().remove(hva, hva + sizeBytes);
        parts.forEach(part -> space.mappings().add(part.withWritable(writable)));
        for (long at = hva; !writable && at < hva + sizeBytes; at = next(at, hva + sizeBytes)) {
            space.table().flags(at, 0, HostPageTable.WRITABLE);
        }
        space.end(hva, sizeBytes);
    }

    /**
     * Moves a range with its pages to another address: mremap with MREMAP_FIXED.
     *
     * @param hva first address
     * @param sizeBytes size
     * @param toHva new first address; nothing is mapped there
     * @throws IllegalArgumentException if unaligned, not mapped throughout, a large page is cut, or something is mapped
     *     at the new address
     */
    public void move(long hva, long sizeBytes, long toHva) {
        List<Mapping> parts = space.mappings().checkedWhole(hva, sizeBytes);
        checkTarget(parts, hva, space, toHva);
        space.frames().remotePages().leaving(space, hva, sizeBytes, true);
        splitFor(hva, sizeBytes, toHva);
        space.begin(hva, sizeBytes);
        space.mappings().remove(hva, hva + sizeBytes);
        parts.forEach(part -> space.add(part.movedTo(part.startHva() - hva + toHva)));
        HostPageTable table = space.table();
        for (long at = hva; at < hva + sizeBytes; at = next(at, hva + sizeBytes)) {
            long entry = table.get(at);
            if (entry != 0) {
                moveEntry(at, at - hva + toHva, entry);
            }
        }
        space.end(hva, sizeBytes);
    }

    private void moveEntry(long fromHva, long toHva, long entry) {
        PageSize size = space.table().size(fromHva);
        space.table().set(fromHva, size, 0);
        space.table().set(toHva, size, entry);
        if (HostPageTable.has(entry, HostPageTable.PRESENT)) {
            space.frames().moved(HostPageTable.frame(entry), new User(space, fromHva), new User(space, toHva));
        }
    }

    private static void checkTarget(List<Mapping> parts, long hva, HostMemory to, long toHva) {
        for (Mapping part : parts) {
            to.checkFree(part.startHva() - hva + toHva, part.endHva() - part.startHva(), part.backing());
        }
    }

    /**
     * Maps a copy of a range, as fork does for a child: anonymous pages are shared until one side writes, which gets a
     * copy then; mappings of files are mappings of the same file. A page that is shown in another process, or shows
     * one, is copied at once, as Linux copies a pinned page.
     *
     * @param hva first address
     * @param sizeBytes size
     * @param to address space of the copy, which may be this one
     * @param toHva first address of the copy; nothing is mapped there
     * @throws IllegalArgumentException if unaligned, not mapped throughout, a large page is cut, something is mapped at
     *     the new address, the address spaces have different hosts, or no frame is free for what is copied at once
     */
    public void shareCopyOnWrite(long hva, long sizeBytes, HostMemory to, long toHva) {
        List<Mapping> parts = space.mappings().checkedWhole(hva, sizeBytes);
        if (to.frames() != space.frames()) {
            throw HostMappings.wrong("need two address spaces of the same host", hva, sizeBytes);
        }
        checkTarget(parts, hva, to, toHva);
        long copiedBytes = space.frames().remotePages().copiedByFork(space, hva, sizeBytes) << 12;
        if (copiedBytes > space.frames().freeBytes()) {
            throw HostMappings.wrong("need free frames of " + copiedBytes + " bytes for copies", hva, sizeBytes);
        }
        splitFor(hva, sizeBytes, toHva);
        space.begin(hva, sizeBytes);
        for (Mapping part : parts) {
            to.add(part.movedTo(part.startHva() - hva + toHva));
            for (long at = part.startHva(); at < part.endHva(); at = next(at, part.endHva())) {
                shareEntry(at, to, at - hva + toHva);
            }
        }
        space.end(hva, sizeBytes);
    }

    /** Pages of files are left out: the copy finds them in the file when it touches them. */
    private void shareEntry(long hva, HostMemory to, long toHva) {
        HostFrames frames = space.frames();
        HostPageTable table = space.table();
        long entry = table.get(hva);
        long hpa = HostPageTable.frame(entry);
        if (HostPageTable.has(entry, HostPageTable.SWAPPED)) {
            frames.shareSlot(HostPageTable.slot(entry));
        } else if (frames.isForWriting(hpa) || frames.remotePages().isBorrower(new User(space, hva))) {
            long copy = frames.allocate(PageSize.SIZE_4K);
            frames.copy(hpa, copy, PageSize.SIZE_4K);
            to.table().set(toHva, PageSize.SIZE_4K, HostPageTable.present(copy, false));
            return;
        } else if (entry == 0 || frames.file(hpa) != null) {
            return;
        } else if (!frames.isZeroFrame(hpa)) {
            frames.share(hpa, new User(space, hva), new User(to, toHva));
            table.flags(hva, 0, HostPageTable.WRITABLE);
        }
        to.table().set(toHva, table.size(hva), table.get(hva));
    }
}
