package org.vmxsim.spp;

import org.vmxsim.core.bits.BitField;

/**
 * The sub-page-permission-table pointer, a 64-bit VM-execution control field: physical address of the root of the SPPT.
 * SDM Vol. 3C, "Sub-Page-Permission-Table Pointer (SPPTP)" and "VM-Execution Control Fields".
 */
public final class Spptp {
    /** Physical address of the level-4 table, divided by 4096. */
    public static final BitField ADDRESS = BitField.bits(51, 12);

    private static final BitField RESERVED_LOW = BitField.bits(11, 0);

    private Spptp() {}

    /**
     * Whether VM entry accepts the field: bits 11:0 are 0, and no bit beyond the physical-address width is set. The
     * table itself is not read.
     *
     * @param spptp the field
     * @param maxPhysicalAddressBits physical-address width, 32 to 52
     * @return true if valid
     */
    public static boolean isValid(long spptp, int maxPhysicalAddressBits) {
        return !RESERVED_LOW.isSet(spptp) && (spptp & -1L << maxPhysicalAddressBits) == 0;
    }
}
