package org.vmxsim.mmu.memslot;

import java.util.Arrays;
import java.util.List;
import org.vmxsim.mmu.host.FrameAllocator;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.spp.SppVector;

/**
 * The sub-page write bitmaps of one memslot, 32 bits a page: bit i allows writes to bytes 128*i to 128*i+127. All ones
 * (the default) means that the page is not sub-page protected. Costs the simulator what is protected: storage comes by
 * 2-MiB region. The modelled kernel pays for an array of all: those that {@link #allocate} makes hold its frames.
 */
public final class SubPageBitmaps {
    /** The bitmap of a page without sub-page protection. */
    public static final int FULL = 0xffff_ffff;

    private static final int REGION_PAGES = 512;

    private final long baseGfn;
    private final long endGfn;
    /** By 2-MiB region from that of baseGfn: 512 bitmaps, or null where none was ever set. */
    private final int[][] regions;
    /** By region: how many pages have a bitmap that is not full. */
    private final int[] protectedPages;
    /** What the array takes of the machine's memory. */
    private long[] framesHpa = {};

    /**
     * Bitmaps that are all full, for which nobody pays.
     *
     * @param baseGfn first guest frame of the memslot
     * @param npages its size in pages
     */
    public SubPageBitmaps(long baseGfn, long npages) {
        this.baseGfn = baseGfn;
        this.endGfn = baseGfn + npages;
        int count = (int) ((endGfn - 1 >>> 9) - (baseGfn >>> 9)) + 1;
        this.regions = new int[count][];
        this.protectedPages = new int[count];
    }

    /**
     * Gives memslots arrays of full bitmaps, 4 bytes a page in whole frames: all of them or none
     * ({@code kvm_subpage_create_bitmaps}). Arrays that they have are not given back.
     *
     * @param slots the memslots
     * @param frames where the arrays' memory comes from
     * @return false if there is not enough; then none of the memslots has an array, and what they had is given back
     */
    public static boolean allocate(List<Memslot> slots, FrameAllocator frames) {
        long needed = 0;
        for (Memslot slot : slots) {
            needed += frameCount(slot.npages());
        }
        if (needed > frames.freeBytes() / PageSize.SIZE_4K.sizeBytes()) {
            slots.forEach(slot -> free(slot, frames));
            return false;
        }
        for (Memslot slot : slots) {
            SubPageBitmaps made = new SubPageBitmaps(slot.baseGfn(), slot.npages());
            made.framesHpa = new long[frameCount(slot.npages())];
            Arrays.setAll(made.framesHpa, i -> frames.allocate(PageSize.SIZE_4K));
            slot.bitmaps(made);
        }
        return true;
    }

    private static int frameCount(long npages) {
        long frame = PageSize.SIZE_4K.sizeBytes();
        return (int) ((npages * Integer.BYTES + frame - 1) / frame);
    }

    /**
     * Takes a memslot's array away and gives its memory back.
     *
     * @param slot the memslot; nothing happens if it has none
     * @param frames where the memory came from
     */
    public static void free(Memslot slot, FrameAllocator frames) {
        if (slot.bitmaps() != null) {
            for (long hpa : slot.bitmaps().framesHpa) {
                frames.free(hpa, PageSize.SIZE_4K);
            }
            slot.bitmaps(null);
        }
    }

    private int region(long gfn) {
        return (int) ((gfn >>> 9) - (baseGfn >>> 9));
    }

    /**
     * The bitmap of a page.
     *
     * @param gfn guest-frame number within the memslot
     * @return its bitmap
     */
    public int get(long gfn) {
        int[] region = regions[region(gfn)];
        return region == null ? FULL : region[(int) gfn & REGION_PAGES - 1];
    }

    /**
     * Sets the bitmap of a page.
     *
     * @param gfn guest-frame number within the memslot
     * @param bitmap the bitmap
     */
    public void set(long gfn, int bitmap) {
        int index = region(gfn);
        if (regions[index] == null) {
            regions[index] = new int[REGION_PAGES];
            Arrays.fill(regions[index], FULL);
        }
        int[] region = regions[index];
        int page = (int) gfn & REGION_PAGES - 1;
        if (region[page] != FULL) {
            protectedPages[index]--;
        }
        if (bitmap != FULL) {
            protectedPages[index]++;
        }
        region[page] = bitmap;
    }

    /**
     * Whether a write is allowed, sub-page by sub-page.
     *
     * @param gpa guest-physical address of the first byte, within the memslot
     * @param sizeBytes bytes written, all in one page
     * @return true if every sub-page touched may be written
     */
    public boolean allowWrite(long gpa, int sizeBytes) {
        int touched = SppVector.touched(gpa, sizeBytes);
        return (get(gpa >>> 12) & touched) == touched;
    }

    /**
     * The largest naturally aligned range around a page in which nothing is protected.
     *
     * @param gfn guest-frame number within the memslot
     * @return level of the entry that could map it, 3 to 1; 1 also if the page itself is protected
     */
    public int largestUnprotectedLevel(long gfn) {
        int level = 3;
        while (level > 1 && isProtected(gfn, level)) {
            level--;
        }
        return level;
    }

    /**
     * Whether any page of a range is sub-page protected.
     *
     * @param gfn first guest-frame number of a naturally aligned range
     * @param level 1 for the page itself, 2 for its 2-MiB region, 3 for its 1-GiB region
     * @return true if a page of the range that lies in the memslot has a bitmap that is not full
     */
    public boolean isProtected(long gfn, int level) {
        if (level == 1) {
            return get(gfn) != FULL;
        }
        long first = Math.max(gfn & -1L << 9 * (level - 1), baseGfn);
        long last = Math.min((gfn | (1L << 9 * (level - 1)) - 1), endGfn - 1);
        for (int i = region(first); i <= region(last); i++) {
            if (protectedPages[i] != 0) {
                return true;
            }
        }
        return false;
    }

    /** Told of bitmaps. */
    @FunctionalInterface
    public interface Visitor {
        /**
         * Called for one page.
         *
         * @param gfn guest-frame number
         * @param bitmap its bitmap, not full
         */
        void page(long gfn, int bitmap);
    }

    /**
     * Visits the pages that are sub-page protected, in ascending order.
     *
     * @param visitor told of each
     */
    public void forEachProtected(Visitor visitor) {
        long first = baseGfn & -REGION_PAGES;
        for (int i = 0; i < regions.length; i++) {
            for (int page = 0; protectedPages[i] != 0 && page < REGION_PAGES; page++) {
                if (regions[i][page] != FULL) {
                    visitor.page(first + (long) i * REGION_PAGES + page, regions[i][page]);
                }
            }
        }
    }

    /**
     * The same bitmaps for a memslot that has moved: they go with the pages, and with the memory that they are in.
     *
     * @param newBaseGfn first guest frame of the memslot now
     * @return the bitmaps there
     */
    public SubPageBitmaps movedTo(long newBaseGfn) {
        SubPageBitmaps moved = new SubPageBitmaps(newBaseGfn, endGfn - baseGfn);
        forEachProtected((gfn, bitmap) -> moved.set(gfn - baseGfn + newBaseGfn, bitmap));
        moved.framesHpa = framesHpa;
        framesHpa = new long[0];
        return moved;
    }
}
