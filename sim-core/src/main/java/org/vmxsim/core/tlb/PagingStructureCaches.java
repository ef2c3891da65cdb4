package org.vmxsim.core.tlb;

import org.vmxsim.core.cache.AccessCounts;

/**
 * The caches that let a page walk start in the middle: one for each level of entry that can refer to another table
 * (PDE, PDPTE, PML4E, PML5E). Used once for guest paging, keyed by linear address, and once for EPT, keyed by
 * guest-physical address. SDM "Caches for Paging Structures".
 *
 * <p>A walker calls {@link #lookup}; if the answer is not 0 it goes on with the table that {@link #tableHpa} names. On
 * the way it calls {@link #insert} for every entry that refers to another table, once that entry's accessed flag is
 * set.
 */
public final class PagingStructureCaches {
    /** After a hit of {@link #lookup}: host-physical address of the table to read next. */
    public long tableHpa;
    /** After a hit: guest-physical address of that table, as given to {@link #insert}. */
    public long tableGpa;
    /** After a hit: rights accumulated over the entries above, 12 bits as given to {@link #insert}. */
    public int rights;

    /** By level of the table that a hit leads to: 1 the PDE cache, 2 PDPTE, 3 PML4E, 4 PML5E; 0 unused. */
    private final TranslationCache[] byLevel = new TranslationCache[5];

    private long tag;

    /**
     * Empty caches.
     *
     * @param pde shape of the cache of PDEs
     * @param pdpte shape of the cache of PDPTEs
     * @param pml4e shape of the cache of PML4Es
     * @param pml5e shape of the cache of PML5Es
     */
    public PagingStructureCaches(TlbGeometry pde, TlbGeometry pdpte, TlbGeometry pml4e, TlbGeometry pml5e) {
        byLevel[1] = new TranslationCache(pde);
        byLevel[2] = new TranslationCache(pdpte);
        byLevel[3] = new TranslationCache(pml4e);
        byLevel[4] = new TranslationCache(pml5e);
    }

    /**
     * Changes the tag that entries are looked up and entered with.
     *
     * @param newTag a number for (VPID, PCID, EP4TA), or the EP4TA
     */
    void select(long newTag) {
        tag = newTag;
    }

    private static long key(long address, int level) {
        return (address & 0x1ff_ffff_ffff_ffffL) >>> 12 + 9 * level << 2;
    }

    /**
     * Finds the lowest table for an address that can be reached without reading entries above it.
     *
     * @param address linear or guest-physical address
     * @param topLevel level of the root table, 3 (PAE), 4 or 5: only tables below it are looked for
     * @return level of the table to read next, 1 to {@code topLevel} - 1, with the fields filled; 0 if none is cached
     */
    public int lookup(long address, int topLevel) {
        for (int level = 1; level < topLevel; level++) {
            TranslationCache cache = byLevel[level];
            int index = cache.lookup(key(address, level), tag, tag);
            if (index >= 0) {
                tableHpa = cache.first(index) & ~0xfffL;
                rights = (int) cache.first(index) & 0xfff;
                tableGpa = cache.second(index);
                return level;
            }
        }
        return 0;
    }

    /**
     * Enters what an entry refers to.
     *
     * @param level level of the table referred to: 1 if the entry is a PDE, up to 4 if it is a PML5E
     * @param address the address being walked
     * @param newTableHpa host-physical address of the table referred to, page-aligned
     * @param newTableGpa its guest-physical address; ignored by the caches
     * @param newRights rights accumulated down to the entry, 12 bits whose meaning is the walker's
     */
    public void insert(int level, long address, long newTableHpa, long newTableGpa, int newRights) {
        byLevel[level].insert(key(address, level), tag, newTableHpa | newRights & 0xfff, newTableGpa);
    }

    /** Empties all caches. */
    void flush() {
        for (int level = 1; level <= 4; level++) {
            byLevel[level].flush();
        }
    }

    /**
     * Empties the entries under the tags that fit a pattern, whatever their addresses.
     *
     * @param spaces what the tags stand for
     * @param vpid pattern of the VPID
     * @param pcid pattern of the PCID
     * @param ep4ta pattern of the EP4TA
     */
    void forget(TranslationContexts spaces, int vpid, int pcid, long ep4ta) {
        for (int level = 1; level <= 4; level++) {
            byLevel[level].forget(spaces, vpid, pcid, ep4ta);
        }
    }

    /**
     * Empties the entries that would be used to translate one address under the current tag.
     *
     * @param address linear or guest-physical address
     * @return true if there was one
     */
    public boolean forgetAddress(long address) {
        boolean found = false;
        for (int level = 1; level <= 4; level++) {
            int index = byLevel[level].peek(key(address, level), tag);
            if (index >= 0) {
                byLevel[level].remove(index);
                found = true;
            }
        }
        return found;
    }

    /**
     * What one of the caches has counted.
     *
     * @param level level of the table that a hit leads to: 1 the PDE cache, 2 PDPTE, 3 PML4E, 4 PML5E
     * @return the counts since the caches were made
     */
    public AccessCounts counts(int level) {
        return byLevel[level].counts();
    }
}
