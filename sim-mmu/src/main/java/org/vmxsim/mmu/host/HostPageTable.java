package org.vmxsim.mmu.host;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * The page table of one address space: an entry for each page that was touched. An entry is 0, or a frame with flags,
 * or the number of a swap slot.
 */
final class HostPageTable {
    static final long PRESENT = 1;
    static final long WRITABLE = 1 << 1;
    static final long ACCESSED = 1 << 2;
    static final long DIRTY = 1 << 3;
    static final long SWAPPED = 1 << 4;

    private static final int ENTRIES = 512;
    private static final long ADDRESS = -1L << 12;

    /** By number of the 2-MiB region: 512 entries of small pages, or one entry of a 2-MiB page. */
    private final Map<Long, long[]> regions = new HashMap<>();
    /** By number of the 1-GiB region: the entry of a 1-GiB page. */
    private final Map<Long, Long> giants = new HashMap<>();

    static boolean has(long entry, long flags) {
        return (entry & flags) == flags;
    }

    static long present(long hpa, boolean writable) {
        return hpa | PRESENT | ACCESSED | (writable ? WRITABLE : 0);
    }

    static long swapped(int slot) {
        return (long) slot << 12 | SWAPPED;
    }

    static long frame(long entry) {
        return entry & ADDRESS;
    }

    static int slot(long entry) {
        return (int) (entry >>> 12);
    }

    /** The entry of the page that an address lies in; 0 for an untouched one. */
    long get(long hva) {
        long[] region = regions.get(hva >>> 21);
        if (region == null) {
            return giants.isEmpty() ? 0 : giants.getOrDefault(hva >>> 30, 0L);
        }
        return region.length == 1 ? region[0] : region[(int) (hva >>> 12) & ENTRIES - 1];
    }

    /** Size of the page that an address lies in; the smallest for an untouched one. */
    PageSize size(long hva) {
        long[] region = regions.get(hva >>> 21);
        if (region != null) {
            return region.length == 1 ? PageSize.SIZE_2M : PageSize.SIZE_4K;
        }
        return giants.containsKey(hva >>> 30) ? PageSize.SIZE_1G : PageSize.SIZE_4K;
    }

    /** The first address above one where something may have been touched, or the end. */
    long next(long hva, long endHva) {
        PageSize step = regions.get(hva >>> 21) == null && size(hva) == PageSize.SIZE_4K ? PageSize.SIZE_2M : size(hva);
        return Math.min(endHva, step.base(hva) + step.sizeBytes());
    }

    /** Stores an entry; large pages replace what small entries there were. */
    void set(long hva, PageSize size, long entry) {
        switch (size) {
            case SIZE_4K -> setSmall(hva, entry);
            case SIZE_2M -> setRegion(hva >>> 21, entry);
            case SIZE_1G -> setGiant(hva >>> 30, entry);
        }
    }

    private void setSmall(long hva, long entry) {
        long[] region = regions.get(hva >>> 21);
        if (region == null) {
            if (entry == 0) {
                return;
            }
            region = new long[ENTRIES];
            regions.put(hva >>> 21, region);
        }
        if (region.length == 1) {
            throw new AssertionError("a small entry within a large page, hva=0x" + Long.toHexString(hva));
        }
        region[(int) (hva >>> 12) & ENTRIES - 1] = entry;
    }

    private void setRegion(long number, long entry) {
        if (entry == 0) {
            regions.remove(number);
        } else {
            regions.put(number, new long[] {entry});
        }
    }

    private void setGiant(long number, long entry) {
        for (long region = number << 9; region < number + 1 << 9; region++) {
            regions.remove(region);
        }
        if (entry == 0) {
            giants.remove(number);
        } else {
            giants.put(number, entry);
        }
    }

    /** Adds flags to an entry, or takes them away. */
    void flags(long hva, long set, long cleared) {
        long entry = get(hva);
        long changed = entry & ~cleared | set;
        if (changed != entry) {
            set(hva, size(hva), changed);
        }
    }

    /** Replaces the entry of a 2-MiB page by those of its 512 parts. */
    void split(long hva) {
        long whole = get(hva);
        long[] parts = new long[ENTRIES];
        Arrays.setAll(parts, i -> whole + ((long) i << 12));
        regions.put(hva >>> 21, parts);
    }
}
