package org.vmxsim.vmx.nonroot;

import org.vmxsim.vmx.control.VmxCapabilities;

/** The bits of CR0 and CR4 that VMX operation fixes (SDM "Restrictions on VMX Operation"). */
public final class ControlRegisters {
    /** Protection enable. */
    public static final long CR0_PE = 1;
    /** Extension type. */
    public static final long CR0_ET = 1 << 4;
    /** Not write-through. */
    public static final long CR0_NW = 1 << 29;
    /** Cache disable. */
    public static final long CR0_CD = 1 << 30;
    /** Paging. */
    public static final long CR0_PG = 1L << 31;
    /** Physical-address extension. */
    public static final long CR4_PAE = 1 << 5;
    /** VMX enable. */
    public static final long CR4_VMXE = 1 << 13;
    /** Process-context identifiers. */
    public static final long CR4_PCIDE = 1 << 17;

    private ControlRegisters() {}

    /**
     * Whether CR0 may have a value.
     *
     * @param value the value
     * @param unrestricted whether PE and PG may be 0 (SDM "Unrestricted Guests")
     * @return false if a fixed bit is wrong
     */
    public static boolean cr0Allowed(long value, boolean unrestricted) {
        long fixed0 = unrestricted ? VmxCapabilities.CR0_FIXED0 & ~(CR0_PE | CR0_PG) : VmxCapabilities.CR0_FIXED0;
        return (fixed0 & ~value) == 0 && (value & ~VmxCapabilities.CR0_FIXED1) == 0;
    }

    /**
     * Whether CR4 may have a value.
     *
     * @param value the value
     * @param capabilities what VMX can do
     * @return false if a fixed bit is wrong
     */
    public static boolean cr4Allowed(long value, VmxCapabilities capabilities) {
        return (VmxCapabilities.CR4_FIXED0 & ~value) == 0 && (value & ~capabilities.cr4Fixed1()) == 0;
    }
}
