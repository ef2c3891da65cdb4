package org.vmxsim.vmx.ept;

import static org.vmxsim.core.bits.BitField.bit;
import static org.vmxsim.core.bits.BitField.bits;

import org.vmxsim.core.bits.BitField;
import org.vmxsim.core.paging.Radix;

/**
 * An EPT paging-structure entry, held as the {@code long} that lies in memory. SDM Vol. 3C, "EPT Translation
 * Mechanism", tables "Format of an EPT ... Entry".
 *
 * <pre>
 *  63  61  60   51                  12 11  10  9   8   7    6    5 3  2 1 0
 * +---+---+---+----------------------+---+---+---+---+----+-----+----+-+-+-+
 * |sve|spp|sss|       address        | - |xu | D | A |leaf|ipat | mt |X|W|R|
 * +---+---+---+----------------------+---+---+---+---+----+-----+----+-+-+-+
 * </pre>
 */
public final class EptEntry {
    /** Read access. */
    public static final BitField READ = bit(0);
    /** Write access. */
    public static final BitField WRITE = bit(1);
    /** Execute access; for supervisor-mode linear addresses only, under mode-based execute control. */
    public static final BitField EXECUTE = bit(2);
    /** Bits 2:0 together: an entry without any of them is not present. */
    public static final BitField PERMISSIONS = bits(2, 0);
    /** EPT memory type; entries that map a page. */
    public static final BitField MEMORY_TYPE = bits(5, 3);
    /** Ignore the PAT memory type; entries that map a page. */
    public static final BitField IGNORE_PAT = bit(6);
    /** PDPTE and PDE: the entry maps a page. */
    public static final BitField LEAF = bit(7);
    /** Accessed flag, if EPTP bit 6 is 1. */
    public static final BitField ACCESSED = bit(8);
    /** Dirty flag, if EPTP bit 6 is 1; entries that map a page. */
    public static final BitField DIRTY = bit(9);
    /** Execute access for user-mode linear addresses, under mode-based execute control. */
    public static final BitField USER_EXECUTE = bit(10);
    /** Physical address of a table or page, divided by 4096. */
    public static final BitField ADDRESS = bits(51, 12);
    /** Supervisor shadow-stack page, if EPTP bit 7 is 1; entries that map a page. */
    public static final BitField SUPERVISOR_SHADOW_STACK = bit(60);
    /** Sub-page write permissions, if the control is 1; PTE only. */
    public static final BitField SPP = bit(61);
    /** Suppress #VE, if the control "EPT-violation #VE" is 1; entries that map a page or are not present. */
    public static final BitField SUPPRESS_VE = bit(63);

    private EptEntry() {}

    /**
     * Whether an entry maps a page, as opposed to referring to another table.
     *
     * @param entry the entry
     * @param level its level, 5 to 1
     * @return true for a PTE, and for a PDE or PDPTE with bit 7 set
     */
    public static boolean mapsPage(long entry, int level) {
        return level == Radix.PT || level <= Radix.PDPT && LEAF.isSet(entry);
    }

    /**
     * The table that an entry refers to.
     *
     * @param entry an entry that does not map a page
     * @return host-physical address of the table
     */
    public static long table(long entry) {
        return entry & ADDRESS.mask();
    }

    /**
     * The address that an entry that maps a page gives to a guest-physical address.
     *
     * @param entry the entry
     * @param level its level, 3 to 1
     * @param gpa the guest-physical address
     * @return the host-physical address
     */
    public static long translate(long entry, int level, long gpa) {
        long offset = (1L << Radix.shift(level)) - 1;
        return entry & (ADDRESS.mask() & ~offset) | gpa & offset;
    }
}
