package org.vmxsim.core.tlb;

import org.vmxsim.core.cache.AccessCounts;

/**
 * One level of TLB: structures for 4-KiB, 2-MiB and 1-GiB pages, some of which may be the same one. Used for linear and
 * combined mappings (L1 DTLB, ITLB, STLB) and for guest-physical ones (nested TLB).
 *
 * <p>The size of an entry is the smaller of the guest page and the EPT page; the size of the guest page is kept too,
 * because INVLPG forgets all entries made from one guest page. Global pages are tagged by a number that stands for all
 * PCIDs (SDM "Global Pages"), so they hit under each of them.
 */
public final class Tlb {
    /** After a hit of {@link #lookup}: host-physical address of the first byte of the page. */
    public long frame;
    /** After a hit: log2 of the size of the entry: 12, 21 or 30. */
    public int pageShift;
    /** After a hit: the word given to {@link #insert}. */
    public long attributes;

    private static final int[] SHIFTS = {12, 21, 30};

    private final TranslationCache[] bySize;
    private long tag;
    private long globalTag;
    private long hits;
    private long misses;

    /**
     * One level over three structures.
     *
     * @param small for 4-KiB pages
     * @param large for 2-MiB pages; may be {@code small}
     * @param huge for 1-GiB pages; may be one of the others
     */
    public Tlb(TranslationCache small, TranslationCache large, TranslationCache huge) {
        bySize = new TranslationCache[] {small, large, huge};
    }

    /**
     * Changes the tags that entries are looked up and entered with.
     *
     * @param newTag tag of entries that are not global
     * @param newGlobalTag tag of global entries
     */
    void select(long newTag, long newGlobalTag) {
        tag = newTag;
        globalTag = newGlobalTag;
    }

    private static long key(long address, int size) {
        return address >>> SHIFTS[size] << 2 | size;
    }

    /**
     * Looks a page up and counts the hit or miss.
     *
     * @param address linear (or guest-physical) address
     * @return true if found; the fields are filled then
     */
    public boolean lookup(long address) {
        for (int size = 0; size < 3; size++) {
            TranslationCache cache = bySize[size];
            if (cache.live(size) == 0) {
                continue;
            }
            int index = cache.lookup(key(address, size), tag, globalTag);
            if (index >= 0) {
                frame = cache.first(index) & ~0xfffL;
                pageShift = SHIFTS[size];
                attributes = cache.second(index);
                hits++;
                return true;
            }
        }
        misses++;
        return false;
    }

    /**
     * Log2 of the size of the guest page of the entry that covers an address; counts nothing.
     *
     * @param address linear (or guest-physical) address
     * @return the shift given to {@link #insert}, or 0 if there is no entry
     */
    public int guestPageShift(long address) {
        for (int size = 0; size < 3; size++) {
            long key = key(address, size);
            int index = bySize[size].peek(key, tag);
            index = index < 0 ? bySize[size].peek(key, globalTag) : index;
            if (index >= 0) {
                return (int) bySize[size].first(index) & 0xfff;
            }
        }
        return 0;
    }

    /**
     * Enters a page.
     *
     * @param address an address in the page
     * @param entryShift log2 of the size of the entry; rounded down to 12, 21 or 30
     * @param guestPageShift log2 of the size of the guest page, at least the entry's
     * @param global whether the guest page is global
     * @param hpa host-physical address of {@code address}
     * @param entryAttributes a word for the user of the entry
     */
    public void insert(
            long address, int entryShift, int guestPageShift, boolean global, long hpa, long entryAttributes) {
        int size = entryShift >= 30 ? 2 : entryShift >= 21 ? 1 : 0;
        // the same page may be there under the other tag, if the guest changed its G flag: never two entries for one
        long stale = global ? tag : globalTag;
        long first = hpa & -1L << SHIFTS[size] | guestPageShift;
        bySize[size].insert(key(address, size), global ? globalTag : tag, stale, first, entryAttributes);
    }

    /** Empties all structures. */
    void flush() {
        for (TranslationCache cache : bySize) {
            cache.flush();
        }
    }

    /**
     * Forgets the entries made from the guest page that covers an address, under the tags that fit a pattern.
     *
     * @param address linear (or guest-physical) address
     * @param spaces what the tags stand for
     * @param vpid pattern of the VPID
     * @param pcid pattern of the PCID
     * @param ep4ta pattern of the EP4TA
     */
    void forgetPage(long address, TranslationContexts spaces, int vpid, int pcid, long ep4ta) {
        for (int size = 0; size < 3; size++) {
            TranslationCache cache = bySize[size];
            for (int i = cache.live(size) == 0 ? -1 : cache.nextFull(0); i >= 0; i = cache.nextFull(i + 1)) {
                if ((cache.key(i) & 3) == size
                        && coversPage(cache, i, size, address)
                        && spaces.matches((int) cache.tag(i), vpid, pcid, ep4ta)) {
                    cache.remove(i);
                }
            }
        }
    }

    private static boolean coversPage(TranslationCache cache, int index, int size, long address) {
        int shift = Math.max(SHIFTS[size], (int) cache.first(index) & 0xfff);
        long page = cache.key(index) >>> 2 << SHIFTS[size];
        return (page ^ address) >>> shift == 0;
    }

    /**
     * Forgets all entries under the tags that fit a pattern.
     *
     * @param spaces what the tags stand for
     * @param vpid pattern of the VPID
     * @param pcid pattern of the PCID
     * @param ep4ta pattern of the EP4TA
     */
    void forget(TranslationContexts spaces, int vpid, int pcid, long ep4ta) {
        for (TranslationCache cache : bySize) {
            cache.forget(spaces, vpid, pcid, ep4ta);
        }
    }

    /**
     * The structure for one size of page.
     *
     * @param size 0 for 4 KiB, 1 for 2 MiB, 2 for 1 GiB
     * @return the structure
     */
    TranslationCache cache(int size) {
        return bySize[size];
    }

    /**
     * What this level has counted: one look-up is one hit or one miss, whatever the page size.
     *
     * @return the counts since it was made
     */
    public AccessCounts counts() {
        long evictions = bySize[0].counts().evictions();
        evictions += bySize[1] == bySize[0] ? 0 : bySize[1].counts().evictions();
        boolean shared = bySize[2] == bySize[0] || bySize[2] == bySize[1];
        evictions += shared ? 0 : bySize[2].counts().evictions();
        return new AccessCounts(hits, misses, evictions, 0);
    }
}
