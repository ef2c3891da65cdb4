package org.vmxsim.core.tlb;

import java.util.Arrays;
import org.vmxsim.core.cache.AccessCounts;
import org.vmxsim.core.cache.Recency;

/**
 * A set-associative structure that maps (key, tag) to two words: the one building block of TLBs, paging-structure
 * caches, nested TLB and the cache of sub-page permission vectors. Parallel arrays of primitives; no look-up allocates.
 *
 * <p>Bits 1:0 of a key are a class (page size, level) that does not select the set, so that one structure may hold
 * pages of several sizes; {@link #live} tells how many entries of a class there are. A structure of 0 entries never
 * hits.
 */
public final class TranslationCache {
    /** Answer of a look-up: not there. */
    public static final int MISS = -1;

    private static final long EMPTY = -1;

    private final int ways;
    private final int setMask;
    private final long[] keys;
    private final long[] tags;
    private final long[] firsts;
    private final long[] seconds;
    private final int[] recentWay;
    private final int[] live = new int[4];
    /** One bit for each entry that is full: what forgets many entries looks at these alone. */
    private final long[] full;

    private final Recency recency;
    private long hits;
    private long misses;
    private long evictions;

    /**
     * An empty structure.
     *
     * @param geometry its size and shape
     */
    public TranslationCache(TlbGeometry geometry) {
        ways = geometry.ways();
        setMask = geometry.sets() - 1;
        keys = new long[geometry.entries()];
        tags = new long[geometry.entries()];
        firsts = new long[geometry.entries()];
        seconds = new long[geometry.entries()];
        full = new long[(geometry.entries() + Long.SIZE - 1) / Long.SIZE];
        recentWay = new int[geometry.sets()];
        recency = new Recency(geometry.replacement(), geometry.sets(), Math.max(ways, 1));
        Arrays.fill(keys, EMPTY);
    }

    /**
     * Looks an entry up, counts the hit or miss, and marks the entry as used.
     *
     * @param key the key, not negative
     * @param tag the tag
     * @param otherTag a second tag that is as good; equal to {@code tag} if there is none
     * @return the entry's index, or {@link #MISS}
     */
    public int lookup(long key, long tag, long otherTag) {
        if (keys.length == 0) {
            misses++;
            return MISS;
        }
        int set = (int) (key >>> 2) & setMask;
        int base = set * ways;
        int recent = base + recentWay[set];
        if (keys[recent] == key && (tags[recent] == tag || tags[recent] == otherTag)) {
            hits++;
            recency.touch(set, recent - base);
            return recent;
        }
        for (int i = base; i < base + ways; i++) {
            if (keys[i] == key && (tags[i] == tag || tags[i] == otherTag)) {
                hits++;
                recency.touch(set, i - base);
                recentWay[set] = i - base;
                return i;
            }
        }
        misses++;
        return MISS;
    }

    /**
     * Looks an entry up without counting and without marking it as used.
     *
     * @param key the key, not negative
     * @param tag the tag
     * @return the entry's index, or {@link #MISS}
     */
    public int peek(long key, long tag) {
        int base = keys.length == 0 ? 0 : ((int) (key >>> 2) & setMask) * ways;
        for (int i = base; i < base + ways && i < keys.length; i++) {
            if (keys[i] == key && tags[i] == tag) {
                return i;
            }
        }
        return MISS;
    }

    /**
     * Enters or replaces the entry of a key and tag.
     *
     * @param key the key, not negative
     * @param tag the tag
     * @param first first word
     * @param second second word
     */
    public void insert(long key, long tag, long first, long second) {
        insert(key, tag, tag, first, second);
    }

    /**
     * Enters or replaces the entry of a key and tag, and empties the one of the key and another tag.
     *
     * @param key the key, not negative
     * @param tag the tag
     * @param staleTag tag under which the key must not stay; equal to {@code tag} if there is none
     * @param first first word
     * @param second second word
     */
    void insert(long key, long tag, long staleTag, long first, long second) {
        if (keys.length == 0) {
            return;
        }
        int set = (int) (key >>> 2) & setMask;
        int index = place(set, key, tag, staleTag);
        keys[index] = key;
        tags[index] = tag;
        firsts[index] = first;
        seconds[index] = second;
        live[(int) key & 3]++;
        full[index >> 6] |= 1L << index;
        recentWay[set] = index - set * ways;
        recency.touch(set, recentWay[set]);
    }

    /** The index for a new entry: the same entry's, an empty one, or a victim's; emptied. */
    private int place(int set, long key, long tag, long staleTag) {
        int base = set * ways;
        int same = MISS;
        int empty = MISS;
        for (int i = base + ways - 1; i >= base; i--) {
            if (keys[i] == key && (tags[i] == tag || tags[i] == staleTag)) {
                same = tags[i] == tag ? i : same;
                remove(i);
            }
            empty = keys[i] == EMPTY ? i : empty;
        }
        if (same != MISS) {
            return same;
        }
        if (empty != MISS) {
            return empty;
        }
        int victim = base + recency.victim(set);
        evictions++;
        remove(victim);
        return victim;
    }

    /**
     * Empties an entry.
     *
     * @param index its index; an empty one stays empty
     */
    public void remove(int index) {
        if (keys[index] != EMPTY) {
            live[(int) keys[index] & 3]--;
            keys[index] = EMPTY;
            full[index >> 6] &= ~(1L << index);
        }
    }

    /** Empties all entries. Counters stay. */
    public void flush() {
        Arrays.fill(keys, EMPTY);
        Arrays.fill(live, 0);
        Arrays.fill(full, 0);
    }

    /**
     * Empties all entries under the tags that fit a pattern.
     *
     * @param spaces what the tags stand for
     * @param vpid pattern of the VPID
     * @param pcid pattern of the PCID
     * @param ep4ta pattern of the EP4TA
     */
    void forget(TranslationContexts spaces, int vpid, int pcid, long ep4ta) {
        for (int i = nextFull(0); i >= 0; i = nextFull(i + 1)) {
            if (spaces.matches((int) tags[i], vpid, pcid, ep4ta)) {
                remove(i);
            }
        }
    }

    /**
     * The next entry that is full.
     *
     * @param from the index to begin at
     * @return its index, or {@link #MISS} if there is none
     */
    int nextFull(int from) {
        int word = from >> 6;
        if (word >= full.length) {
            return MISS;
        }
        long rest = full[word] & -1L << from;
        while (rest == 0) {
            if (++word == full.length) {
                return MISS;
            }
            rest = full[word];
        }
        return (word << 6) + Long.numberOfTrailingZeros(rest);
    }

    /**
     * How many entries of a class there are.
     *
     * @param keyClass bits 1:0 of the key
     * @return the count
     */
    public int live(int keyClass) {
        return live[keyClass];
    }

    /**
     * Key of an entry.
     *
     * @param index its index
     * @return the key
     */
    public long key(int index) {
        return keys[index];
    }

    /**
     * Tag of an entry.
     *
     * @param index its index
     * @return the tag
     */
    public long tag(int index) {
        return tags[index];
    }

    /**
     * First word of an entry.
     *
     * @param index its index
     * @return the word
     */
    public long first(int index) {
        return firsts[index];
    }

    /**
     * Second word of an entry.
     *
     * @param index its index
     * @return the word
     */
    public long second(int index) {
        return seconds[index];
    }

    /**
     * What has been counted since the structure was made.
     *
     * @return the counts
     */
    public AccessCounts counts() {
        return new AccessCounts(hits, misses, evictions, 0);
    }
}
