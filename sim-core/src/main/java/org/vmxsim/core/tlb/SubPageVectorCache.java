package org.vmxsim.core.tlb;

import org.vmxsim.core.cache.AccessCounts;

/**
 * Cached sub-page permission vectors, keyed by guest-physical page and tagged by EP4TA. Whether real processors cache
 * them is not documented: a structure of 0 entries stands for "never", and the default is "until INVEPT".
 */
public final class SubPageVectorCache {
    /** After a hit of {@link #lookup}: the vector (or write mask) given to {@link #insert}. */
    public long vector;

    private final TranslationCache cache;
    private long tag;

    /**
     * An empty cache.
     *
     * @param geometry its size and shape; 0 entries for none
     */
    public SubPageVectorCache(TlbGeometry geometry) {
        cache = new TranslationCache(geometry);
    }

    void select(long newTag) {
        tag = newTag;
    }

    private static long key(long gpa) {
        return gpa >>> 12 << 2;
    }

    /**
     * Looks the vector of a page up.
     *
     * @param gpa guest-physical address in the page
     * @return true if found; {@link #vector} is filled then
     */
    public boolean lookup(long gpa) {
        int index = cache.lookup(key(gpa), tag, tag);
        if (index >= 0) {
            vector = cache.first(index);
        }
        return index >= 0;
    }

    /**
     * Enters the vector of a page.
     *
     * @param gpa guest-physical address in the page
     * @param newVector the vector (or write mask)
     */
    public void insert(long gpa, long newVector) {
        cache.insert(key(gpa), tag, newVector, 0);
    }

    /**
     * Forgets the vector of a page.
     *
     * @param gpa guest-physical address in the page
     */
    void forgetAddress(long gpa) {
        int index = cache.peek(key(gpa), tag);
        if (index >= 0) {
            cache.remove(index);
        }
    }

    void forget(TranslationContexts spaces, long ep4ta) {
        cache.forget(spaces, TranslationContexts.ANY, TranslationContexts.ANY, ep4ta);
    }

    void flush() {
        cache.flush();
    }

    /**
     * What the cache has counted.
     *
     * @return the counts since it was made
     */
    public AccessCounts counts() {
        return cache.counts();
    }
}
