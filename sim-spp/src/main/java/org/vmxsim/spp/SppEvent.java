package org.vmxsim.spp;

import org.vmxsim.core.bits.BitField;

/**
 * Exit qualification of an SPP-related event (basic exit reason 66). SDM Vol. 3C, "Exit Qualification for SPP-Related
 * Events". A write that the vector denies is not such an event but an EPT violation.
 *
 * @param miss true for an SPP miss, false for an SPP misconfiguration
 * @param nmiUnblocking whether the event arose in an IRET that had unblocked NMIs
 */
public record SppEvent(boolean miss, boolean nmiUnblocking) {
    private static final BitField MISS = BitField.bit(11);
    private static final BitField NMI_UNBLOCKING = BitField.bit(12);

    /**
     * The field as VM exit saves it.
     *
     * @return the exit qualification
     */
    public long encode() {
        return NMI_UNBLOCKING.put(MISS.put(0, miss ? 1 : 0), nmiUnblocking ? 1 : 0);
    }

    /**
     * Reads the field.
     *
     * @param qualification exit qualification of an exit with reason 66
     * @return what it says
     */
    public static SppEvent decode(long qualification) {
        return new SppEvent(MISS.isSet(qualification), NMI_UNBLOCKING.isSet(qualification));
    }
}
