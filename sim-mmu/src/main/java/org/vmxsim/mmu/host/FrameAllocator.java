package org.vmxsim.mmu.host;

import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.vmxsim.core.memory.PhysicalMemory;

/**
 * Hands out frames of the machine's physical memory in the three page sizes, lowest address first, so that equal runs
 * use equal frames. Free frames are zero: what comes back is cleared before it is given to somebody else.
 */
public final class FrameAllocator {
    /** Answer of {@link #allocate}: no frame of that size is free. */
    public static final long NONE = -1;

    private static final int CHILDREN = 512;

    private final PhysicalMemory memory;
    /** The ranges owned: first address and the address behind the last. */
    private final TreeMap<Long, Long> ranges = new TreeMap<>();
    /** Free frames by size. A frame is in the set of the largest size it is wholly free in. */
    private final TreeSet<Long>[] free;
    /** For 2-MiB and 1-GiB frames that are split: how many of the 512 parts are wholly free. */
    private final Map<Long, Integer>[] freeParts;

    private long freeBytes;

    /**
     * An allocator that owns nothing.
     *
     * @param memory the machine's physical memory
     */
    @SuppressWarnings({"unchecked", "rawtypes"})
    public FrameAllocator(PhysicalMemory memory) {
        this.memory = memory;
        this.free = new TreeSet[] {new TreeSet<Long>(), new TreeSet<Long>(), new TreeSet<Long>()};
        this.freeParts = new Map[] {new HashMap<Long, Integer>(), new HashMap<Long, Integer>()};
    }

    /**
     * Takes over a range of RAM.
     *
     * @param baseHpa first address of the range, page-aligned
     * @param sizeBytes size of the range, a multiple of 4096; all of it RAM that nobody else uses, and zero
     * @throws IllegalArgumentException if the range is unaligned, empty, or does not start and end in RAM, or overlaps
     *     another
     */
    public void add(long baseHpa, long sizeBytes) {
        if (((baseHpa | sizeBytes) & 0xfff) != 0
                || sizeBytes <= 0
                || !memory.isRam(baseHpa)
                || !memory.isRam(baseHpa + sizeBytes - 1)) {
            throw new IllegalArgumentException("need a page-aligned range of RAM, got baseHpa=0x"
                    + Long.toHexString(baseHpa) + " sizeBytes=" + sizeBytes);
        }
        Map.Entry<Long, Long> below = ranges.floorEntry(baseHpa + sizeBytes - 1);
        if (below != null && below.getValue() > baseHpa) {
            throw new IllegalArgumentException(
                    "ranges must not overlap, got baseHpa=0x" + Long.toHexString(baseHpa) + " sizeBytes=" + sizeBytes);
        }
        long endHpa = baseHpa + sizeBytes;
        for (long hpa = baseHpa; hpa < endHpa; ) {
            PageSize size = largestAt(hpa, endHpa);
            insert(hpa, size);
            hpa += size.sizeBytes();
        }
        ranges.put(baseHpa, endHpa);
        freeBytes += sizeBytes;
    }

    private static PageSize largestAt(long hpa, long endHpa) {
        for (int level = 3; level > 1; level--) {
            PageSize size = PageSize.ofLevel(level);
            if (size.isAligned(hpa) && hpa + size.sizeBytes() <= endHpa) {
                return size;
            }
        }
        return PageSize.SIZE_4K;
    }

    private boolean owns(long hpa, long sizeBytes) {
        Map.Entry<Long, Long> below = ranges.floorEntry(hpa);
        return below != null && hpa + sizeBytes <= below.getValue();
    }

    /** Adds a free frame; 512 free frames that make up a larger one become it. */
    private void insert(long hpa, PageSize size) {
        free[size.ordinal()].add(hpa);
        if (size == PageSize.SIZE_1G) {
            return;
        }
        PageSize larger = PageSize.ofLevel(size.level() + 1);
        long whole = larger.base(hpa);
        if (freeParts[size.ordinal()].merge(whole, 1, Integer::sum) == CHILDREN) {
            freeParts[size.ordinal()].remove(whole);
            free[size.ordinal()].subSet(whole, whole + larger.sizeBytes()).clear();
            insert(whole, larger);
        }
    }

    private void remove(long hpa, PageSize size) {
        free[size.ordinal()].remove(hpa);
        if (size != PageSize.SIZE_1G) {
            long whole = PageSize.ofLevel(size.level() + 1).base(hpa);
            freeParts[size.ordinal()].merge(whole, -1, Integer::sum);
        }
    }

    /**
     * Takes a frame.
     *
     * @param size its size, which is also its alignment
     * @return host-physical address of a frame of zeros, or {@link #NONE}
     */
    public long allocate(PageSize size) {
        long hpa = take(size);
        if (hpa != NONE) {
            freeBytes -= size.sizeBytes();
        }
        return hpa;
    }

    private long take(PageSize size) {
        TreeSet<Long> candidates = free[size.ordinal()];
        if (candidates.isEmpty() && !splitLarger(size)) {
            return NONE;
        }
        long hpa = candidates.first();
        remove(hpa, size);
        return hpa;
    }

    private boolean splitLarger(PageSize size) {
        if (size == PageSize.SIZE_1G) {
            return false;
        }
        long whole = take(PageSize.ofLevel(size.level() + 1));
        if (whole == NONE) {
            return false;
        }
        for (int i = 0; i < CHILDREN; i++) {
            free[size.ordinal()].add(whole + i * size.sizeBytes());
        }
        freeParts[size.ordinal()].put(whole, CHILDREN);
        return true;
    }

    /**
     * Gives a frame back; its contents are cleared.
     *
     * @param hpa host-physical address that {@link #allocate} returned, or of a part of that frame
     * @param size the size it was allocated with, or that of the part
     * @throws IllegalArgumentException if such a frame cannot have been allocated or is free already
     */
    public void free(long hpa, PageSize size) {
        if (!size.isAligned(hpa) || !owns(hpa, size.sizeBytes()) || isFree(hpa)) {
            throw new IllegalArgumentException(
                    "need an allocated frame, got hpa=0x" + Long.toHexString(hpa) + " size=" + size);
        }
        clear(hpa, size.sizeBytes());
        insert(hpa, size);
        freeBytes += size.sizeBytes();
    }

    private boolean isFree(long hpa) {
        for (PageSize size : PageSize.values()) {
            if (free[size.ordinal()].contains(size.base(hpa))) {
                return true;
            }
        }
        return false;
    }

    /** Reads before it writes, so that memory nobody touched stays unallocated in the simulator. */
    private void clear(long hpa, long sizeBytes) {
        for (long at = hpa; at < hpa + sizeBytes; at += Long.BYTES) {
            if (memory.readLong(at) != 0) {
                memory.writeLong(at, 0);
            }
        }
    }

    /**
     * How much is free.
     *
     * @return bytes in frames of all sizes
     */
    public long freeBytes() {
        return freeBytes;
    }
}
