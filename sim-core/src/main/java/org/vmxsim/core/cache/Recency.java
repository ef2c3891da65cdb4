package org.vmxsim.core.cache;

import java.util.Arrays;

/**
 * The recency state of a set-associative structure: told of uses, it names the way to give up. Plain arrays, shared by
 * caches and TLBs. Empty ways are the owner's business: it fills them before it asks for a victim.
 */
public final class Recency {
    /** Highest associativity of {@link Replacement#TREE_PLRU}: the bits of a set fit into one {@code long}. */
    public static final int MAX_TREE_WAYS = 64;

    private final int ways;
    private final boolean tree;
    /** LRU: time of last use of each way of each set, and below it the way's own number, so that no two are equal. */
    private final long[] lastUse;

    private final int wayBits;

    private long clock;
    /** Tree: one word for each set; bit n of it is node n, node 1 the root, set if the victim is on the right. */
    private final long[] nodes;

    private final long[] pathOfWay;
    private final long[] awayFromWay;
    private final int leaves;

    /**
     * The state after reset: way 0 is the first victim of each set.
     *
     * @param replacement the rule
     * @param sets number of sets
     * @param ways ways of each set
     * @throws IllegalArgumentException if a tree has more than {@link #MAX_TREE_WAYS} ways
     */
    public Recency(Replacement replacement, int sets, int ways) {
        this.ways = ways;
        this.tree = replacement == Replacement.TREE_PLRU;
        if (tree && ways > MAX_TREE_WAYS) {
            throw new IllegalArgumentException("need at most " + MAX_TREE_WAYS + " ways for tree-PLRU, got " + ways);
        }
        this.lastUse = new long[tree ? 0 : sets * ways];
        this.wayBits = Integer.SIZE - Integer.numberOfLeadingZeros(ways - 1);
        this.nodes = new long[tree ? sets : 0];
        this.leaves = ways == 1 ? 1 : Integer.highestOneBit(ways - 1) << 1;
        this.pathOfWay = new long[tree ? ways : 0];
        this.awayFromWay = new long[tree ? ways : 0];
        for (int way = 0; way < pathOfWay.length; way++) {
            int node = 1;
            for (int half = leaves >> 1; half > 0; half >>= 1) {
                boolean right = (way & half) != 0;
                pathOfWay[way] |= 1L << node;
                awayFromWay[way] |= right ? 0 : 1L << node;
                node = 2 * node + (right ? 1 : 0);
            }
        }
        clear();
    }

    /**
     * A way has been used.
     *
     * @param set its set
     * @param way its number in the set
     */
    public void touch(int set, int way) {
        if (tree) {
            nodes[set] = nodes[set] & ~pathOfWay[way] | awayFromWay[way];
        } else {
            lastUse[set * ways + way] = ++clock << wayBits | way;
        }
    }

    /**
     * The way to give up, if all ways of a set are full.
     *
     * @param set the set
     * @return the way's number in the set
     */
    public int victim(int set) {
        return tree ? treeVictim(nodes[set]) : oldest(set * ways);
    }

    /** Without branches that depend on what the guest does: the host would guess them wrong. */
    private int oldest(int base) {
        long oldest = lastUse[base];
        for (int way = 1; way < ways; way++) {
            oldest = Math.min(oldest, lastUse[base + way]);
        }
        return (int) (oldest & (1L << wayBits) - 1);
    }

    /** The tree has a power of two of leaves; a subtree without ways is never entered. */
    private int treeVictim(long bits) {
        int node = 1;
        int way = 0;
        for (int half = leaves >> 1; half > 0; half >>= 1) {
            // the sign of the difference tells whether the subtree on the right has ways
            int right = (int) (bits >>> node) & way + half - ways >>> 31;
            way += half & -right;
            node = 2 * node + right;
        }
        return way;
    }

    /** Back to the state after reset. */
    public void clear() {
        for (int i = 0; i < lastUse.length; i++) {
            lastUse[i] = i % ways;
        }
        Arrays.fill(nodes, 0);
        clock = 0;
    }
}
