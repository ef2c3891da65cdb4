package org.vmxsim.core.paging;

/**
 * Memory types and how two of them combine. SDM Vol. 3A, "Selecting Memory Types for Pentium III and More Recent
 * Processor Families"; SDM Vol. 3C, "Memory Type Used for Translated Guest-Physical Addresses", which puts the EPT
 * memory type in the place of the MTRRs'.
 */
public final class MemoryType {
    /** UC, strong uncacheable. */
    public static final int UNCACHEABLE = 0;
    /** WC. */
    public static final int WRITE_COMBINING = 1;
    /** WT. */
    public static final int WRITE_THROUGH = 4;
    /** WP. */
    public static final int WRITE_PROTECTED = 5;
    /** WB. */
    public static final int WRITE_BACK = 6;
    /** UC-, of a PAT entry only. */
    public static final int UNCACHED_MINUS = 7;

    /** IA32_PAT after reset: WB, WT, UC-, UC, twice. */
    public static final long RESET_PAT = 0x0007_0406_0007_0406L;

    private static final int PAT_INDEX_OF_4K = 7;
    private static final int PAT_INDEX_OF_LARGE = 12;

    private MemoryType() {}

    /**
     * The effective memory type of an access.
     *
     * @param ofRange the EPT memory type, or WB without EPT: MTRRs are not modelled
     * @param ofPage what the PAT says for the page
     * @return UC, WC, WT, WP or WB
     * @throws IllegalArgumentException if either is reserved
     */
    public static int effective(int ofRange, int ofPage) {
        if (ofPage >>> 1 == 1 || (ofPage & ~7) != 0) {
            throw new IllegalArgumentException("reserved PAT memory type " + ofPage);
        }
        // one digit for each type of the page, UC the last: UC-, WB, WP, WT, reserved, reserved, WC, UC
        int row = switch (ofRange) {
            case UNCACHEABLE -> 0x0000_0010;
            case WRITE_COMBINING -> 0x1100_0010;
            case WRITE_THROUGH -> 0x0454_0010;
            case WRITE_PROTECTED -> 0x1554_0010;
            case WRITE_BACK -> 0x0654_0010;
            default -> throw new IllegalArgumentException("reserved memory type " + ofRange);
        };
        return row >>> 4 * ofPage & 7;
    }

    /**
     * What the PAT says for the page that an entry maps. SDM Vol. 3A, "Selecting a Memory Type from the PAT".
     *
     * @param pat IA32_PAT
     * @param entry the entry that maps the page
     * @param level its level: 1 maps the smallest pages
     * @return UC, WC, WT, WP, WB or UC-
     */
    public static int ofPage(long pat, long entry, int level) {
        int patBit = level == 1 ? PAT_INDEX_OF_4K : PAT_INDEX_OF_LARGE;
        int index = (int) (entry >>> 3 & 3 | (entry >>> patBit & 1) << 2);
        return (int) (pat >>> 8 * index) & 7;
    }

    /**
     * Whether accesses go past the caches.
     *
     * @param effective an effective memory type
     * @return true for UC and WC
     */
    public static boolean isUncached(int effective) {
        return effective <= WRITE_COMBINING;
    }
}
