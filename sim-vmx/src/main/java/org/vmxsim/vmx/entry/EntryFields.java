package org.vmxsim.vmx.entry;

import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.vmx.control.EntryControls;
import org.vmxsim.vmx.control.ExitControls;
import org.vmxsim.vmx.control.PrimaryControls;
import org.vmxsim.vmx.control.SecondaryControls;
import org.vmxsim.vmx.control.VmxCapabilities;
import org.vmxsim.vmx.ept.EptCapabilities;
import org.vmxsim.vmx.vmcs.ControlField;
import org.vmxsim.vmx.vmcs.GuestField;
import org.vmxsim.vmx.vmcs.Vmcs;
import org.vmxsim.vmx.vmcs.VmcsField;

/**
 * What the checks of VM entry look at: the VMCS, with the fields that many rules need taken out once, and the
 * processor. One object for each processor, filled by {@link #take}.
 */
public final class EntryFields {
    private static final int VALID = 1 << 31;
    private static final long PAGE_OFFSET = 0xfff;
    private static final long CR0_PG = 1L << 31;
    private static final long CR4_PAE = 1 << 5;
    private static final long RFLAGS_VM = 1 << 17;

    final VmxCapabilities capabilities;
    final EptCapabilities eptCapabilities;
    final PhysicalMemory memory;
    Vmcs vmcs;
    int pin;
    int primary;
    /** Zero unless activated. */
    int secondary;

    int exit;
    int entry;
    long cr0;
    long cr4;
    long rflags;
    /** VM-entry interruption information; zero unless valid. */
    int injection;

    boolean unrestricted;
    boolean ept;
    boolean ia32eGuest;
    boolean host64;
    boolean virtual8086;
    /** Whether the processor is in IA-32e mode at VM entry. */
    boolean processorIa32e;

    /**
     * The checks' view of a processor.
     *
     * @param capabilities what VMX can do
     * @param eptCapabilities what EPT can do
     * @param memory physical memory
     */
    public EntryFields(VmxCapabilities capabilities, EptCapabilities eptCapabilities, PhysicalMemory memory) {
        this.capabilities = capabilities;
        this.eptCapabilities = eptCapabilities;
        this.memory = memory;
    }

    /**
     * Looks at a VMCS.
     *
     * @param current the VMCS
     * @param inIa32eMode whether the processor is in IA-32e mode (EFER.LMA)
     * @return this
     */
    public EntryFields take(Vmcs current, boolean inIa32eMode) {
        vmcs = current;
        processorIa32e = inIa32eMode;
        pin = vmcs.getInt(ControlField.PIN_CONTROLS);
        primary = vmcs.getInt(ControlField.PRIMARY_PROCESSOR_CONTROLS);
        boolean activated = (primary & PrimaryControls.SECONDARY_CONTROLS) != 0;
        secondary = activated ? vmcs.getInt(ControlField.SECONDARY_PROCESSOR_CONTROLS) : 0;
        exit = vmcs.getInt(ControlField.EXIT_CONTROLS);
        entry = vmcs.getInt(ControlField.ENTRY_CONTROLS);
        cr0 = vmcs.get(GuestField.CR0);
        cr4 = vmcs.get(GuestField.CR4);
        rflags = vmcs.get(GuestField.RFLAGS);
        int information = vmcs.getInt(ControlField.ENTRY_INTERRUPTION_INFORMATION);
        injection = (information & VALID) == 0 ? 0 : information;
        unrestricted = secondary(SecondaryControls.UNRESTRICTED_GUEST);
        ept = secondary(SecondaryControls.EPT);
        ia32eGuest = (entry & EntryControls.IA32E_MODE_GUEST) != 0;
        host64 = (exit & ExitControls.HOST_ADDRESS_SPACE_SIZE) != 0;
        virtual8086 = (rflags & RFLAGS_VM) != 0;
        return this;
    }

    long get(VmcsField field) {
        return vmcs.get(field);
    }

    int getInt(VmcsField field) {
        return vmcs.getInt(field);
    }

    boolean pin(int control) {
        return (pin & control) != 0;
    }

    boolean primary(int control) {
        return (primary & control) != 0;
    }

    boolean secondary(int control) {
        return (secondary & control) != 0;
    }

    boolean exit(int control) {
        return (exit & control) != 0;
    }

    boolean entry(int control) {
        return (entry & control) != 0;
    }

    boolean injects() {
        return injection != 0;
    }

    /** Whether an event of this type is injected. */
    boolean injects(int type) {
        return injection != 0 && injectedType() == type;
    }

    int injectedType() {
        return injection >>> 8 & 7;
    }

    int injectedVector() {
        return injection & 0xff;
    }

    boolean usesPae() {
        return (cr0 & CR0_PG) != 0 && (cr4 & CR4_PAE) != 0 && !ia32eGuest;
    }

    boolean isPage(long hpa) {
        return (hpa & PAGE_OFFSET) == 0 && capabilities.isPhysical(hpa);
    }

    boolean isPage(VmcsField field) {
        return isPage(get(field));
    }

    boolean isCanonical(VmcsField field) {
        return capabilities.isCanonical(get(field));
    }

    /** An MSR list: empty, or 16-byte aligned and within the physical-address width to its last byte. */
    boolean isMsrList(VmcsField address, VmcsField count) {
        long entries = get(count);
        long first = get(address);
        return entries == 0
                || (first & 15) == 0
                        && capabilities.isPhysical(first)
                        && capabilities.isPhysical(first + 16 * entries - 1);
    }

    /** A PAT: each byte one of UC, WC, WT, WP, WB, UC-. */
    static boolean isPat(long pat) {
        for (int shift = 0; shift < 64; shift += 8) {
            int type = (int) (pat >>> shift) & 0xff;
            if (type > 7 || type == 2 || type == 3) {
                return false;
            }
        }
        return true;
    }

    boolean isCr0(long value, boolean mayBeUnpaged) {
        long fixed0 = mayBeUnpaged ? VmxCapabilities.CR0_FIXED0 & ~(CR0_PG | 1) : VmxCapabilities.CR0_FIXED0;
        return (fixed0 & ~value) == 0 && (value & ~VmxCapabilities.CR0_FIXED1) == 0;
    }

    boolean isCr4(long value) {
        return (VmxCapabilities.CR4_FIXED0 & ~value) == 0 && (value & ~capabilities.cr4Fixed1()) == 0;
    }

    /** Control-flow enforcement needs write protection. */
    static boolean isCet(long cr0, long cr4) {
        return (cr4 & 1 << 23) == 0 || (cr0 & 1 << 16) != 0;
    }

    /** EFER: reserved bits 0, LMA as the mode says. */
    static boolean isEfer(long efer, boolean lma) {
        long defined = 1 | 1 << 8 | 1 << 10 | 1 << 11;
        return (efer & ~defined) == 0 && (efer & 1 << 10) != 0 == lma;
    }
}
