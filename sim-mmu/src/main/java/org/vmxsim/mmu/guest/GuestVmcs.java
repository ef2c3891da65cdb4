package org.vmxsim.mmu.guest;

import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.vmx.VmxUnit;
import org.vmxsim.vmx.control.ControlGroup;
import org.vmxsim.vmx.control.EntryControls;
import org.vmxsim.vmx.control.ExitControls;
import org.vmxsim.vmx.control.PinControls;
import org.vmxsim.vmx.control.PrimaryControls;
import org.vmxsim.vmx.control.SecondaryControls;
import org.vmxsim.vmx.control.VmxCapabilities;
import org.vmxsim.vmx.control.VmxStatus;
import org.vmxsim.vmx.vmcs.ControlField;
import org.vmxsim.vmx.vmcs.GuestField;
import org.vmxsim.vmx.vmcs.Vmcs;
import org.vmxsim.vmx.vmcs.VmcsField;

/**
 * The VMCS of one vCPU: its controls. Unrestricted guest under EPT; exits for HLT, ports, and what always exits;
 * control registers and most MSRs belong to the guest.
 */
public final class GuestVmcs {
    /** The bit of CR0 that VMX operation wants set, and the guest sees as it wrote it: NE. */
    static final long CR0_NE = 1 << 5;
    /** The bit of CR4 that VMX operation wants set, and the guest must not set: VMXE. */
    static final long CR4_VMXE = 1 << 13;
    /** VMXE, CET and PKS: the bits of CR4 that no guest of this KVM may set. */
    public static final long CR4_NEVER = CR4_VMXE | 1 << 23 | 1 << 24;

    private static final int PIN =
            PinControls.EXTERNAL_INTERRUPT_EXITING | PinControls.NMI_EXITING | PinControls.VIRTUAL_NMIS;
    private static final int PRIMARY = PrimaryControls.HLT_EXITING
            | PrimaryControls.MWAIT_EXITING
            | PrimaryControls.MONITOR_EXITING
            | PrimaryControls.TSC_OFFSETTING
            | PrimaryControls.UNCONDITIONAL_IO_EXITING
            | PrimaryControls.MSR_BITMAPS
            | PrimaryControls.SECONDARY_CONTROLS;
    private static final int NEEDED_SECONDARY = SecondaryControls.EPT | SecondaryControls.UNRESTRICTED_GUEST;
    private static final int SECONDARY = NEEDED_SECONDARY
            | SecondaryControls.VPID
            | SecondaryControls.RDTSCP
            | SecondaryControls.INVPCID
            | SecondaryControls.XSAVES;
    private static final int EXIT = ExitControls.HOST_ADDRESS_SPACE_SIZE
            | ExitControls.SAVE_DEBUG_CONTROLS
            | ExitControls.SAVE_PAT
            | ExitControls.LOAD_PAT
            | ExitControls.SAVE_EFER
            | ExitControls.LOAD_EFER;
    private static final int ENTRY =
            EntryControls.LOAD_DEBUG_CONTROLS | EntryControls.LOAD_PAT | EntryControls.LOAD_EFER;

    /** Bit of the VM-function controls. */
    private static final long EPTP_SWITCHING = 1;

    private final VmxUnit vmx;
    private final long hpa;

    /**
     * Makes a VMCS current and sets its controls.
     *
     * @param vmx the processor, in VMX root operation
     * @param regionHpa a free frame for the VMCS region
     * @param msrBitmapHpa the MSR bitmaps
     * @param vpid virtual-processor identifier, not 0
     * @throws IllegalArgumentException if the processor lacks EPT or unrestricted guest
     */
    public GuestVmcs(VmxUnit vmx, long regionHpa, long msrBitmapHpa, int vpid) {
        this.vmx = vmx;
        this.hpa = regionHpa;
        if (!vmx.capabilities().allows(ControlGroup.SECONDARY, NEEDED_SECONDARY)) {
            throw new IllegalArgumentException(
                    "need a processor with EPT and unrestricted guest, got secondary controls=0x"
                            + Integer.toHexString(vmx.capabilities().allowed(ControlGroup.SECONDARY)));
        }
        PhysicalMemory memory = vmx.cpu().tables.memory();
        memory.writeInt(regionHpa, Vmcs.REVISION);
        require(vmx.vmclear(regionHpa));
        require(vmx.vmptrld(regionHpa));
        controls(ControlField.PIN_CONTROLS, ControlGroup.PIN, PIN);
        controls(ControlField.PRIMARY_PROCESSOR_CONTROLS, ControlGroup.PRIMARY, PRIMARY);
        controls(ControlField.SECONDARY_PROCESSOR_CONTROLS, ControlGroup.SECONDARY, SECONDARY);
        controls(ControlField.EXIT_CONTROLS, ControlGroup.EXIT, EXIT);
        controls(ControlField.ENTRY_CONTROLS, ControlGroup.ENTRY, ENTRY);
        write(ControlField.MSR_BITMAPS_ADDRESS, msrBitmapHpa);
        if (vmx.capabilities().allows(ControlGroup.SECONDARY, SecondaryControls.VPID)) {
            write(ControlField.VPID, vpid);
        }
        write(ControlField.CR0_GUEST_HOST_MASK, CR0_NE);
        write(ControlField.CR4_GUEST_HOST_MASK, CR4_NEVER);
        write(GuestField.VMCS_LINK_POINTER, -1);
    }

    private static void require(VmxStatus status) {
        if (status != VmxStatus.SUCCEED) {
            throw new AssertionError("a VMX instruction on a fresh VMCS region gave " + status);
        }
    }

    private void controls(VmcsField field, ControlGroup group, int wanted) {
        write(field, vmx.capabilities().adjust(group, wanted) & 0xffff_ffffL);
    }

