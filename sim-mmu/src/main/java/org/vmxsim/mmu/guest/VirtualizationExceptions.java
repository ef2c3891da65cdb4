package org.vmxsim.mmu.guest;

import org.vmxsim.mmu.memslot.Memslot;

/**
 * EPT violations that one vCPU's guest takes itself, as #VE (vector 20): the virtualization-exception information page,
 * which the guest chose, and the control. Which pages' violations become #VE is decided in
 * {@link org.vmxsim.mmu.view.Views#suppressVe}. SDM "Virtualization Exceptions".
 */
public final class VirtualizationExceptions {
    /** Vector of #VE. */
    public static final int VECTOR = 20;

    private static final int BUSY = 4;
    private static final long NONE = -1;

    private final GuestVmcs vmcs;
    private final VmMemory memory;
    private final Runnable firstUse;
    private long gpa = NONE;
    private long hpa = NONE;

    /**
     * Off.
     *
     * @param vmcs the vCPU's VMCS
     * @param memory guest-physical memory
     * @param firstUse what to do before EPT violations may become #VE
     */
    public VirtualizationExceptions(GuestVmcs vmcs, VmMemory memory, Runnable firstUse) {
        this.vmcs = vmcs;
        this.memory = memory;
        this.firstUse = firstUse;
    }

    /**
     * Turns them on.
     *
     * @param informationGpa guest-physical address of the information page
     * @throws IllegalArgumentException if the address is not page-aligned, or has no memory that may be written
     */
    public void enable(long informationGpa) {
        if ((informationGpa & 0xfff) != 0 || memory.hpa(informationGpa, true) == VmMemory.NONE) {
            throw new IllegalArgumentException(
                    "need a page of guest memory, got gpa=0x" + Long.toHexString(informationGpa));
        }
        firstUse.run();
        gpa = informationGpa;
        hpa = NONE;
    }

    /** Turns them off. */
    public void disable() {
        gpa = NONE;
        if (hpa != NONE) {
            vmcs.virtualizationExceptions(false, 0);
            hpa = NONE;
        }
    }

    /**
     * Whether they are on.
     *
     * @return true after {@link #enable}
     */
    public boolean isEnabled() {
        return gpa != NONE;
    }

    /**
     * Follows the page to the frame that it is in now. Without memory behind it there is no #VE.
     *
     * <p>The processor writes the page without a look at EPT, so that nobody else can tell whether it was written.
     */
    public void beforeEntry() {
        if (gpa == NONE) {
            return;
        }
        long now = memory.hpa(gpa, true);
        if (now != hpa) {
            hpa = now == VmMemory.NONE ? NONE : now;
            vmcs.virtualizationExceptions(hpa != NONE, hpa);
        }
    }

    /** The guest has run. A page that is busy has been written, and counts as dirty. */
    public void exited() {
        if (hpa != NONE && memory.physical().readInt(hpa + BUSY) != 0) {
            Memslot slot = memory.slot(gpa);
            if (slot != null) {
                slot.markDirty(gpa >>> 12);
            }
        }
    }
}
