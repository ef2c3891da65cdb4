package org.vmxsim.testkit.table;

import java.util.List;
import java.util.StringJoiner;

/**
 * The EPT entries on the way to one page, from the root down. Addresses are filled in when the tables are laid out; all
 * other bits are as they are here, legal or not.
 *
 * @param gpa a guest-physical address in the page
 * @param hpa host-physical address of the frame, 4-KiB aligned
 * @param entries entries of level 4, 3, and so on; the last one is at level 5 - size and gets the frame's address
 */
public record EptPath(long gpa, long hpa, List<Long> entries) {
    /** Read, write and execute. */
    public static final long ALL = 7;
    /** Memory type WB of an entry that maps a page. */
    public static final long WRITE_BACK = 6 << 3;
    /** Bit 7: the entry maps a page though it is not of level 1. */
    public static final long LARGE = 1 << 7;
    /** Bit 61: sub-page write permissions decide about writes. */
    public static final long SUB_PAGE = 1L << 61;

    /**
     * Copies the list.
     *
     * @throws IllegalArgumentException if there are not 2 to 4 entries, or the addresses are not page-aligned
     */
    public EptPath {
        entries = List.copyOf(entries);
        if (entries.size() < 2 || entries.size() > 4 || ((gpa | hpa) & 0xfff) != 0) {
            throw new IllegalArgumentException("need 2 to 4 entries and aligned addresses, got gpa=0x"
                    + Long.toHexString(gpa) + " hpa=0x" + Long.toHexString(hpa) + " entries=" + entries.size());
        }
    }

    /**
     * Level of the last entry.
     *
     * @return 1 for a 4-KiB page, 2 for 2 MiB, 3 for 1 GiB
     */
    public int leafLevel() {
        return 5 - entries.size();
    }

    @Override
    public String toString() {
        StringJoiner text = new StringJoiner(" ", "EPT 0x" + Long.toHexString(gpa) + ": ", "");
        entries.forEach(entry -> text.add("0x" + Long.toHexString(entry)));
        return text + " -> 0x" + Long.toHexString(hpa);
    }
}
