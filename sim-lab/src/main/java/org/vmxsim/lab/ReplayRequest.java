package org.vmxsim.lab;

import org.vmxsim.lab.scenario.EptPageSize;

/**
 * A memory trace to replay in a guest with page tables of its own.
 *
 * @param trace a path, or {@code builtin:NAME}
 * @param cpu CPU model
 * @param timing timing preset, or empty for the CPU model's own
 * @param eptPageSize largest page with which the hypervisor maps guest memory
 * @param guestPageSize page size of the guest's own tables: 4 KiB or 2 MiB
 */
public record ReplayRequest(
        String trace, String cpu, String timing, EptPageSize eptPageSize, EptPageSize guestPageSize) {
    /**
     * Checks the page size.
     *
     * @throws IllegalArgumentException if the guest's pages are to have 1 GiB
     */
    public ReplayRequest {
        if (guestPageSize == EptPageSize.SIZE_1G) {
            throw new IllegalArgumentException("need guest pages of 4 KiB or 2 MiB to replay a trace, got 1 GiB");
        }
    }
}
