package org.vmxsim.mmu.upkeep;

import org.vmxsim.mmu.abi.KvmResult;

/**
 * What KVM_GET_DIRTY_LOG gives.
 *
 * @param result 0 or the error
 * @param words one bit a page, page 0 of the memslot in bit 0 of the first word; empty with an error
 */
public record DirtyPages(KvmResult result, long[] words) {
    /**
     * Whether a page was written.
     *
     * @param page number of the page within the memslot
     * @return its bit
     */
    public boolean isSet(long page) {
        return (words[(int) (page >>> 6)] >>> page & 1) != 0;
    }

    /**
     * How many pages were written.
     *
     * @return bits set
     */
    public int count() {
        int count = 0;
        for (long word : words) {
            count += Long.bitCount(word);
        }
        return count;
    }
}
