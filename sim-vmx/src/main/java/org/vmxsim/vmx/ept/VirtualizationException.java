package org.vmxsim.vmx.ept;

import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.paging.AccessContext;

/**
 * EPT violations that the guest takes itself, as #VE (vector 20): which they are, and the information area. SDM Vol.
 * 3C, "Virtualization Exceptions".
 */
final class VirtualizationException {
    private static final int REASON = 0;
    private static final int BUSY = 4;
    private static final int QUALIFICATION = 8;
    private static final int LINEAR_ADDRESS = 16;
    private static final int PHYSICAL_ADDRESS = 24;
    private static final int EPTP_INDEX = 32;

    private final PhysicalMemory memory;

    VirtualizationException(PhysicalMemory memory) {
        this.memory = memory;
    }

    /**
     * Whether an EPT violation is convertible, by bit 63 of the one entry that was not present or that maps the page,
     * and whether #VE can be delivered: "CR0.PE = 1; the logical processor is not in the process of delivering an event
     * through the IDT; and the 32 bits at offset 4 in the virtualization-exception information area are all 0".
     */
    boolean replaces(EptControls controls, EptWalk walk, EptTranslator.GuestCondition guest) {
        return controls.violationVe
                && walk.level != 0
                && !EptEntry.SUPPRESS_VE.isSet(walk.entry)
                && guest.protectedMode()
                && !guest.deliveringEvent()
                && memory.readInt(controls.veInformationAddress + BUSY) == 0;
    }

    /** Saves what the exit would have saved, and makes the area busy. */
    void save(EptControls controls, AccessContext access, long qualification) {
        long area = controls.veInformationAddress;
        memory.writeInt(area + REASON, EptExit.EPT_VIOLATION);
        memory.writeInt(area + BUSY, -1);
        memory.writeLong(area + QUALIFICATION, qualification);
        memory.writeLong(area + LINEAR_ADDRESS, access.gla);
        memory.writeLong(area + PHYSICAL_ADDRESS, access.gpa);
        memory.writeShort(area + EPTP_INDEX, controls.eptpIndex);
    }
}
