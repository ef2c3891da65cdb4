package org.vmxsim.spp;

/** How a walk of the SPPT ended. SDM Vol. 3C, "Sub-Page Write Permissions". */
public enum SppOutcome {
    /** Every sub-page that decides about the write is writable. */
    WRITABLE,
    /** Some sub-page that decides about the write is not writable: an ordinary EPT violation. */
    PROTECTED,
    /** An entry of level 4, 3 or 2 is not valid: an SPP miss. */
    MISS,
    /** A valid entry, or the vector, has a reserved bit set: an SPP misconfiguration. */
    MISCONFIGURED
}
