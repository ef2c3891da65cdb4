package org.vmxsim.mmu.host;

import java.util.List;
import java.util.TreeMap;

/**
 * A file in memory: pages that several mappings show, of one or several address spaces (memfd, tmpfs, hugetlbfs). It is
 * all zeros at first.
 */
public final class HostFile {
    private final HostFrames frames;
    private final long sizeBytes;
    private final PageSize pageSize;
    /** Pages by offset, as entries of {@link HostPageTable}: in a frame, or in swap. */
    private final TreeMap<Long, Long> pages = new TreeMap<>();

    /**
     * A file of zeros, no page of it in memory.
     *
     * @param frames the frames of the host
     * @param sizeBytes size, a positive multiple of the page size
     * @param pageSize size of its pages; larger ones as in hugetlbfs, which are never swapped
     * @throws IllegalArgumentException if the size is no positive multiple of the page size
     */
    public HostFile(HostFrames frames, long sizeBytes, PageSize pageSize) {
        if (sizeBytes <= 0 || !pageSize.isAligned(sizeBytes)) {
            throw new IllegalArgumentException(
                    "need a size that is a positive multiple of " + pageSize + ", got sizeBytes=" + sizeBytes);
        }
        this.frames = frames;
        this.sizeBytes = sizeBytes;
        this.pageSize = pageSize;
    }

    /**
     * The size.
     *
     * @return bytes
     */
    public long sizeBytes() {
        return sizeBytes;
    }

    /**
     * Size of its pages.
     *
     * @return the size
     */
    public PageSize pageSize() {
        return pageSize;
    }

    HostFrames frames() {
        return frames;
    }

    /** The frame of the page at an offset, brought into memory; NONE if no frame is free. */
    long frame(long offset) {
        long base = pageSize.base(offset);
        long entry = pages.getOrDefault(base, 0L);
        if (HostPageTable.has(entry, HostPageTable.PRESENT)) {
            return HostPageTable.frame(entry);
        }
        long hpa = frames.allocate(pageSize);
        if (hpa != FrameAllocator.NONE) {
            if (HostPageTable.has(entry, HostPageTable.SWAPPED)) {
                frames.load(HostPageTable.slot(entry), hpa);
                frames.dropSlot(HostPageTable.slot(entry));
            }
            frames.belongsTo(hpa, this, base);
            pages.put(base, HostPageTable.present(hpa, true));
        }
        return hpa;
    }

    /** The page at an offset has another frame now. */
    void moved(long offset, long hpa) {
        pages.put(offset, HostPageTable.present(hpa, true));
    }

    /**
     * Stores to the file, as a process does by write(2): all shared mappings show it at once.
     *
     * @param offset first byte
     * @param bytes what to store
     * @throws IllegalArgumentException if it does not lie in the file, or no frame is free
     */
    public void write(long offset, byte[] bytes) {
        check(offset, bytes.length);
        for (int done = 0; done < bytes.length; ) {
            int count = pageSize.bytesInPage(offset + done, bytes.length - done);
            frames.memory().load(inMemory(offset + done), bytes, done, count);
            done += count;
        }
    }

    /**
     * Loads from the file, as a process does by read(2).
     *
     * @param offset first byte
     * @param count how many bytes
     * @return the bytes
     * @throws IllegalArgumentException if they do not lie in the file, or no frame is free
     */
    public byte[] read(long offset, int count) {
        check(offset, count);
        byte[] bytes = new byte[count];
        for (int done = 0; done < count; ) {
            int part = pageSize.bytesInPage(offset + done, count - done);
            frames.memory().dump(inMemory(offset + done), bytes, done, part);
            done += part;
        }
        return bytes;
    }

    private void check(long offset, long count) {
        if (offset < 0 || count < 0 || offset > sizeBytes - count) {
            throw new IllegalArgumentException(
                    "need bytes of a file of " + sizeBytes + ", got offset=" + offset + " count=" + count);
        }
    }

    private long inMemory(long offset) {
        long hpa = frame(offset);
        if (hpa == FrameAllocator.NONE) {
            throw new IllegalArgumentException("need a free frame for offset=" + offset);
        }
        return hpa + offset - pageSize.base(offset);
    }

    /** Takes the page at an offset out of all page tables and into swap; false if there is no slot. */
    boolean swapOut(long offset) {
        long hpa = HostPageTable.frame(pages.get(offset));
        int slot = frames.takeSlot(1);
        if (slot == HostFrames.NO_SLOT) {
            return false;
        }
        unmapAll(hpa);
        frames.store(slot, hpa);
        frames.leavesFile(hpa, pageSize);
        pages.put(offset, HostPageTable.swapped(slot));
        return true;
    }

    private void unmapAll(long hpa) {
        List<HostFrames.User> users = frames.users(hpa, null);
        for (HostFrames.User user : users) {
            user.space().forget(user.hva());
        }
    }

    /**
     * Frees pages, which are zeros then: fallocate with FALLOC_FL_PUNCH_HOLE. Private copies stay.
     *
     * @param offset first byte, aligned to the page size
     * @param count how many bytes, a multiple of the page size
     * @throws IllegalArgumentException if unaligned or not in the file
     */
    public void punchHole(long offset, long count) {
        check(offset, count);
        if (!pageSize.isAligned(offset | count)) {
            throw new IllegalArgumentException(
                    "need whole pages of " + pageSize + ", got offset=" + offset + " count=" + count);
        }
        for (long entry : pages.subMap(offset, offset + count).values()) {
            if (HostPageTable.has(entry, HostPageTable.SWAPPED)) {
                frames.dropSlot(HostPageTable.slot(entry));
            } else {
                unmapAll(HostPageTable.frame(entry));
                frames.leavesFile(HostPageTable.frame(entry), pageSize);
            }
        }
        pages.subMap(offset, offset + count).clear();
    }
}
