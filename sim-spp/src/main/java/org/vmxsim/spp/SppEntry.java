package org.vmxsim.spp;

import static org.vmxsim.core.bits.BitField.bit;
import static org.vmxsim.core.bits.BitField.bits;

import org.vmxsim.core.bits.BitField;

/**
 * An SPPT entry of level 4, 3 or 2, held as the {@code long} that lies in memory. SDM Vol. 3C, "Sub-Page Write
 * Permissions".
 *
 * <pre>
 *  63        52 51        M M-1                12 11         1 0
 * +------------+-----------+---------------------+------------+-+
 * |  reserved  | reserved  | address of table    |  reserved  |V|
 * +------------+-----------+---------------------+------------+-+
 * </pre>
 *
 * M is the physical-address width. There are no accessed, dirty, size or read flags. The level-1 entry is an
 * {@link SppVector}.
 */
public final class SppEntry {
    /** The entry refers to a table; if 0, the walk ends in an SPP miss. */
    public static final BitField VALID = bit(0);
    /** Physical address of the 4-KiB table of the next level, divided by 4096. */
    public static final BitField ADDRESS = bits(51, 12);

    private static final BitField RESERVED_LOW = bits(11, 1);
    private static final BitField RESERVED_HIGH = bits(63, 52);

    private SppEntry() {}

    /**
     * The bits that must be 0 in a valid entry.
     *
     * @param maxPhysicalAddressBits physical-address width, 12 to 52
     * @return the reserved bits
     */
    public static long reservedBits(int maxPhysicalAddressBits) {
        return RESERVED_LOW.mask() | RESERVED_HIGH.mask() | -1L << maxPhysicalAddressBits;
    }

    /**
     * The table that an entry refers to.
     *
     * @param entry a valid entry
     * @return host-physical address of the table
     */
    public static long table(long entry) {
        return entry & ADDRESS.mask();
    }

    /**
     * A valid entry.
     *
     * @param table host-physical address of the table it refers to
     * @return the entry
     * @throws IllegalArgumentException if the address is not that of a 4-KiB page below 2^52
     */
    public static long of(long table) {
        if ((table & ~ADDRESS.mask()) != 0) {
            throw new IllegalArgumentException(
                    "a table must be 4-KiB aligned and below 2^52, got hpa=0x" + Long.toHexString(table));
        }
        return table | VALID.mask();
    }
}
