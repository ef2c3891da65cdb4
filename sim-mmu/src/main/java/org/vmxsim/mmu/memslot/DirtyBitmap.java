package org.vmxsim.mmu.memslot;

import java.util.Arrays;

/**
 * Which pages of one memslot were written since the log was last read: one bit a page, 64 pages a word, as
 * KVM_GET_DIRTY_LOG copies it out.
 */
public final class DirtyBitmap {
    /** Pages in one word. */
    public static final int WORD_PAGES = 64;

    private final long npages;
    private final long[] words;

    /**
     * A bitmap without dirty pages.
     *
     * @param npages size of the memslot in pages, at least 1
     */
    public DirtyBitmap(long npages) {
        this.npages = npages;
        this.words = new long[(int) (npages - 1 >>> 6) + 1];
    }

    /**
     * Says that a page was written.
     *
     * @param page number of the page within the memslot
     */
    public void set(long page) {
        words[(int) (page >>> 6)] |= 1L << page;
    }

    /** Says that every page was written: how the log begins with KVM_DIRTY_LOG_INITIALLY_SET. */
    public void setAll() {
        Arrays.fill(words, -1);
        words[words.length - 1] >>>= -npages & WORD_PAGES - 1;
    }

    /**
     * Whether a page is dirty.
     *
     * @param page number of the page within the memslot
     * @return true if it was written since its bit was last cleared
     */
    public boolean isSet(long page) {
        return (words[(int) (page >>> 6)] >>> page & 1) != 0;
    }

    /**
     * The bits of 64 pages.
     *
     * @param index number of the word: pages 64*index to 64*index+63
     * @return bit i for page 64*index+i; bits beyond the memslot are 0
     */
    public long word(int index) {
        return words[index];
    }

    /**
     * Clears bits.
     *
     * @param index number of the word
     * @param mask which bits to clear
     * @return the bits of the mask that were set
     */
    public long clear(int index, long mask) {
        long cleared = words[index] & mask;
        words[index] &= ~mask;
        return cleared;
    }

    /**
     * A copy of all words.
     *
     * @return the words, page 0 in bit 0 of the first
     */
    public long[] copy() {
        return words.clone();
    }
}
