package org.vmxsim.vmx.ept;

/**
 * A VM exit that a guest-physical access has caused and that VMX has yet to perform. One per processor, overwritten by
 * the next. SDM Vol. 3C, "Recording VM-Exit Information and Updating VM-Entry Control Fields".
 */
public final class EptExit {
    /** Basic exit reason: EPT violation. */
    public static final int EPT_VIOLATION = 48;
    /** Basic exit reason: EPT misconfiguration. */
    public static final int EPT_MISCONFIGURATION = 49;
    /** Basic exit reason: page-modification log full. */
    public static final int PAGE_MODIFICATION_LOG_FULL = 62;
    /** Basic exit reason: SPP-related event. */
    public static final int SPP_EVENT = 66;

    /** Whether an exit waits; VMX clears it when it performs the exit. */
    public boolean pending;
    /** Basic exit reason. */
    public int reason;
    /** Exit qualification; 0 for an EPT misconfiguration, which has none. */
    public long qualification;
    /** Guest-physical address of the access; not saved for a full log. */
    public long gpa;
    /** Guest-linear address of the access, if {@link #glaValid}. */
    public long gla;
    /** Whether the guest-linear-address field is valid: EPT violations and SPP-related events of linear accesses. */
    public boolean glaValid;

    /** Nothing waits. */
    public EptExit() {}
}
