package org.vmxsim.core.segment;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Event;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.SegmentRegister;

/**
 * INT n in virtual-8086 mode. SDM "Class 3-Software Interrupt Handling in Virtual-8086 Mode", table "Software Interrupt
 * Handling Methods While in Virtual-8086 Mode". INT1, INT3 and INTO are none of these: they always pass through the
 * IDT.
 */
public final class Virtual8086 {
    private static final long TF = 1 << 8;
    private static final long IF = 1 << 9;
    private static final long IOPL = 3 << 12;
    private static final long VIF = 1 << 19;
    private static final long VME = 1;
    private static final int IO_MAP_BASE = 0x66;
    /** The interrupt redirection bit map lies directly below the I/O permission bit map. */
    private static final int REDIRECTION_BYTES = 32;

    private Virtual8086() {}

    /**
     * Decides where INT n goes, and takes it to the 8086 program's own handler if that is where.
     *
     * @param cpu the processor in virtual-8086 mode
     * @param vector 0 to 255
     * @param nextRip IP of the next instruction
     * @return true if the interrupt goes through the IDT; false if it has been made, or a fault is pending
     */
    public static boolean toMonitor(Processor cpu, int vector, long nextRip) {
        boolean trusted = (cpu.rflagsSystem & IOPL) == IOPL;
        boolean extended = (cpu.cr4 & VME) != 0;
        boolean redirected = extended && redirects(cpu, vector);
        if (cpu.pending != Processor.NOTHING) {
            return false;
        }
        if (redirected) {
            toProgram(cpu, vector, nextRip, trusted);
            return false;
        }
        if (!trusted) {
            cpu.raise(Event.GENERAL_PROTECTION, 0);
        }
        return trusted;
    }

    /** Whether the bit of the vector is 0; a bit map outside the TSS gives #GP(0). */
    private static boolean redirects(Processor cpu, int vector) {
        SegmentRegister tr = cpu.segments[CpuState.TR];
        long limit = tr.limit & 0xffff_ffffL;
        boolean wide = !tr.unusable() && (tr.accessRights & 8) != 0;
        if (wide && IO_MAP_BASE + 1 <= limit) {
            int map = (int) cpu.mem.slow().loadSystem(tr.base + IO_MAP_BASE, 2);
            int at = map - REDIRECTION_BYTES + vector / 8;
            if (cpu.pending != Processor.NOTHING) {
                return false;
            }
            if (at >= 0 && at <= limit) {
                return (cpu.mem.slow().loadSystem(tr.base + at, 1) >>> (vector & 7) & 1) == 0;
            }
        }
        cpu.raise(Event.GENERAL_PROTECTION, 0);
        return false;
    }

    /** Methods 5 (IOPL 3) and 6: to the handler in the vector table at linear address 0. */
    private static void toProgram(Processor cpu, int vector, long nextRip, boolean trusted) {
        long entry = cpu.mem.slow().loadSystem(4L * vector, 4);
        long flags = cpu.rflags();
        if (!trusted) {
            flags = flags & ~IF | IOPL | ((flags & VIF) == 0 ? 0 : IF);
        }
        TransferStack stack = new TransferStack(cpu);
        stack.present(0);
        if (cpu.pending != Processor.NOTHING || !stack.hasRoom(6)) {
            return;
        }
        stack.push(flags, 2);
        stack.push(cpu.segments[CpuState.CS].selector, 2);
        stack.push(nextRip, 2);
        if (cpu.pending != Processor.NOTHING) {
            return;
        }
        cpu.gpr[CpuState.RSP] = stack.committedPointer();
        SegmentLoad.loadRealCode(cpu, (int) (entry >>> 16) & 0xffff);
        cpu.rip = entry & 0xffff;
        cpu.rflagsSystem &= ~(TF | (trusted ? IF : VIF));
        cpu.modeChanged();
    }
}
