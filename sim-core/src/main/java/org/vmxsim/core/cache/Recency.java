package org.vmxsim.core.cache;

import java.util.Arrays;

/**
 * The recency state of a set-associative structure: told of uses, it names the way to give up. Plain arrays, shared by
 * caches and TLBs. Empty ways are the owner's business: it fills them before it asks for a victim.
 */
public final class Recency {
    /** Highest associativity of {@link Replacement#TREE_PLRU}: the bits of a set fit into one {@code long}. */
    public static final int MAX_TREE_WAYS = 64;

    private static final int MAX_PACKED_WAYS = 16;
    private static final long EACH_NUMBER = 0x1111_1111_1111_1111L;

    private final int ways;
    private final boolean tree;
    private final boolean packed;
    /** LRU of many ways: time of last use of each way of each set. */
    private final long[] lastUse;

    private long clock;
    /** LRU of few ways: by set the ways' numbers, four bits each, from the one used last at bit 0 upwards. */
    private final long[] order;
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
        this.packed = !tree && ways <= MAX_PACKED_WAYS;
        this.order = new long[packed ? sets : 0];
        this.lastUse = new long[tree || packed ? 0 : sets * ways];
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
        if (packed) {
            order[set] = toFront(order[set], way);
        } else if (tree) {
            nodes[set] = nodes[set] & ~pathOfWay[way] | awayFromWay[way];
        } else {
            lastUse[set * ways + way] = ++clock;
        }
    }

    /** Moves a number to bit 0 and those in front of it up; it is found as the one that leaves 0 by exclusive or. */
    private static long toFront(long numbers, int number) {
        long others = numbers ^ number * EACH_NUMBER;
        long zero = others - EACH_NUMBER & ~others & EACH_NUMBER << 3;
        long inFront = (1L << (Long.numberOfTrailingZeros(zero) & ~3)) - 1;
        long behind = numbers & ~(inFront << 4 | 15);
        return behind | (numbers & inFront) << 4 | number;
    }

    /**
     * The way to give up, if all ways of a set are full.
     *
     * @param set the set
     * @return the way's number in the set
     */
    public int victim(int set) {
        if (packed) {
            return (int) (order[set] >>> 4 * (ways - 1)) & 15;
        }
        return tree ? treeVictim(nodes[set]) : oldest(set * ways);
    }

    private int oldest(int base) {
        int oldest = 0;
        for (int way = 1; way < ways; way++) {
            if (lastUse[base + way] < lastUse[base + oldest]) {
                oldest = way;
            }
        }
        return oldest;
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
        Arrays.fill(lastUse, 0);
        long numbers = 0;
        for (int place = 0; place < MAX_PACKED_WAYS; place++) {
            numbers |= (place < ways ? ways - 1L - place : place) << 4 * place;
        }
        Arrays.fill(order, numbers);
        Arrays.fill(nodes, 0);
        clock = 0;
    }
}
