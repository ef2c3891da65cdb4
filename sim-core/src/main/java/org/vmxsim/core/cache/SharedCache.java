package org.vmxsim.core.cache;

import java.util.ArrayList;
import java.util.List;

/**
 * The last level of cache and the memory below it, shared by processors. Inclusive: it holds every line that a private
 * cache holds, and giving a line up takes it out of them. Not inclusive: it takes what the private second levels give
 * up, and a hit moves the line back (as since Skylake-SP).
 */
public final class SharedCache {
    /** Whether every line of the private caches is here too. */
    private final boolean inclusive;

    private final Cache l3;
    private final int dramLatencyCycles;
    private final List<CacheHierarchy> sharers = new ArrayList<>();
    private long dramReads;
    private long dramWrites;
    private boolean movedDirty;

    /**
     * An empty last level.
     *
     * @param geometry its size and shape
     * @param inclusive whether it holds every line of the private caches
     * @param dramLatencyCycles latency of a load from memory in core cycles, the look-ups above included
     */
    public SharedCache(CacheGeometry geometry, boolean inclusive, int dramLatencyCycles) {
        this.l3 = new Cache(geometry);
        this.inclusive = inclusive;
        this.dramLatencyCycles = dramLatencyCycles;
    }

    void add(CacheHierarchy hierarchy) {
        sharers.add(hierarchy);
    }

    /**
     * A private second level has missed a line and is going to hold it.
     *
     * @param line the line's number
     * @return level that has it: {@link CacheHierarchy#L3} or {@link CacheHierarchy#DRAM}
     */
    int take(long line) {
        movedDirty = false;
        if (l3.access(line, false)) {
            if (!inclusive) {
                movedDirty = l3.invalidate(line);
            }
            return CacheHierarchy.L3;
        }
        dramReads++;
        if (inclusive) {
            fill(line, false);
        }
        return CacheHierarchy.DRAM;
    }

    /** Whether the line taken last left this level dirty, so that its new holder must write it back one day. */
    boolean movedDirty() {
        return movedDirty;
    }

    /** A private second level has given a line up. */
    void give(long line, boolean dirty) {
        if (inclusive) {
            if (dirty && !l3.markDirty(line)) {
                throw new AssertionError("inclusive L3 lacks line 0x" + Long.toHexString(line));
            }
        } else if (!l3.contains(line)) {
            fill(line, dirty);
        } else if (dirty) {
            l3.markDirty(line);
        }
    }

    private void fill(long line, boolean dirty) {
        long victim = l3.fill(line, dirty);
        if (victim == Cache.NONE) {
            return;
        }
        boolean victimDirty = l3.victimDirty();
        for (int i = 0; inclusive && i < sharers.size(); i++) {
            victimDirty |= sharers.get(i).backInvalidate(victim);
        }
        dramWrites += victimDirty ? 1 : 0;
    }

    /**
     * Latency of a load from memory.
     *
     * @return core cycles
     */
    public int dramLatencyCycles() {
        return dramLatencyCycles;
    }

    /**
     * The last level itself.
     *
     * @return for its geometry and counts
     */
    public Cache cache() {
        return l3;
    }

    /**
     * Lines read from memory.
     *
     * @return the count
     */
    public long dramReads() {
        return dramReads;
    }

    /**
     * Lines written to memory.
     *
     * @return the count
     */
    public long dramWrites() {
        return dramWrites;
    }

    /** Takes all lines out. Counters stay. */
    void clear() {
        l3.clear();
    }
}
