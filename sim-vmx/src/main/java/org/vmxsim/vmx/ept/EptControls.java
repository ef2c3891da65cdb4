package org.vmxsim.vmx.ept;

/**
 * The VM-execution controls that decide about guest-physical accesses, as VM entry has loaded them; EPTP switching
 * changes {@link #eptp(long)} in between, logging changes {@link #pmlIndex}. SDM Vol. 3C, "VM-Execution Control
 * Fields".
 */
public final class EptControls {
    /** The control "mode-based execute control for EPT". */
    public boolean modeBasedExecute;
    /** The control "sub-page write permissions for EPT". */
    public boolean subPageWrite;
    /** Sub-page-permission-table pointer. */
    public long spptp;
    /** The control "enable PML". */
    public boolean pageModificationLog;
    /** PML address: host-physical address of the 4-KiB log. */
    public long pmlAddress;
    /** PML index: the next entry to use counts downwards, 0 to 0xffff; above 511 the log is full. */
    public int pmlIndex;
    /** The control "EPT-violation #VE". */
    public boolean violationVe;
    /** Virtualization-exception information address: host-physical address of the 4-KiB area. */
    public long veInformationAddress;
    /** EPTP index, saved in the information area. */
    public int eptpIndex;

    private long eptp;
    private long root;
    private int levels;
    private boolean accessedDirty;
    private boolean supervisorShadowStack;

    /** Controls of an EPT with four levels at address 0 and everything else off. */
    public EptControls() {
        eptp(Eptp.of(0, 4, false));
    }

    /**
     * Loads the EPT pointer.
     *
     * @param newEptp the field, found valid
     * @throws IllegalArgumentException if its page-walk length is neither 4 nor 5
     */
    public void eptp(long newEptp) {
        int newLevels = Eptp.levels(newEptp);
        if (newLevels < 4 || newLevels > 5) {
            throw new IllegalArgumentException(
                    "page-walk length must be 4 or 5, got eptp=0x" + Long.toHexString(newEptp));
        }
        eptp = newEptp;
        root = Eptp.root(newEptp);
        levels = newLevels;
        accessedDirty = Eptp.ACCESSED_DIRTY.isSet(newEptp);
        supervisorShadowStack = Eptp.SUPERVISOR_SHADOW_STACK.isSet(newEptp);
    }

    /**
     * The EPT pointer.
     *
     * @return the field
     */
    public long eptp() {
        return eptp;
    }

    /**
     * The root table.
     *
     * @return its host-physical address
     */
    public long root() {
        return root;
    }

    /**
     * Page-walk length.
     *
     * @return 4 or 5
     */
    public int levels() {
        return levels;
    }

    /**
     * Whether accessed and dirty flags are enabled.
     *
     * @return EPTP bit 6
     */
    public boolean accessedDirty() {
        return accessedDirty;
    }

    /**
     * Whether access rights for supervisor shadow-stack pages are enforced.
     *
     * @return EPTP bit 7
     */
    public boolean supervisorShadowStack() {
        return supervisorShadowStack;
    }
}
