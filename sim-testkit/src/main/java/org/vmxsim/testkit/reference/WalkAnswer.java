package org.vmxsim.testkit.reference;

/**
 * How one access to guest-physical memory ends, by the manual.
 *
 * @param end the end
 * @param hpa host-physical address of the first byte if the walk reached a page, else -1
 * @param rights what all entries allow together: bit 0 read, bit 1 write, bit 2 execute; 0 if the walk reached no page
 * @param spptReads how many SPPT entries decided about it
 */
public record WalkAnswer(End end, long hpa, int rights, int spptReads) {
    /** Ends of an access. */
    public enum End {
        /** The access is done. */
        ALLOWED,
        /** VM exit 48, "EPT violation". */
        EPT_VIOLATION,
        /** VM exit 49, "EPT misconfiguration". */
        EPT_MISCONFIGURATION,
        /** VM exit 66, "SPP-related event", because an SPPT entry is not valid. */
        SPP_MISS,
        /** VM exit 66, "SPP-related event", because of a reserved bit in the SPPT. */
        SPP_MISCONFIGURATION
    }
}
