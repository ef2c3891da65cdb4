package org.vmxsim.vmx.nonroot;

import org.vmxsim.vmx.control.PrimaryControls;

/** The I/O bitmaps and the MSR bitmaps (SDM "I/O-Bitmap Addresses", "MSR-Bitmap Address"). */
final class BitmapControls {
    private static final int PORTS_PER_BITMAP = 0x8000;
    private static final int LAST_PORT = 0xffff;
    private static final int HIGH_MSRS = 0xc000_0000;
    private static final int MSRS_PER_BITMAP = 0x2000;
    private static final int HIGH_BITMAP = 1024;
    private static final int WRITE_BITMAPS = 2048;

    private final VmxContext vmx;

    BitmapControls(VmxContext vmx) {
        this.vmx = vmx;
    }

    boolean ioExits(int port, int sizeBytes) {
        ActiveControls controls = vmx.controls;
        if (!controls.hasPrimary(PrimaryControls.IO_BITMAPS)) {
            return controls.hasPrimary(PrimaryControls.UNCONDITIONAL_IO_EXITING);
        }
        for (int p = port; p < port + sizeBytes; p++) {
            // "If an I/O operation wraps around the 16-bit I/O-port space, the instruction causes a VM exit"
            if (p > LAST_PORT) {
                return true;
            }
            long bitmap = p < PORTS_PER_BITMAP ? controls.ioBitmapA : controls.ioBitmapB;
            if (bit(bitmap, p % PORTS_PER_BITMAP)) {
                return true;
            }
        }
        return false;
    }

    boolean msrExits(int msr, boolean write) {
        ActiveControls controls = vmx.controls;
        if (!controls.hasPrimary(PrimaryControls.MSR_BITMAPS)) {
            return true;
        }
        boolean low = Integer.compareUnsigned(msr, MSRS_PER_BITMAP) < 0;
        boolean high = Integer.compareUnsigned(msr - HIGH_MSRS, MSRS_PER_BITMAP) < 0;
        if (!low && !high) {
            return true;
        }
        long bitmap = controls.msrBitmaps + (high ? HIGH_BITMAP : 0) + (write ? WRITE_BITMAPS : 0);
        return bit(bitmap, msr & MSRS_PER_BITMAP - 1);
    }

    private boolean bit(long bitmap, int number) {
        return (vmx.memory.readByte(bitmap + number / 8) & 1 << number % 8) != 0;
    }
}
