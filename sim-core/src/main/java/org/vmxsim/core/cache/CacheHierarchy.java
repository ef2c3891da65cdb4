package org.vmxsim.core.cache;

/**
 * A processor's way to memory: L1I and L1D, a private L2 that includes neither, and what is shared below. Each access
 * says which level had the line and moves lines as the levels do; write-backs are counted and cost no time.
 */
public final class CacheHierarchy {
    /** Level number: a first-level cache. */
    public static final int L1 = 1;
    /** Level number: the private second level. */
    public static final int L2 = 2;
    /** Level number: the shared last level. */
    public static final int L3 = 3;
    /** Level number: memory. */
    public static final int DRAM = 4;

    private final Cache l1i;
    private final Cache l1d;
    private final Cache l2;
    private final SharedCache shared;
    private final int[] dataLatency;

    /**
     * Empty caches.
     *
     * @param l1i first level for instructions
     * @param l1d first level for loads, stores and page walks
     * @param l2 private second level
     * @param shared last level and memory; the hierarchy becomes one of its sharers
     */
    public CacheHierarchy(CacheGeometry l1i, CacheGeometry l1d, CacheGeometry l2, SharedCache shared) {
        this.l1i = new Cache(l1i);
        this.l1d = new Cache(l1d);
        this.l2 = new Cache(l2);
        this.shared = shared;
        dataLatency = new int[] {
            0,
            l1d.latencyCycles(),
            l2.latencyCycles(),
            shared.cache().geometry().latencyCycles(),
            shared.dramLatencyCycles()
        };
        shared.add(this);
    }

    /**
     * A load, store or page-walk reference within one line.
     *
     * @param hpa host-physical address
     * @param write whether it writes
     * @return the level that had the line: {@link #L1}, {@link #L2}, {@link #L3} or {@link #DRAM}
     */
    public int reference(long hpa, boolean write) {
        long line = hpa >>> CacheGeometry.LINE_SHIFT;
        return l1d.access(line, write) ? L1 : missed(l1d, line, write);
    }

    /**
     * An instruction fetch within one line.
     *
     * @param hpa host-physical address
     * @return the level that had the line
     */
    public int fetch(long hpa) {
        long line = hpa >>> CacheGeometry.LINE_SHIFT;
        return l1i.access(line, false) ? L1 : missed(l1i, line, false);
    }

    private int missed(Cache l1, long line, boolean write) {
        int level = L2;
        if (!l2.access(line, false)) {
            level = shared.take(line);
            fillL2(line, shared.movedDirty());
        }
        long victim = l1.fill(line, write);
        if (victim != Cache.NONE && l1.victimDirty() && !l2.markDirty(victim)) {
            // a whole line is written back: nothing need be read from below
            fillL2(victim, true);
        }
        return level;
    }

    private void fillL2(long line, boolean dirty) {
        long victim = l2.fill(line, dirty);
        if (victim != Cache.NONE) {
            shared.give(victim, l2.victimDirty());
        }
    }

    /** Takes a line out of all private levels. */
    boolean backInvalidate(long line) {
        l1i.invalidate(line);
        boolean dirty = l1d.invalidate(line);
        return l2.invalidate(line) | dirty;
    }

    /**
     * Latency of a data reference that a level answered.
     *
     * @param level {@link #L1} to {@link #DRAM}
     * @return load-to-use latency in core cycles
     */
    public int latencyCycles(int level) {
        return dataLatency[level];
    }

    /**
     * The first level for instructions.
     *
     * @return for its geometry and counts
     */
    public Cache l1i() {
        return l1i;
    }

    /**
     * The first level for data.
     *
     * @return for its geometry and counts
     */
    public Cache l1d() {
        return l1d;
    }

    /**
     * The private second level.
     *
     * @return for its geometry and counts
     */
    public Cache l2() {
        return l2;
    }

    /**
     * What is below the private levels.
     *
     * @return last level and memory
     */
    public SharedCache shared() {
        return shared;
    }

    /** Takes all lines out of the private levels and the shared one. Counters stay. */
    public void clear() {
        l1i.clear();
        l1d.clear();
        l2.clear();
        shared.clear();
    }
}
