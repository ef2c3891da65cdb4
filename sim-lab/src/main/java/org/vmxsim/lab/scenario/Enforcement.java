package org.vmxsim.lab.scenario;

/** Who judges writes to pages that hold a closed sub-page. */
public enum Enforcement {
    /** The processor, by the sub-page permission table: an allowed write costs no exit. */
    PROCESSOR,
    /**
     * The hypervisor alone: pages with a closed sub-page are write-protected whole, each write to them exits, is
     * emulated and judged by the same bitmaps. What there was before sub-page permissions.
     */
    EMULATION
}
