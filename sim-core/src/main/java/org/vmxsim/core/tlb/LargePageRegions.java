package org.vmxsim.core.tlb;

import java.util.Arrays;

/**
 * Which 2-MiB regions of which contexts may have entries in the functional tables that were made from a large guest
 * page. INVLPG of one address forgets such a region as a whole, and only the one page elsewhere: so it costs little
 * where nothing large was used.
 *
 * <p>Direct-mapped, and exact in one direction: a region that is not noted has no such entry, because whoever notes a
 * region is told which other one has lost its place, and must forget that.
 */
final class LargePageRegions {
    /** No region. */
    static final long NONE = -1;
    /** Bytes of a region. */
    static final long SIZE_BYTES = 1 << 21;

    private static final int SLOTS = 1 << 13;
    private static final int CONTEXT_BITS = 12;
    private static final long MIX = 0x9e37_79b9_7f4a_7c15L;

    private final long[] keys = new long[SLOTS];

    LargePageRegions() {
        clear();
    }

    private static long key(long linear, int context) {
        return linear >>> 21 << CONTEXT_BITS | context;
    }

    private static int slot(long key) {
        return (int) (key * MIX >>> 51);
    }

    /** Notes the region of an address; answers the region that has lost its place, or {@link #NONE}. */
    long note(long linear, int context) {
        long key = key(linear, context);
        int slot = slot(key);
        long old = keys[slot];
        keys[slot] = key;
        return old == key ? NONE : old;
    }

    /** Whether the region of an address was noted; it is not any longer, since the caller forgets it. */
    boolean take(long linear, int context) {
        long key = key(linear, context);
        int slot = slot(key);
        boolean noted = keys[slot] == key;
        if (noted) {
            keys[slot] = NONE;
        }
        return noted;
    }

    /** First linear address of a region. */
    static long first(long region) {
        return region >>> CONTEXT_BITS << 21;
    }

    /** Context of a region. */
    static int context(long region) {
        return (int) region & (1 << CONTEXT_BITS) - 1;
    }

    void clear() {
        Arrays.fill(keys, NONE);
    }
}
