package org.vmxsim.vmx.nonroot;

import org.vmxsim.vmx.control.PrimaryControls;
import org.vmxsim.vmx.control.SecondaryControls;
import org.vmxsim.vmx.vmcs.ControlField;
import org.vmxsim.vmx.vmcs.Vmcs;

/** The VM-execution controls as VM entry found them, in plain fields for the interception points. */
public final class ActiveControls {
    /** Pin-based controls. */
    public int pin;
    /** Primary processor-based controls. */
    public int primary;
    /** Zero unless "activate secondary controls" is 1. */
    public int secondary;
    /** VM-exit controls. */
    public int exit;
    /** Exception bitmap. */
    public int exceptionBitmap;
    /** Page-fault error-code mask. */
    public int pageFaultMask;
    /** Page-fault error-code match. */
    public int pageFaultMatch;
    /** CR0 guest/host mask. */
    public long cr0Mask;
    /** CR0 read shadow. */
    public long cr0Shadow;
    /** CR4 guest/host mask. */
    public long cr4Mask;
    /** CR4 read shadow. */
    public long cr4Shadow;
    /** Address of I/O bitmap A. */
    public long ioBitmapA;
    /** Address of I/O bitmap B. */
    public long ioBitmapB;
    /** Address of MSR bitmaps. */
    public long msrBitmaps;
    /** TSC offset. */
    public long tscOffset;
    /** TSC multiplier. */
    public long tscMultiplier;
    /** CR3-target count. */
    public int cr3Targets;
    /** CR3-target values. */
    public final long[] cr3TargetValues = new long[4];
    /** VPID; 0 unless "enable VPID" is 1. */
    public int vpid;
    /** PLE_Gap in TSC ticks. */
    public int pleGap;
    /** PLE_Window in TSC ticks. */
    public int pleWindow;

    /** No controls yet. */
    public ActiveControls() {}

    /**
     * Takes the controls of a VMCS.
     *
     * @param vmcs the VMCS that is entered
     */
    public void load(Vmcs vmcs) {
        pin = vmcs.getInt(ControlField.PIN_CONTROLS);
        primary = vmcs.getInt(ControlField.PRIMARY_PROCESSOR_CONTROLS);
        secondary = secondaryOf(vmcs);
        exit = vmcs.getInt(ControlField.EXIT_CONTROLS);
        exceptionBitmap = vmcs.getInt(ControlField.EXCEPTION_BITMAP);
        pageFaultMask = vmcs.getInt(ControlField.PAGE_FAULT_ERROR_CODE_MASK);
        pageFaultMatch = vmcs.getInt(ControlField.PAGE_FAULT_ERROR_CODE_MATCH);
        cr0Mask = vmcs.get(ControlField.CR0_GUEST_HOST_MASK);
        cr0Shadow = vmcs.get(ControlField.CR0_READ_SHADOW);
        cr4Mask = vmcs.get(ControlField.CR4_GUEST_HOST_MASK);
        cr4Shadow = vmcs.get(ControlField.CR4_READ_SHADOW);
        ioBitmapA = vmcs.get(ControlField.IO_BITMAP_A_ADDRESS);
        ioBitmapB = vmcs.get(ControlField.IO_BITMAP_B_ADDRESS);
        msrBitmaps = vmcs.get(ControlField.MSR_BITMAPS_ADDRESS);
        tscOffset = vmcs.get(ControlField.TSC_OFFSET);
        tscMultiplier = vmcs.get(ControlField.TSC_MULTIPLIER);
        cr3Targets = vmcs.getInt(ControlField.CR3_TARGET_COUNT);
        cr3TargetValues[0] = vmcs.get(ControlField.CR3_TARGET_VALUE_0);
        cr3TargetValues[1] = vmcs.get(ControlField.CR3_TARGET_VALUE_1);
        cr3TargetValues[2] = vmcs.get(ControlField.CR3_TARGET_VALUE_2);
        cr3TargetValues[3] = vmcs.get(ControlField.CR3_TARGET_VALUE_3);
        vpid = hasSecondary(SecondaryControls.VPID) ? vmcs.getInt(ControlField.VPID) : 0;
        pleGap = vmcs.getInt(ControlField.PLE_GAP);
        pleWindow = vmcs.getInt(ControlField.PLE_WINDOW);
    }

    private static int secondaryOf(Vmcs vmcs) {
        int primary = vmcs.getInt(ControlField.PRIMARY_PROCESSOR_CONTROLS);
        return (primary & PrimaryControls.SECONDARY_CONTROLS) == 0
                ? 0
                : vmcs.getInt(ControlField.SECONDARY_PROCESSOR_CONTROLS);
    }

    /**
     * Whether a pin-based control is 1.
     *
     * @param control the control as a mask
     * @return true if it is
     */
    public boolean hasPin(int control) {
        return (pin & control) != 0;
    }

    /**
     * Whether a primary processor-based control is 1.
     *
     * @param control the control as a mask
     * @return true if it is
     */
    public boolean hasPrimary(int control) {
        return (primary & control) != 0;
    }

    /**
     * Whether a secondary processor-based control is 1.
     *
     * @param control the control as a mask
     * @return true if it is
     */
    public boolean hasSecondary(int control) {
        return (secondary & control) != 0;
    }

    /**
     * Whether a VM-exit control is 1.
     *
     * @param control the control as a mask
     * @return true if it is
     */
    public boolean hasExit(int control) {
        return (exit & control) != 0;
    }
}
