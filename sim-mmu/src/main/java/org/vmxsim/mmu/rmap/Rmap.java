package org.vmxsim.mmu.rmap;

import java.util.Arrays;

/**
 * The reverse map of one memslot: for each guest frame and level, the EPT entries that map it, one in each EPT root
 * that maps the frame at that level. A frame with one entry costs 8 bytes; only a second entry makes a chain. Costs
 * what is mapped. KVM's {@code kvm_rmap_head}.
 */
public final class Rmap {
    /** Answer of {@link #get}: there is no such entry. */
    public static final long NONE = -1;

    /** What to do with an entry. */
    @FunctionalInterface
    public interface Visitor {
        /**
         * Called for one entry; may remove it from the map, and may add entries of other levels.
         *
         * @param gfn first guest frame that the entry maps
         * @param level level of the entry, 1 to 3
         * @param spteHpa host-physical address of the entry
         */
        void entry(long gfn, int level, long spteHpa);
    }

    private static final int LEVELS = 3;
    private static final int CHUNK = 512;
    private static final int CHAIN_START = 4;
    /** Marks a head that holds the number of a chain; addresses of entries are multiples of 8. */
    private static final long CHAIN = 1;

    private final long baseGfn;
    private final long endGfn;
    /** By level, then by chunk of 512 pages of that size: heads, or null where no entry was ever added. */
    private final long[][][] heads = new long[LEVELS][][];

    private final long[] counts = new long[LEVELS];
    /** Chains: how many entries, then the entries. A free chain holds the number of the next free one. */
    private long[][] chains = new long[0][];

    private int freeChain = -1;

