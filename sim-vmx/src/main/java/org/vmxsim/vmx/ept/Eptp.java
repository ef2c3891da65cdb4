package org.vmxsim.vmx.ept;

import static org.vmxsim.core.bits.BitField.bit;
import static org.vmxsim.core.bits.BitField.bits;

import org.vmxsim.core.bits.BitField;

/**
 * The extended-page-table pointer, a 64-bit VM-execution control field. SDM Vol. 3C, "Extended-Page-Table Pointer
 * (EPTP)" and, for its validity, "VM-Execution Control Fields".
 */
public final class Eptp {
    /** Memory type of references to EPT paging structures: 0 UC, 6 WB. */
    public static final BitField MEMORY_TYPE = bits(2, 0);
    /** Page-walk length minus 1: 3 for four levels, 4 for five. */
    public static final BitField WALK_LENGTH_MINUS_1 = bits(5, 3);
    /** Enables accessed and dirty flags. */
    public static final BitField ACCESSED_DIRTY = bit(6);
    /** Enables enforcement of access rights for supervisor shadow-stack pages. */
    public static final BitField SUPERVISOR_SHADOW_STACK = bit(7);
    /** Physical address of the root table, divided by 4096. */
    public static final BitField ADDRESS = bits(51, 12);

    private static final BitField RESERVED = bits(11, 8);
    private static final BitField BEYOND_ADDRESS = bits(63, 52);

    private Eptp() {}

    /**
     * An EPTP with memory type WB.
     *
     * @param root host-physical address of the root table
     * @param levels page-walk length, 4 or 5
     * @param accessedDirty whether to enable accessed and dirty flags
     * @return the field
     * @throws IllegalArgumentException if the root is not 4-KiB aligned below 2^52, or the length is not 4 or 5
     */
    public static long of(long root, int levels, boolean accessedDirty) {
        if ((root & ~ADDRESS.mask()) != 0 || levels < 4 || levels > 5) {
            throw new IllegalArgumentException("need a 4-KiB aligned root below 2^52 and 4 or 5 levels, got hpa=0x"
                    + Long.toHexString(root) + " levels=" + levels);
        }
        long eptp = MEMORY_TYPE.put(root, EptRules.WRITE_BACK);
        eptp = WALK_LENGTH_MINUS_1.put(eptp, levels - 1);
        return ACCESSED_DIRTY.put(eptp, accessedDirty ? 1 : 0);
    }

    /**
     * Whether VM entry (and VM function 0) accepts the field.
     *
     * @param eptp the field
     * @param capabilities what the processor supports
     * @return true if valid
     */
    public static boolean isValid(long eptp, EptCapabilities capabilities) {
        long memoryType = MEMORY_TYPE.get(eptp);
        long length = WALK_LENGTH_MINUS_1.get(eptp) + 1;
        // "The EPT memory type (bits 2:0) must be a value supported by the processor".
        boolean typeValid =
                memoryType == EptRules.WRITE_BACK || memoryType == EptRules.UNCACHEABLE && capabilities.uncacheable();
        // "Bits 5:3 (1 less than the EPT page-walk length) must indicate a supported EPT page-walk length".
        boolean lengthValid = length == 4 || length == 5 && capabilities.fiveLevel();
        // Bit 6 must be 0 without accessed and dirty flags, bit 7 without supervisor shadow-stack control.
        boolean flagsValid = (capabilities.accessedDirty() || !ACCESSED_DIRTY.isSet(eptp))
                && (capabilities.supervisorShadowStack() || !SUPERVISOR_SHADOW_STACK.isSet(eptp));
        long reserved = RESERVED.mask() | BEYOND_ADDRESS.mask() | capabilities.addressBitsBeyondWidth();
        return typeValid && lengthValid && flagsValid && (eptp & reserved) == 0;
    }

    /**
     * Number of levels that a walk from here has.
     *
     * @param eptp a valid field
     * @return 4 or 5
     */
    public static int levels(long eptp) {
        return (int) WALK_LENGTH_MINUS_1.get(eptp) + 1;
    }

    /**
     * The root table.
     *
     * @param eptp the field
     * @return its host-physical address
     */
    public static long root(long eptp) {
        return eptp & ADDRESS.mask();
    }
}
