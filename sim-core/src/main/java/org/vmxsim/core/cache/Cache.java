package org.vmxsim.core.cache;

import java.util.Arrays;

/**
 * One level of cache: which lines are there, and which of them are dirty. A line is named by its number, host-physical
 * address divided by 64. The way used last is looked at first; nothing is allocated after construction.
 */
public final class Cache {
    /** Instead of a line number: no line. */
    public static final long NONE = -1;

    private static final long DIRTY = 1;

    private final CacheGeometry geometry;
    private final int ways;
    private final int setMask;
    /** Line numbers, one bit to the left; bit 0 is set if the line is dirty. {@link #NONE} where there is none. */
    private final long[] lines;
    /** By set: how many ways have a line. */
    private final short[] filledWays;

    private final short[] recentWay;
    private final Recency recency;
    private boolean victimDirty;
    private long hits;
    private long misses;
    private long evictions;
    private long writeBacks;

    /**
     * An empty cache.
     *
     * @param geometry its size and shape
     */
    public Cache(CacheGeometry geometry) {
        this.geometry = geometry;
        ways = geometry.ways();
        setMask = geometry.sets() - 1;
        lines = new long[geometry.sets() * ways];
        filledWays = new short[geometry.sets()];
        recentWay = new short[geometry.sets()];
        recency = new Recency(geometry.replacement(), geometry.sets(), ways);
        Arrays.fill(lines, NONE);
    }

    /**
     * Size, shape and latency.
     *
     * @return as given
     */
    public CacheGeometry geometry() {
        return geometry;
    }

    /**
     * Looks a line up, counts the hit or miss, marks the line as used, and dirty if written.
     *
     * @param line the line's number
     * @param write whether it is written
     * @return true if it is there
     */
    public boolean access(long line, boolean write) {
        int set = (int) line & setMask;
        int index = set * ways + recentWay[set];
        if ((lines[index] & ~DIRTY) != line << 1) {
            index = find(line);
            if (index < 0) {
                misses++;
                return false;
            }
            recentWay[set] = (short) (index - set * ways);
        }
        hits++;
        recency.touch(set, index - set * ways);
        if (write) {
            lines[index] |= DIRTY;
        }
        return true;
    }

    private int find(long line) {
        int base = ((int) line & setMask) * ways;
        long clean = line << 1;
        for (int i = base; i < base + ways; i++) {
            if ((lines[i] & ~DIRTY) == clean) {
                return i;
            }
        }
        return -1;
    }

    /**
     * Puts a line in that is not there, and marks it as used.
     *
     * @param line the line's number
     * @param isDirty whether it differs from the level below
     * @return number of the line given up for it, whose dirtiness is {@link #victimDirty}, or {@link #NONE}
     */
    public long fill(long line, boolean isDirty) {
        int set = (int) line & setMask;
        int way = filledWays[set] == ways ? recency.victim(set) : emptyWay(set);
        int index = set * ways + way;
        long old = lines[index];
        victimDirty = old != NONE && (old & DIRTY) != 0;
        if (old != NONE) {
            evictions++;
            writeBacks += victimDirty ? 1 : 0;
        }
        lines[index] = line << 1 | (isDirty ? DIRTY : 0);
        recentWay[set] = (short) way;
        recency.touch(set, way);
        return old >> 1;
    }

    /** The first way of a set without a line, which is going to have one. */
    private int emptyWay(int set) {
        int way = 0;
        while (lines[set * ways + way] != NONE) {
            way++;
        }
        filledWays[set]++;
        return way;
    }

    /**
     * Whether the line given up last was dirty.
     *
     * @return true if it must be written to the level below
     */
    public boolean victimDirty() {
        return victimDirty;
    }

    /**
     * Marks a line dirty, without counting or marking it as used: what a write-back from above does.
     *
     * @param line the line's number
     * @return true if the line is there
     */
    public boolean markDirty(long line) {
        int index = find(line);
        if (index < 0) {
            return false;
        }
        lines[index] |= DIRTY;
        return true;
    }

    /**
     * Takes a line out.
     *
     * @param line the line's number
     * @return true if it was there and dirty
     */
    public boolean invalidate(long line) {
        int index = find(line);
        if (index < 0) {
            return false;
        }
        boolean dirty = (lines[index] & DIRTY) != 0;
        lines[index] = NONE;
        filledWays[(int) line & setMask]--;
        return dirty;
    }

    /**
     * Whether a line is there; counts nothing.
     *
     * @param line the line's number
     * @return true if it is there
     */
    public boolean contains(long line) {
        return find(line) >= 0;
    }

    /** Whether a line is there and dirty; counts nothing. */
    boolean isDirty(long line) {
        int index = find(line);
        return index >= 0 && (lines[index] & DIRTY) != 0;
    }

    /** Takes all lines out, dirty or not. Counters stay. */
    public void clear() {
        Arrays.fill(lines, NONE);
        Arrays.fill(filledWays, (short) 0);
        recency.clear();
    }

    /**
     * What has been counted.
     *
     * @return the counts since the cache was made
     */
    public AccessCounts counts() {
        return new AccessCounts(hits, misses, evictions, writeBacks);
    }
}
