package org.vmxsim.vmx.control;

import org.vmxsim.core.model.CpuModel;

/**
 * What a processor's VMX can do: the one table from which the capability MSRs are computed and against which VM entry
 * checks (SDM appendix "VMX Capability Reporting Facility"). Immutable.
 *
 * @param pin pin-based controls that may be 1, beyond the default1 class
 * @param primary primary processor-based controls that may be 1, beyond the default1 class
 * @param secondary secondary processor-based controls that may be 1
 * @param exit VM-exit controls that may be 1, beyond the default1 class
 * @param entry VM-entry controls that may be 1, beyond the default1 class
 * @param eptVpid IA32_VMX_EPT_VPID_CAP
 * @param vmFunctions IA32_VMX_VMFUNC
 * @param misc IA32_VMX_MISC
 * @param cr4Fixed1 bits of CR4 that may be 1 in VMX operation: IA32_VMX_CR4_FIXED1
 * @param physicalAddressBits MAXPHYADDR
 * @param linearAddressBits 48, or 57 where the processor has CR4.LA57
 */
public record VmxCapabilities(
        int pin,
        int primary,
        int secondary,
        int exit,
        int entry,
        long eptVpid,
        long vmFunctions,
        long misc,
        long cr4Fixed1,
        int physicalAddressBits,
        int linearAddressBits) {
    /** IA32_FEATURE_CONTROL bit 0: the MSR is locked. */
    public static final long FEATURE_CONTROL_LOCK = 1;
    /** IA32_FEATURE_CONTROL bit 2: VMXON outside SMX operation is enabled. */
    public static final long FEATURE_CONTROL_VMXON = 1 << 2;
    /** IA32_VMX_MISC bit 29: VMWRITE may write VM-exit information fields. */
    public static final long MISC_WRITES_EXIT_INFORMATION = 1 << 29;
    /** IA32_VMX_MISC bit 30: software events may be injected with instruction length 0. */
    public static final long MISC_ZERO_LENGTH_INJECTION = 1 << 30;
    /** CR0 bits that are 1 in VMX operation: PE, NE, PG (SDM "VMX-Fixed Bits in CR0"). */
    public static final long CR0_FIXED0 = 0x8000_0021L;
    /** CR0 bits that may be 1 in VMX operation. */
    public static final long CR0_FIXED1 = 0xffff_ffffL;
    /** CR4 bits that are 1 in VMX operation: VMXE (SDM "VMX-Fixed Bits in CR4"). */
    public static final long CR4_FIXED0 = 1 << 13;
    /** EPT and VPID capability: execute-only translations. */
    public static final long EPT_EXECUTE_ONLY = 1;
    /** EPT and VPID capability: page-walk length 4. */
    public static final long EPT_WALK_4 = 1 << 6;
    /** EPT and VPID capability: page-walk length 5. */
    public static final long EPT_WALK_5 = 1 << 7;
    /** EPT and VPID capability: paging-structure memory type UC. */
    public static final long EPT_UC = 1 << 8;
    /** EPT and VPID capability: paging-structure memory type WB. */
    public static final long EPT_WB = 1 << 14;
    /** EPT and VPID capability: 2-MiB pages. */
    public static final long EPT_2M = 1 << 16;
    /** EPT and VPID capability: 1-GiB pages. */
    public static final long EPT_1G = 1 << 17;
    /** EPT and VPID capability: INVEPT. */
    public static final long INVEPT = 1 << 20;
    /** EPT and VPID capability: accessed and dirty flags. */
    public static final long EPT_ACCESSED_DIRTY = 1 << 21;
    /** EPT and VPID capability: advanced VM-exit information for EPT violations. */
    public static final long EPT_ADVANCED_INFORMATION = 1 << 22;
    /** EPT and VPID capability: single-context INVEPT (type 1); all-context is the next bit. */
    public static final long INVEPT_SINGLE = 1 << 25;
    /** EPT and VPID capability: INVVPID. */
    public static final long INVVPID = 1L << 32;
    /** EPT and VPID capability: INVVPID type 0; types 1, 2 and 3 are the next bits. */
    public static final long INVVPID_INDIVIDUAL = 1L << 40;

    /** IA32_VMX_VMCS_ENUM bits 9:1: the highest index of a field that exists on a modelled processor. */
    private static final long HIGHEST_FIELD_INDEX = 0x19;

    private static final int FIRST_MSR = 0x480;
    private static final int LAST_MSR = 0x491;
    /** Bits 53:50 memory type WB, 54 INS/OUTS information, 55 TRUE controls; 44:32 region size. */
    private static final long BASIC = 6L << 50 | 1L << 54 | 1L << 55 | 0x1000L << 32;
    /** CR3-load and CR3-store exiting, which only the TRUE MSR lets be 0. */
    private static final int PRIMARY_CR3_DEFAULT1 =
            PrimaryControls.CR3_LOAD_EXITING | PrimaryControls.CR3_STORE_EXITING;

    /**
     * What the VMX of a CPU model can do. All models with VMX have what Skylake servers brought; sub-page write
     * permissions and 5-level EPT came with Ice Lake servers.
     *
     * @param model the model
     * @return its capabilities
     * @throws IllegalArgumentException if the model has no VMX
     */
    public static VmxCapabilities of(CpuModel model) {
        return CapabilityTable.of(model);
    }

    /**
     * Controls of a group that must be 1, as the TRUE MSR (or the only one) says.
     *
     * @param group the group
     * @return the allowed-0 settings: bits that may not be 0
     */
    public int required(ControlGroup group) {
        return switch (group) {
            case PIN -> PinControls.DEFAULT1;
            case PRIMARY -> PrimaryControls.DEFAULT1;
            case SECONDARY -> 0;
            case EXIT -> ExitControls.DEFAULT1 & ~ExitControls.SAVE_DEBUG_CONTROLS;
            case ENTRY -> EntryControls.DEFAULT1 & ~EntryControls.LOAD_DEBUG_CONTROLS;
        };
    }

    /**
     * Controls of a group that may be 1.
     *
     * @param group the group
     * @return the allowed-1 settings
     */
    public int allowed(ControlGroup group) {
        return switch (group) {
            case PIN -> PinControls.DEFAULT1 | pin;
            case PRIMARY -> PrimaryControls.DEFAULT1 | PRIMARY_CR3_DEFAULT1 | primary;
            case SECONDARY -> secondary;
            case EXIT -> ExitControls.DEFAULT1 | exit;
            case ENTRY -> EntryControls.DEFAULT1 | entry;
        };
    }

    /**
     * Whether a control may be 1.
     *
     * @param group its group
     * @param control the control as a mask
     * @return true if all bits of the mask may be 1 (never for an empty mask)
     */
    public boolean allows(ControlGroup group, int control) {
        return control != 0 && (allowed(group) & control) == control;
    }

    /**
     * Whether a setting of all controls of a group is supported (SDM "VM-Execution Control Fields").
     *
     * @param group the group
     * @param value the controls
     * @return true if no reserved bit is wrong
     */
    public boolean supports(ControlGroup group, int value) {
        return (required(group) & ~value) == 0 && (value & ~allowed(group)) == 0;
    }

    /**
     * Software's usual computation: the wanted controls, those that must be 1 added, those that cannot be 1 removed.
     *
     * @param group the group
     * @param wanted the controls asked for
     * @return a supported setting
     */
    public int adjust(ControlGroup group, int wanted) {
        return (wanted | required(group)) & allowed(group);
    }

    /**
     * Whether a linear address is canonical, for the widest linear addresses that the processor has.
     *
     * @param linear the address
     * @return true if it is
     */
    public boolean isCanonical(long linear) {
        return CpuModel.isCanonical(linear, linearAddressBits);
    }

    /**
     * Whether an address is within the processor's physical-address width.
     *
     * @param hpa the address
     * @return true if no bit beyond the width is set
     */
    public boolean isPhysical(long hpa) {
        return hpa >>> physicalAddressBits == 0;
    }

    /**
     * Whether EPT is among the features.
     *
     * @return true if "enable EPT" may be 1
     */
    public boolean ept() {
        return allows(ControlGroup.SECONDARY, SecondaryControls.EPT);
    }

    /**
     * Whether an MSR is one of the capability MSRs that this processor has.
     *
     * @param msr the MSR number
     * @return true if {@link #msr} answers
     */
    public boolean hasMsr(int msr) {
        return msr >= FIRST_MSR
                && msr <= LAST_MSR
                && (msr != 0x48b || secondary != 0)
                && (msr != 0x48c || eptVpid != 0)
                && (msr != 0x491 || vmFunctions != 0);
    }

    /**
     * The value of a capability MSR.
     *
     * @param msr the MSR number, 0x480 to 0x491
     * @param revision the VMCS revision identifier
     * @return what RDMSR reads
     * @throws IllegalArgumentException unless {@link #hasMsr}
     */
    public long msr(int msr, int revision) {
        if (!hasMsr(msr)) {
            throw new IllegalArgumentException("not a VMX capability MSR: 0x" + Integer.toHexString(msr));
        }
        return switch (msr) {
            case 0x480 -> BASIC | revision;
            case 0x481 -> pair(PinControls.DEFAULT1, ControlGroup.PIN);
            case 0x482 -> pair(PrimaryControls.DEFAULT1 | PRIMARY_CR3_DEFAULT1, ControlGroup.PRIMARY);
            case 0x483 -> pair(ExitControls.DEFAULT1, ControlGroup.EXIT);
            case 0x484 -> pair(EntryControls.DEFAULT1, ControlGroup.ENTRY);
            case 0x485 -> misc;
            case 0x486 -> CR0_FIXED0;
            case 0x487 -> CR0_FIXED1;
            case 0x488 -> CR4_FIXED0;
            case 0x489 -> cr4Fixed1;
            case 0x48a -> HIGHEST_FIELD_INDEX << 1;
            case 0x48b -> pair(0, ControlGroup.SECONDARY);
            case 0x48c -> eptVpid;
            case 0x48d -> pair(required(ControlGroup.PIN), ControlGroup.PIN);
            case 0x48e -> pair(required(ControlGroup.PRIMARY), ControlGroup.PRIMARY);
            case 0x48f -> pair(required(ControlGroup.EXIT), ControlGroup.EXIT);
            case 0x490 -> pair(required(ControlGroup.ENTRY), ControlGroup.ENTRY);
            case 0x491 -> vmFunctions;
            default -> throw new AssertionError("hasMsr accepts 0x" + Integer.toHexString(msr));
        };
    }

    private long pair(int allowed0, ControlGroup group) {
        return allowed0 & 0xffff_ffffL | (long) allowed(group) << 32;
    }
}
