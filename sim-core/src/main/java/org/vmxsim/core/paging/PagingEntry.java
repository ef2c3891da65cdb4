package org.vmxsim.core.paging;

/**
 * A guest paging-structure entry. SDM "4-Level Paging and 5-Level Paging", tables "Format of a ... Entry"; entries of
 * 32-bit paging have the same low bits.
 *
 * <pre>
 *  63   62   59 58  52 51                12 11  9  8   7   6   5   4   3   2   1   0
 * +--+--------+-------+--------------------+-----+---+---+---+---+---+---+---+---+---+
 * |XD|  key   |  -    |      address       |  -  | G |PS | D | A |PCD|PWT|U/S|R/W| P |
 * +--+--------+-------+--------------------+-----+---+---+---+---+---+---+---+---+---+
 * </pre>
 */
public final class PagingEntry {
    /** P: present. */
    public static final long PRESENT = 1;
    /** R/W: writes are allowed. */
    public static final long WRITABLE = 1 << 1;
    /** U/S: user-mode accesses are allowed. */
    public static final long USER = 1 << 2;
    /** A: accessed. */
    public static final long ACCESSED = 1 << 5;
    /** D: dirty. */
    public static final long DIRTY = 1 << 6;
    /** PS: the entry maps a page. */
    public static final long PAGE_SIZE = 1 << 7;
    /** G: global. */
    public static final long GLOBAL = 1 << 8;
    /** XD: instruction fetches are not allowed. */
    public static final long EXECUTE_DISABLE = 1L << 63;

    static final long ADDRESS = 0x000f_ffff_ffff_f000L;
    /** What is left of an ordinary reference to a table under {@link PagingControls#plainTableMask}. */
    static final long PLAIN_TABLE = PRESENT | ACCESSED;

    private PagingEntry() {}

    /**
     * Whether an entry maps a page rather than referring to a table.
     *
     * @param entry the entry
     * @param level its level
     * @param controls the paging mode
     * @return true for PTEs, and for PDEs and PDPTEs with PS where the mode has such pages
     */
    public static boolean mapsPage(long entry, int level, PagingControls controls) {
        return switch (level) {
            case 1 -> true;
            case 2 -> (entry & PAGE_SIZE) != 0 && (controls.entryBytes == 8 || controls.pages4M);
            case 3 -> (entry & PAGE_SIZE) != 0;
            default -> false;
        };
    }

    /**
     * Whether a present entry has a reserved bit set.
     *
     * @param entry the entry
     * @param level its level, 5 to 1
     * @param controls the paging mode
     * @return true for a page fault with the RSVD flag
     */
    public static boolean isReserved(long entry, int level, PagingControls controls) {
        if (controls.entryBytes == 4) {
            // "bits 21:(M-19)" with M = min(40, MAXPHYADDR), which is 40 for every model
            return level == 2 && mapsPage(entry, level, controls) && (entry & 1 << 21) != 0;
        }
        long reserved = controls.reserved;
        if (level >= 4 || level == 3 && !controls.pages1G) {
            reserved |= PAGE_SIZE;
        } else if (level > 1 && (entry & PAGE_SIZE) != 0) {
            reserved |= (1L << Radix.shift(level)) - (1 << 13);
        }
        return (entry & reserved) != 0;
    }

    /**
     * Rights of one entry.
     *
     * @param entry the entry
     * @return bits {@link AccessContext#GUEST_USER} and following
     */
    public static int rights(long entry) {
        return (int) (entry >>> 2 & 1) | (int) (entry & WRITABLE) | (int) (entry >>> 63) * AccessContext.GUEST_NX;
    }

    /**
     * Whether an entry that maps a page makes it a shadow-stack page. SDM "Determination of Access Rights": R/W is 0
     * and the dirty flag is 1 in the entry that maps the page, and R/W is 1 in every other entry.
     *
     * @param entry the entry that maps the page
     * @param above rights over the entries above it
     * @return {@link AccessContext#GUEST_SHADOW_STACK}, or 0
     */
    public static int shadowStack(long entry, int above) {
        boolean leafSaysSo = (entry & (WRITABLE | DIRTY)) == DIRTY;
        return leafSaysSo && (above & AccessContext.GUEST_WRITABLE) != 0 ? AccessContext.GUEST_SHADOW_STACK : 0;
    }

    /**
     * The protection key of an entry that maps a page.
     *
     * @param entry the entry
     * @return bits 62:59; software may use them for itself where no protection keys are enabled
     */
    public static int protectionKey(long entry) {
        return (int) (entry >>> 59) & 15;
    }

    /**
     * Address of the table that an entry refers to.
     *
     * @param entry the entry
     * @param controls the paging mode
     * @return guest-physical address
     */
    public static long table(long entry, PagingControls controls) {
        return controls.entryBytes == 4 ? entry & 0xffff_f000L : entry & ADDRESS;
    }

    /**
     * log2 of the size of the page that an entry of a level maps.
     *
     * @param level 1, 2 or 3
     * @param controls the paging mode
     * @return 12, 21, 22 or 30
     */
    public static int pageShift(int level, PagingControls controls) {
        return controls.entryBytes == 4 ? 2 + 10 * level : Radix.shift(level);
    }

    /**
     * Guest-physical address of a linear address in the page that an entry maps.
     *
     * @param entry the entry
     * @param shift log2 of the page size
     * @param linear the linear address
     * @return guest-physical address
     */
    public static long physical(long entry, int shift, long linear) {
        long offset = (1L << shift) - 1;
        long frame = shift == 22 ? entry & 0xffc0_0000L | (entry & 0x1f_e000) << 19 : entry & ADDRESS & ~offset;
        return frame | linear & offset;
    }
}
