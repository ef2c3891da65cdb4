package org.vmxsim.vmx.ept;

import org.vmxsim.core.bits.BitField;
import org.vmxsim.core.paging.Radix;

/**
 * What makes an EPT paging-structure entry present, misconfigured or neither. Pure predicates: the same entry, level,
 * capabilities and control always give the same answer. SDM Vol. 3C, "EPT Translation Mechanism" and "EPT
 * Misconfigurations".
 */
public final class EptRules {
    /** Memory type UC of an entry or of EPTP. */
    public static final int UNCACHEABLE = 0;
    /** Memory type WC of an entry. */
    public static final int WRITE_COMBINING = 1;
    /** Memory type WT of an entry. */
    public static final int WRITE_THROUGH = 4;
    /** Memory type WP of an entry. */
    public static final int WRITE_PROTECTED = 5;
    /** Memory type WB of an entry or of EPTP. */
    public static final int WRITE_BACK = 6;

    /** Bit t is set for the reserved memory types t: 2, 3 and 7. */
    private static final int RESERVED_MEMORY_TYPES = 0b1000_1100;

    private static final BitField TABLE_RESERVED = BitField.bits(6, 3);
    private static final BitField PAGE_2M_RESERVED = BitField.bits(20, 12);
    private static final BitField PAGE_1G_RESERVED = BitField.bits(29, 12);

    private EptRules() {}

    /**
     * Whether an entry is present: "if any of bits 2:0 is 1", and under mode-based execute control also "if ... bit 10
     * is 1".
     *
     * @param entry the entry
     * @param modeBasedExecute the control "mode-based execute control for EPT"
     * @return true if present
     */
    public static boolean isPresent(long entry, boolean modeBasedExecute) {
        return EptEntry.PERMISSIONS.isSet(entry) || modeBasedExecute && EptEntry.USER_EXECUTE.isSet(entry);
    }

    /**
     * Whether a present entry causes an EPT misconfiguration.
     *
     * @param entry the entry, present
     * @param level its level, 5 to 1
     * @param capabilities what the processor supports
     * @param modeBasedExecute the control "mode-based execute control for EPT"
     * @return true if any of the rules below holds
     */
    public static boolean isMisconfigured(
            long entry, int level, EptCapabilities capabilities, boolean modeBasedExecute) {
        return isWritableButNotReadable(entry)
                || isUnsupportedExecuteOnly(entry, capabilities, modeBasedExecute)
                || (entry & reservedBits(level, EptEntry.mapsPage(entry, level), capabilities)) != 0
                || EptEntry.mapsPage(entry, level) && isReservedMemoryType((int) EptEntry.MEMORY_TYPE.get(entry));
    }

    /**
     * "Bit 0 of the entry is clear (indicating that data reads are not allowed) and ... bit 1 is set".
     *
     * @param entry the entry
     * @return true if the rule is broken
     */
    public static boolean isWritableButNotReadable(long entry) {
        return !EptEntry.READ.isSet(entry) && EptEntry.WRITE.isSet(entry);
    }

    /**
     * Bit 0 is clear, "the processor does not support execute-only translations" and bit 2 is set, or mode-based
     * execute control is 1 and bit 10 is set.
     *
     * @param entry the entry
     * @param capabilities what the processor supports
     * @param modeBasedExecute the control "mode-based execute control for EPT"
     * @return true if the rule is broken
     */
    public static boolean isUnsupportedExecuteOnly(long entry, EptCapabilities capabilities, boolean modeBasedExecute) {
        return !capabilities.executeOnly()
                && !EptEntry.READ.isSet(entry)
                && (EptEntry.EXECUTE.isSet(entry) || modeBasedExecute && EptEntry.USER_EXECUTE.isSet(entry));
    }

    /**
     * The bits that must be 0 in a present entry. "This includes the setting of a bit in the range 51:12 that is beyond
     * the logical processor's physical-address width", and the address bits below the size of a large page.
     *
     * @param level level of the entry, 5 to 1
     * @param mapsPage whether it maps a page
     * @param capabilities what the processor supports
     * @return the reserved bits
     */
    public static long reservedBits(int level, boolean mapsPage, EptCapabilities capabilities) {
        long beyondWidth = capabilities.addressBitsBeyondWidth();
        if (!mapsPage) {
            // Bit 7 is 0 here at levels 3 and 2; above, no entry maps a page and bit 7 is reserved like 6:3.
            return beyondWidth | TABLE_RESERVED.mask() | EptEntry.LEAF.mask();
        }
        return switch (level) {
            case Radix.PDPT -> beyondWidth | (capabilities.pages1g() ? PAGE_1G_RESERVED.mask() : EptEntry.LEAF.mask());
            case Radix.PD -> beyondWidth | (capabilities.pages2m() ? PAGE_2M_RESERVED.mask() : EptEntry.LEAF.mask());
            case Radix.PT -> beyondWidth;
            default -> throw new IllegalArgumentException("no entry of level " + level + " maps a page");
        };
    }

    /**
     * "The value of bits 5:3 (EPT memory type) is 2, 3, or 7 (these values are reserved)", in an entry that maps a
     * page.
     *
     * @param memoryType bits 5:3, 0 to 7
     * @return true if reserved
     */
    public static boolean isReservedMemoryType(int memoryType) {
        return (RESERVED_MEMORY_TYPES >>> memoryType & 1) != 0;
    }
}
