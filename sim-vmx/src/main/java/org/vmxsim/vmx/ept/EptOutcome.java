package org.vmxsim.vmx.ept;

/** How one guest-physical access ended. Everything but {@link #TRANSLATED} abandons the instruction. */
public enum EptOutcome {
    /** The access may go on; flags and log are up to date. */
    TRANSLATED,
    /** EPT violation, basic exit reason 48. SDM Vol. 3C, "EPT Violations". */
    VIOLATION,
    /** EPT misconfiguration, basic exit reason 49. SDM Vol. 3C, "EPT Misconfigurations". */
    MISCONFIGURATION,
    /** SPP-related event, basic exit reason 66: an SPPT entry is not valid. */
    SPP_MISS,
    /** SPP-related event, basic exit reason 66: an SPPT entry or vector has a reserved bit set. */
    SPP_MISCONFIGURATION,
    /** Page-modification log-full event, basic exit reason 62. SDM Vol. 3C, "Page-Modification Logging". */
    PML_FULL,
    /** The EPT violation is delivered to the guest as #VE. SDM Vol. 3C, "Virtualization Exceptions". */
    VIRTUALIZATION_EXCEPTION
}
