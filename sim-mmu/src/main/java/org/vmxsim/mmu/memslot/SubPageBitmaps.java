package org.vmxsim.mmu.memslot;

import java.util.Arrays;

/**
 * The sub-page write bitmaps of one memslot, 32 bits a page: bit i allows writes to bytes 128*i to 128*i+127. All ones
 * (the default) means that the page is not sub-page protected. Costs what is protected: storage comes by 2-MiB region.
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

    /**
     * Bitmaps that are all full.
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
     * The same bitmaps for a memslot that has moved: they go with the pages.
     *
     * @param newBaseGfn first guest frame of the memslot now
     * @return the bitmaps there
     */
    public SubPageBitmaps movedTo(long newBaseGfn) {
        SubPageBitmaps moved = new SubPageBitmaps(newBaseGfn, endGfn - baseGfn);
        forEachProtected((gfn, bitmap) -> moved.set(gfn - baseGfn + newBaseGfn, bitmap));
        return moved;
    }
}
