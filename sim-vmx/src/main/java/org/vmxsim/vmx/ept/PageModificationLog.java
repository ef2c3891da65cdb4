package org.vmxsim.vmx.ept;

import org.vmxsim.core.memory.PhysicalMemory;

/**
 * The page-modification log: 512 entries, filled from the last to the first. SDM Vol. 3C, "Page-Modification Logging".
 */
final class PageModificationLog {
    private static final int ENTRIES = 512;
    private static final long PAGE = ~0xfffL;

    private final PhysicalMemory memory;

    PageModificationLog(PhysicalMemory memory) {
        this.memory = memory;
    }

    /** "If the PML index is not in the range 0-511, there is a page-modification log-full event". */
    static boolean isFull(EptControls controls) {
        return controls.pmlIndex < 0 || controls.pmlIndex >= ENTRIES;
    }

    /** Writes the page's address and lets the index, a 16-bit field, count down: below 0 comes 0xffff. */
    void append(EptControls controls, long gpa) {
        memory.writeLong(controls.pmlAddress + 8L * controls.pmlIndex, gpa & PAGE);
        controls.pmlIndex = controls.pmlIndex - 1 & 0xffff;
    }
}
