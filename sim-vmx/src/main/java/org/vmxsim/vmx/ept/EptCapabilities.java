package org.vmxsim.vmx.ept;

import static org.vmxsim.core.bits.BitField.bit;

import org.vmxsim.core.bits.BitField;

/**
 * What a processor supports of EPT. SDM Vol. 3D, "VPID and EPT Capabilities" (IA32_VMX_EPT_VPID_CAP) and "Secondary
 * Processor-Based VM-Execution Controls".
 *
 * @param maxPhysicalAddressBits physical-address width, 32 to 52
 * @param executeOnly execute-only translations
 * @param pages2m 2-MiB pages (PDE bit 7)
 * @param pages1g 1-GiB pages (PDPTE bit 7)
 * @param fiveLevel page-walk length 5, besides 4
 * @param uncacheable EPT paging-structure memory type UC, besides WB
 * @param accessedDirty accessed and dirty flags (EPTP bit 6)
 * @param advancedExitInformation advanced VM-exit information for EPT violations (qualification bits 11:9)
 * @param supervisorShadowStack supervisor shadow-stack control (EPTP bit 7)
 * @param modeBasedExecute the control "mode-based execute control for EPT"
 * @param subPageWrite the control "sub-page write permissions for EPT"
 * @param violationVe the control "EPT-violation #VE", and with it the suppress-#VE bits
 * @param pageModificationLog the control "enable PML"
 */
public record EptCapabilities(
        int maxPhysicalAddressBits,
        boolean executeOnly,
        boolean pages2m,
        boolean pages1g,
        boolean fiveLevel,
        boolean uncacheable,
        boolean accessedDirty,
        boolean advancedExitInformation,
        boolean supervisorShadowStack,
        boolean modeBasedExecute,
        boolean subPageWrite,
        boolean violationVe,
        boolean pageModificationLog) {

    private static final BitField CAP_EXECUTE_ONLY = bit(0);
    private static final BitField CAP_WALK_LENGTH_4 = bit(6);
    private static final BitField CAP_WALK_LENGTH_5 = bit(7);
    private static final BitField CAP_UNCACHEABLE = bit(8);
    private static final BitField CAP_WRITE_BACK = bit(14);
    private static final BitField CAP_PAGES_2M = bit(16);
    private static final BitField CAP_PAGES_1G = bit(17);
    private static final BitField CAP_ACCESSED_DIRTY = bit(21);
    private static final BitField CAP_ADVANCED_EXIT_INFORMATION = bit(22);
    private static final BitField CAP_SUPERVISOR_SHADOW_STACK = bit(23);
    private static final BitField CONTROL_PAGE_MODIFICATION_LOG = bit(17);
    private static final BitField CONTROL_VIOLATION_VE = bit(18);
    private static final BitField CONTROL_MODE_BASED_EXECUTE = bit(22);
    private static final BitField CONTROL_SUB_PAGE_WRITE = bit(23);

    /** Everything, with a physical-address width of 46 bits. */
    public static final EptCapabilities ALL =
            new EptCapabilities(46, true, true, true, true, true, true, true, true, true, true, true, true);

    /**
     * Checks the width.
     *
     * @throws IllegalArgumentException if the width is not 32 to 52
     */
    public EptCapabilities {
        if (maxPhysicalAddressBits < 32 || maxPhysicalAddressBits > 52) {
            throw new IllegalArgumentException(
                    "maxPhysicalAddressBits must be 32 to 52, got " + maxPhysicalAddressBits);
        }
    }

    /**
     * Reads the capability MSRs.
     *
     * @param eptVpidCap IA32_VMX_EPT_VPID_CAP
     * @param secondaryControls allowed-1 settings of the secondary processor-based controls: bits 63:32 of
     *     IA32_VMX_PROCBASED_CTLS2, shifted down
     * @param maxPhysicalAddressBits physical-address width, 32 to 52
     * @return what they say
     */
    public static EptCapabilities of(long eptVpidCap, long secondaryControls, int maxPhysicalAddressBits) {
        return new EptCapabilities(
                maxPhysicalAddressBits,
                CAP_EXECUTE_ONLY.isSet(eptVpidCap),
                CAP_PAGES_2M.isSet(eptVpidCap),
                CAP_PAGES_1G.isSet(eptVpidCap),
                CAP_WALK_LENGTH_5.isSet(eptVpidCap),
                CAP_UNCACHEABLE.isSet(eptVpidCap),
                CAP_ACCESSED_DIRTY.isSet(eptVpidCap),
                CAP_ADVANCED_EXIT_INFORMATION.isSet(eptVpidCap),
                CAP_SUPERVISOR_SHADOW_STACK.isSet(eptVpidCap),
                CONTROL_MODE_BASED_EXECUTE.isSet(secondaryControls),
                CONTROL_SUB_PAGE_WRITE.isSet(secondaryControls),
                CONTROL_VIOLATION_VE.isSet(secondaryControls),
                CONTROL_PAGE_MODIFICATION_LOG.isSet(secondaryControls));
    }

    /**
     * The EPT bits of IA32_VMX_EPT_VPID_CAP, without those of INVEPT and INVVPID.
     *
     * @return the bits; page-walk length 4 and memory type WB are always there
     */
    public long eptVpidCap() {
        long msr = CAP_WALK_LENGTH_4.mask() | CAP_WRITE_BACK.mask();
        msr |= executeOnly ? CAP_EXECUTE_ONLY.mask() : 0;
        msr |= fiveLevel ? CAP_WALK_LENGTH_5.mask() : 0;
        msr |= uncacheable ? CAP_UNCACHEABLE.mask() : 0;
        msr |= pages2m ? CAP_PAGES_2M.mask() : 0;
        msr |= pages1g ? CAP_PAGES_1G.mask() : 0;
        msr |= accessedDirty ? CAP_ACCESSED_DIRTY.mask() : 0;
        msr |= advancedExitInformation ? CAP_ADVANCED_EXIT_INFORMATION.mask() : 0;
        return msr | (supervisorShadowStack ? CAP_SUPERVISOR_SHADOW_STACK.mask() : 0);
    }

    /**
     * The allowed-1 settings of those secondary processor-based controls that change the EPT walk.
     *
     * @return the bits, in the control's numbering
     */
    public long secondaryControls() {
        long controls = pageModificationLog ? CONTROL_PAGE_MODIFICATION_LOG.mask() : 0;
        controls |= violationVe ? CONTROL_VIOLATION_VE.mask() : 0;
        controls |= modeBasedExecute ? CONTROL_MODE_BASED_EXECUTE.mask() : 0;
        return controls | (subPageWrite ? CONTROL_SUB_PAGE_WRITE.mask() : 0);
    }

    /**
     * The bits of an address field that are beyond the physical-address width.
     *
     * @return bits 51:M, M being the width
     */
    public long addressBitsBeyondWidth() {
        return EptEntry.ADDRESS.mask() & -1L << maxPhysicalAddressBits;
    }
}
