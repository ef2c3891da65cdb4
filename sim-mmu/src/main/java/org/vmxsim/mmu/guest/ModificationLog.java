package org.vmxsim.mmu.guest;

import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.memslot.Memslots;
import org.vmxsim.mmu.page.KernelMemory;
import org.vmxsim.vmx.VmxUnit;
import org.vmxsim.vmx.control.SecondaryControls;
import org.vmxsim.vmx.vmcs.ControlField;
import org.vmxsim.vmx.vmcs.GuestField;

/**
 * The page-modification log of one vCPU: while it is on, the processor writes the guest-physical address of each page
 * whose EPT dirty flag it sets into a page of memory, and each exit moves them to the dirty bitmaps. SDM
 * "Page-Modification Logging".
 */
public final class ModificationLog {
    /** Of a processor without the control. */
    public static final long NO_BUFFER = -1;

    private static final int ENTRIES = 512;

    private final VmxUnit vmx;
    private final GuestVmcs vmcs;
    private final KernelMemory memory;
    private final long bufferHpa;
    private boolean on;

    /**
     * A log that is off.
     *
     * @param vmx the processor, with the VMCS current
     * @param vmcs the VMCS
     * @param memory the machine's memory as the hypervisor sees it
     * @param bufferHpa a free frame for the log; {@link #NO_BUFFER} if it is not to be used
     */
    public ModificationLog(VmxUnit vmx, GuestVmcs vmcs, KernelMemory memory, long bufferHpa) {
        this.vmx = vmx;
        this.vmcs = vmcs;
        this.memory = memory;
        this.bufferHpa = bufferHpa;
        if (bufferHpa != NO_BUFFER) {
            vmx.vmwrite(ControlField.PML_ADDRESS, bufferHpa);
            vmx.vmwrite(GuestField.PML_INDEX, ENTRIES - 1);
        }
    }

    /**
     * Turns it on or off; without a buffer it stays off.
     *
     * @param wanted whether the processor is to log
     */
    public void enable(boolean wanted) {
        if (bufferHpa != NO_BUFFER && on != wanted) {
            on = wanted;
            vmcs.secondary(SecondaryControls.PML, on);
        }
    }

    /**
     * Moves what the processor has logged to the dirty bitmaps.
     *
     * @param slots the memslots
     * @param addressSpace the address space that the vCPU used
     */
    public void flush(Memslots slots, int addressSpace) {
        if (!on) {
            return;
        }
        int next = (int) vmx.vmread(GuestField.PML_INDEX);
        if (next == ENTRIES - 1) {
            return;
        }
        // The log fills downwards; the index is that of the next entry, or beyond 511 once it is full.
        int first = next < ENTRIES ? next + 1 : 0;
        for (int i = first; i < ENTRIES; i++) {
            long gfn = memory.readLong(bufferHpa + 8L * i) >>> 12;
            Memslot slot = slots.at(addressSpace, gfn);
            if (slot != null) {
                slot.markDirty(gfn);
            }
        }
        vmx.vmwrite(GuestField.PML_INDEX, ENTRIES - 1);
    }
}