    private void write(VmcsField field, long value) {
        vmx.vmwrite(field, value);
    }

    /**
     * Where the VMCS region is.
     *
     * @return host-physical address
     */
    public long hpa() {
        return hpa;
    }

    /**
     * Sets or clears secondary controls.
     *
     * @param control the control, one bit
     * @param on its value
     */
    public void secondary(int control, boolean on) {
        toggle(ControlField.SECONDARY_PROCESSOR_CONTROLS, control, on);
    }

    /**
     * Sets or clears primary controls.
     *
     * @param control the control, one bit
     * @param on its value
     */
    public void primary(int control, boolean on) {
        toggle(ControlField.PRIMARY_PROCESSOR_CONTROLS, control, on);
    }

    private void toggle(VmcsField field, int control, boolean on) {
        long bits = vmx.vmread(field);
        write(field, on ? bits | control & 0xffff_ffffL : bits & ~(long) control);
    }

    /**
     * Sets which bits of CR0 the guest cannot change without a VM exit.
     *
     * @param bits a mask; NE always is one of them
     */
    public void cr0Mask(long bits) {
        // Where the guest owned the bits so far, what it reads must be what it has written.
        long shadow = vmx.vmread(GuestField.CR0) & ~CR0_NE | vmx.vmread(ControlField.CR0_READ_SHADOW) & CR0_NE;
        write(ControlField.CR0_READ_SHADOW, shadow);
        write(ControlField.CR0_GUEST_HOST_MASK, bits | CR0_NE);
    }

    /**
     * Sets which bits of CR4 the guest cannot change without a VM exit.
     *
     * @param bits a mask; {@link #CR4_NEVER} always belongs to it
     */
    public void cr4Mask(long bits) {
        write(ControlField.CR4_READ_SHADOW, vmx.vmread(GuestField.CR4) & ~CR4_VMXE);
        write(ControlField.CR4_GUEST_HOST_MASK, bits | CR4_NEVER);
    }

    /**
     * Sets the MSR bitmaps.
     *
     * @param bitmapHpa host-physical address of their page
     */
    public void msrBitmaps(long bitmapHpa) {
        write(ControlField.MSR_BITMAPS_ADDRESS, bitmapHpa);
    }

    /**
     * Sets which exceptions cause VM exits.
     *
     * @param vectors bit n for vector n
     */
    public void exceptionBitmap(int vectors) {
        write(ControlField.EXCEPTION_BITMAP, vectors & 0xffff_ffffL);
    }

    /**
     * Sets the EPT pointer.
     *
     * @param eptp the pointer
     */
    public void eptp(long eptp) {
        write(ControlField.EPT_POINTER, eptp);
    }

    /**
     * The EPT pointer.
     *
     * @return the pointer
     */
    public long eptp() {
        return vmx.vmread(ControlField.EPT_POINTER);
    }

    /**
     * Lets the guest switch between EPT pointers of a list, or not. SDM "VM Functions".
     *
     * @param on whether VMFUNC is there, with EPTP switching
     * @param listHpa the list; without meaning if {@code on} is false
     */
    public void eptpSwitching(boolean on, long listHpa) {
        if (!vmx.capabilities().allows(ControlGroup.SECONDARY, SecondaryControls.VM_FUNCTIONS)) {
            return;
        }
        if (on) {
            write(ControlField.VM_FUNCTION_CONTROLS, EPTP_SWITCHING);
            write(ControlField.EPTP_LIST_ADDRESS, listHpa);
        }
        secondary(SecondaryControls.VM_FUNCTIONS, on);
    }

    /**
     * Sets the EPTP index, which the processor saves when it turns an EPT violation into #VE.
     *
     * @param index the view
     */
    public void eptpIndex(int index) {
        if (vmx.capabilities().allows(ControlGroup.SECONDARY, SecondaryControls.EPT_VIOLATION_VE)) {
            write(ControlField.EPTP_INDEX, index);
        }
    }

    /**
     * Has the processor turn EPT violations into #VE, or not. SDM "Virtualization Exceptions".
     *
     * @param on whether it does
     * @param areaHpa the virtualization-exception information area; without meaning if {@code on} is false
     */
    public void virtualizationExceptions(boolean on, long areaHpa) {
        if (on) {
            write(ControlField.VIRTUALIZATION_EXCEPTION_INFORMATION_ADDRESS, areaHpa);
        }
        secondary(SecondaryControls.EPT_VIOLATION_VE, on);
    }

    /**
     * Whether a processor has VMFUNC with EPTP switching.
     *
     * @param capabilities what VMX can do there
     * @return true if it has
     */
    public static boolean supportsEptpSwitching(VmxCapabilities capabilities) {
        return capabilities.allows(ControlGroup.SECONDARY, SecondaryControls.VM_FUNCTIONS)
                && (capabilities.vmFunctions() & EPTP_SWITCHING) != 0;
    }

    /**
     * Sets up sub-page write permissions.
     *
     * @param on whether the SPPT decides
     * @param spptp sub-page-permission-table pointer; negative to leave it as it is
     */
    public void subPages(boolean on, long spptp) {
        if (spptp >= 0) {
            write(ControlField.SUB_PAGE_PERMISSION_TABLE_POINTER, spptp);
        }
        secondary(SecondaryControls.SUB_PAGE_WRITE, on);
    }

    /**
     * Whether a processor can turn sub-page write permissions on.
     *
     * @param capabilities what VMX can do there
     * @return true if EPT and the control exist
     */
    public static boolean supportsSubPages(VmxCapabilities capabilities) {
        return capabilities.allows(ControlGroup.SECONDARY, SecondaryControls.EPT | SecondaryControls.SUB_PAGE_WRITE);
    }
}