    /**
     * An empty map.
     *
     * @param baseGfn first guest frame of the memslot
     * @param npages its size in pages, at least 1
     */
    public Rmap(long baseGfn, long npages) {
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

    private long head(long gfn, int level) {
        long index = index(gfn, level);
        long[] chunk = heads[level - 1][(int) (index / CHUNK)];
        return chunk == null ? NONE : chunk[(int) (index % CHUNK)];
    }

    private static boolean isChain(long head) {
        return head != NONE && (head & CHAIN) != 0;
    }

    private long[] chain(long head) {
        return chains[(int) (head >>> 1)];
    }

    /**
     * How many entries map a frame.
     *
     * @param gfn a guest frame of the memslot
     * @param level level, 1 to 3
     * @return how many entries of that level there are
     */
    public int size(long gfn, int level) {
        long head = head(gfn, level);
        if (isChain(head)) {
            return (int) chain(head)[0];
        }
        return head == NONE ? 0 : 1;
    }

    /**
     * The entry that was added last of those that map a frame.
     *
     * @param gfn a guest frame of the memslot
     * @param level level, 1 to 3
     * @return host-physical address of the entry, or {@link #NONE}
     */
    public long get(long gfn, int level) {
        long head = head(gfn, level);
        if (isChain(head)) {
            long[] chain = chain(head);
            return chain[(int) chain[0]];
        }
        return head;
    }

    /**
     * One of the entries that map a frame.
     *
     * @param gfn a guest frame of the memslot
     * @param level level, 1 to 3
     * @param number number of the entry, 0 to {@link #size} - 1; removing an entry changes the numbers behind it
     * @return host-physical address of the entry
     * @throws IllegalArgumentException if there is no entry with that number
     */
    public long get(long gfn, int level, int number) {
        if (number < 0 || number >= size(gfn, level)) {
            throw new IllegalArgumentException(
                    "need an entry number below " + size(gfn, level) + ", got number=" + number);
        }
        long head = head(gfn, level);
        return isChain(head) ? chain(head)[number + 1] : head;
    }

    /**
     * Records an entry.
     *
     * @param gfn first guest frame that it maps
     * @param level its level, 1 to 3
     * @param spteHpa its host-physical address, a multiple of 8
     */
    public void add(long gfn, int level, long spteHpa) {
        long index = index(gfn, level);
        long[][] chunks = heads[level - 1];
        int number = (int) (index / CHUNK);
        if (chunks[number] == null) {
            chunks[number] = new long[CHUNK];
            Arrays.fill(chunks[number], NONE);
        }
        long[] chunk = chunks[number];
        int at = (int) (index % CHUNK);
        chunk[at] = chunk[at] == NONE ? spteHpa : added(chunk[at], spteHpa);
        counts[level - 1]++;
    }

    private long added(long head, long spteHpa) {
        long chainHead = isChain(head) ? head : newChain(head);
        long[] chain = chain(chainHead);
        int size = (int) chain[0];
        for (int i = 1; i <= size; i++) {
            if (chain[i] == spteHpa) {
                throw new AssertionError("entry 0x" + Long.toHexString(spteHpa) + " is in the reverse map already");
            }
        }
        if (size + 1 == chain.length) {
            chain = Arrays.copyOf(chain, 2 * chain.length);
            chains[(int) (chainHead >>> 1)] = chain;
        }
        chain[size + 1] = spteHpa;
        chain[0] = size + 1;
        return chainHead;
    }

    private long newChain(long spteHpa) {
        if (freeChain < 0) {
            int old = chains.length;
            chains = Arrays.copyOf(chains, Math.max(CHAIN_START, 2 * old));
            for (int i = chains.length - 1; i >= old; i--) {
                chains[i] = new long[CHAIN_START];
                chains[i][0] = freeChain;
                freeChain = i;
            }
        }
        int number = freeChain;
        freeChain = (int) chains[number][0];
        chains[number][0] = 1;
        chains[number][1] = spteHpa;
        return (long) number << 1 | CHAIN;
    }

    /**
     * Forgets an entry.
     *
     * @param gfn first guest frame that it maps
     * @param level its level, 1 to 3
     * @param spteHpa its host-physical address
     */
    public void remove(long gfn, int level, long spteHpa) {
        long head = head(gfn, level);
        long left = NONE;
        if (isChain(head)) {
            left = removed(head, spteHpa, gfn, level);
        } else if (head != spteHpa || head == NONE) {
            throw absent(gfn, level, spteHpa);
        }
        long index = index(gfn, level);
        heads[level - 1][(int) (index / CHUNK)][(int) (index % CHUNK)] = left;
        counts[level - 1]--;
    }

    /** Takes an entry out of a chain, keeping the order; a chain of one becomes a plain head again. */
    private long removed(long head, long spteHpa, long gfn, int level) {
        long[] chain = chain(head);
        int size = (int) chain[0];
        int at = 1;
        while (at <= size && chain[at] != spteHpa) {
            at++;
        }
        if (at > size) {
            throw absent(gfn, level, spteHpa);
        }
        System.arraycopy(chain, at + 1, chain, at, size - at);
        chain[0] = size - 1;
        if (size > 2) {
            return head;
        }
        long last = chain[1];
        chain[0] = freeChain;
        freeChain = (int) (head >>> 1);
        return last;
    }

    private static AssertionError absent(long gfn, int level, long spteHpa) {
        return new AssertionError("no entry at 0x" + Long.toHexString(spteHpa) + " maps gfn 0x" + Long.toHexString(gfn)
                + " at level " + level);
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
     * Visits the entries that map any part of a range, ascending by level and then by frame; those of one frame from
     * the one added last to the one added first.
     *
     * @param firstGfn first guest frame
     * @param lastGfn last guest frame; both within the memslot
     * @param visitor told of each entry
     */
    public void forEach(long firstGfn, long lastGfn, Visitor visitor) {
        for (int level = 1; level <= LEVELS; level++) {
            forEach(level, firstGfn, lastGfn, visitor);
        }
    }

    /**
     * Visits the entries of one level that map any part of a range, as {@link #forEach(long, long, Visitor)}.
     *
     * @param level level, 1 to 3
     * @param firstGfn first guest frame
     * @param lastGfn last guest frame; both within the memslot
     * @param visitor told of each entry
     */
    public void forEach(int level, long firstGfn, long lastGfn, Visitor visitor) {
        if (counts[level - 1] == 0) {
            return;
        }
        long last = index(lastGfn, level);
        for (long index = index(firstGfn, level); index <= last; index++) {
            long[] chunk = heads[level - 1][(int) (index / CHUNK)];
            if (chunk == null) {
                index |= CHUNK - 1;
            } else if (chunk[(int) (index % CHUNK)] != NONE) {
                int shift = 9 * (level - 1);
                visit(index + (baseGfn >>> shift) << shift, level, visitor);
            }
        }
    }

    /** From the last to the first, so that the visitor may remove the entry that it is told of. */
    private void visit(long gfn, int level, Visitor visitor) {
        for (int number = size(gfn, level) - 1; number >= 0; number--) {
            visitor.entry(gfn, level, get(gfn, level, number));
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
