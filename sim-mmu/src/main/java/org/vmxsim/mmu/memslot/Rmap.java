package org.vmxsim.mmu.memslot;

import java.util.Arrays;

/**
 * The reverse map of one memslot: for each guest frame and level, the EPT entry that maps it. With one EPT root there
 * is at most one such entry. Costs what is mapped.
 */
public final class Rmap {
    /** Answer of {@link #get}: nothing maps the frame at that level. */
    public static final long NONE = -1;

    /** What to do with an entry. */
    @FunctionalInterface
    public interface Visitor {
        /**
         * Called for one entry; may remove it from the map.
         *
         * @param gfn first guest frame that the entry maps
         * @param level level of the entry, 1 to 3
         * @param spteHpa host-physical address of the entry
         */
        void entry(long gfn, int level, long spteHpa);
    }

    private static final int LEVELS = 3;
    private static final int CHUNK = 512;

    private final long baseGfn;
    private final long endGfn;
    /** By level, then by chunk of 512 large pages: addresses of entries, or null where none was ever added. */
    private final long[][][] heads = new long[LEVELS][][];

    private final long[] counts = new long[LEVELS];

    Rmap(long baseGfn, long npages) {
        this.baseGfn = baseGfn;
        this.endGfn = baseGfn + npages;
        for (int level = 1; level <= LEVELS; level++) {
            heads[level - 1] = new long[(int) (index(endGfn - 1, level) / CHUNK) + 1][];
        }
    }

    private long index(long gfn, int level) {
        int shift = 9 * (level - 1);
        return (gfn >>> shift) - (baseGfn >>> shift);
    }

    /**
     * The entry that maps a frame.
     *
     * @param gfn a guest frame of the memslot
     * @param level level, 1 to 3
     * @return host-physical address of the entry, or {@link #NONE}
     */
    public long get(long gfn, int level) {
        long index = index(gfn, level);
        long[] chunk = heads[level - 1][(int) (index / CHUNK)];
        return chunk == null ? NONE : chunk[(int) (index % CHUNK)];
    }

    /**
     * Records an entry.
     *
     * @param gfn first guest frame that it maps
     * @param level its level, 1 to 3
     * @param spteHpa its host-physical address
     */
    public void add(long gfn, int level, long spteHpa) {
        if (get(gfn, level) != NONE) {
            throw new AssertionError("two entries map gfn 0x" + Long.toHexString(gfn) + " at level " + level);
        }
        long index = index(gfn, level);
        long[][] chunks = heads[level - 1];
        int chunk = (int) (index / CHUNK);
        if (chunks[chunk] == null) {
            chunks[chunk] = new long[CHUNK];
            Arrays.fill(chunks[chunk], NONE);
        }
        chunks[chunk][(int) (index % CHUNK)] = spteHpa;
        counts[level - 1]++;
    }

    /**
     * Forgets an entry.
     *
     * @param gfn first guest frame that it maps
     * @param level its level, 1 to 3
     * @param spteHpa its host-physical address
     */
    public void remove(long gfn, int level, long spteHpa) {
        if (get(gfn, level) != spteHpa) {
            throw new AssertionError("no entry at 0x" + Long.toHexString(spteHpa) + " maps gfn 0x"
                    + Long.toHexString(gfn) + " at level " + level);
        }
        long index = index(gfn, level);
        heads[level - 1][(int) (index / CHUNK)][(int) (index % CHUNK)] = NONE;
        counts[level - 1]--;
    }

    /**
     * How many entries there are.
     *
     * @param level level, 1 to 3
     * @return entries of that level that map this memslot
     */
    public long count(int level) {
        return counts[level - 1];
    }

    /**
     * Visits the entries that map any part of a range, ascending by level and then by frame.
     *
     * @param firstGfn first guest frame
     * @param lastGfn last guest frame; both within the memslot
     * @param visitor told of each entry
     */
    public void forEach(long firstGfn, long lastGfn, Visitor visitor) {
        for (int level = 1; level <= LEVELS; level++) {
            if (counts[level - 1] == 0) {
                continue;
            }
            long last = index(lastGfn, level);
            for (long index = index(firstGfn, level); index <= last; index++) {
                long[] chunk = heads[level - 1][(int) (index / CHUNK)];
                if (chunk == null) {
                    index |= CHUNK - 1;
                } else if (chunk[(int) (index % CHUNK)] != NONE) {
                    int shift = 9 * (level - 1);
                    long gfn = index + (baseGfn >>> shift) << shift;
                    visitor.entry(gfn, level, chunk[(int) (index % CHUNK)]);
                }
            }
        }
    }

    /**
     * Visits all entries.
     *
     * @param visitor told of each entry
     */
    public void forEach(Visitor visitor) {
        forEach(baseGfn, endGfn - 1, visitor);
    }
}
