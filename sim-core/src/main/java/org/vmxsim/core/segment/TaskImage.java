package org.vmxsim.core.segment;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.LinearAccess;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.SegmentRegister;

/**
 * The registers of a task as its TSS holds them: read from that of the new task, written to that of the old one. SDM
 * "Task-State Segment (TSS)", "16-Bit Task-State Segment (TSS)".
 */
final class TaskImage {
    /** Smallest limit of a 32-bit TSS. */
    static final int LIMIT_32 = 0x67;
    /** Smallest limit of a 32-bit TSS that has SSP. */
    static final int LIMIT_SSP = 0x6b;
    /** Smallest limit of a 16-bit TSS. */
    static final int LIMIT_16 = 0x2b;

    private static final int REGISTERS = 8;

    private final Processor cpu;
    /** Whether this is a 32-bit TSS. */
    boolean wide;

    long cr3;
    long ssp;
    long rip;
    long flags;
    final long[] gpr = new long[REGISTERS];
    /** Selectors of ES, CS, SS, DS, FS, GS and LDTR. */
    final int[] selectors = new int[CpuState.LDTR + 1];
    /** The T flag: a debug exception when the task begins. */
    boolean traps;

    TaskImage(Processor cpu) {
        this.cpu = cpu;
    }

    /** Whether the task runs in virtual-8086 mode. */
    boolean isVirtual8086() {
        return (flags & 1 << 17) != 0;
    }

    private long load(long address, int sizeBytes) {
        return cpu.mem.slow().loadSystem(address, sizeBytes);
    }

    /** Reads SSP, which only a TSS of limit {@link #LIMIT_SSP} has. */
    void readSsp(long base) {
        ssp = load(base + 0x68, 4);
    }

    /** Reads the TSS of the new task; meaningless if something is pending afterwards. */
    void read(long base, boolean is32) {
        wide = is32;
        if (is32) {
            read32(base);
        } else {
            read16(base);
        }
    }

    private void read32(long base) {
        cr3 = load(base + 0x1c, 4);
        rip = load(base + 0x20, 4);
        flags = load(base + 0x24, 4);
        for (int i = 0; i < REGISTERS; i++) {
            gpr[i] = load(base + 0x28 + 4L * i, 4);
        }
        for (int i = 0; i < selectors.length; i++) {
            selectors[i] = (int) load(base + 0x48 + 4L * i, 2);
        }
        traps = (load(base + 0x64, 2) & 1) != 0;
    }

    /** A 16-bit TSS has neither CR3 nor FS and GS; the manual leaves the upper halves of registers open: all ones. */
    private void read16(long base) {
        rip = load(base + 0x0e, 2);
        flags = load(base + 0x10, 2);
        for (int i = 0; i < REGISTERS; i++) {
            gpr[i] = 0xffff_0000L | load(base + 0x12 + 2L * i, 2);
        }
        for (int i = CpuState.ES; i <= CpuState.DS; i++) {
            selectors[i] = (int) load(base + 0x22 + 2L * i, 2);
        }
        selectors[CpuState.FS] = 0;
        selectors[CpuState.GS] = 0;
        selectors[CpuState.LDTR] = (int) load(base + 0x2a, 2);
        traps = false;
    }

    /** Checks that the TSS of the old task takes its registers; false with the fault pending. */
    static boolean canSave(Processor cpu, int ext) {
        SegmentRegister tr = cpu.segments[CpuState.TR];
        boolean is32 = (tr.accessRights & 8) != 0;
        if (tr.unusable() || (tr.limit & 0xffff_ffffL) < (is32 ? LIMIT_32 : LIMIT_16)) {
            cpu.raise(Descriptors.INVALID_TSS, tr.selector & 0xfffc | ext);
            return false;
        }
        int first = is32 ? 0x20 : 0x0e;
        cpu.mem.slow().probeSystem(tr.base + first, (is32 ? 0x60 : 0x2a) - first, true);
        return cpu.pending == Processor.NOTHING;
    }

    /** Saves the old task's registers in the TSS that TR names, which has been checked. */
    static void save(Processor cpu, long savedRip, long savedFlags) {
        SegmentRegister tr = cpu.segments[CpuState.TR];
        boolean is32 = (tr.accessRights & 8) != 0;
        LinearAccess memory = cpu.mem.slow();
        int sizeBytes = is32 ? 4 : 2;
        long at = tr.base + (is32 ? 0x20 : 0x0e);
        memory.storeSystem(at, sizeBytes, savedRip);
        memory.storeSystem(at + sizeBytes, sizeBytes, savedFlags);
        for (int i = 0; i < REGISTERS; i++) {
            memory.storeSystem(at + (long) sizeBytes * (2 + i), sizeBytes, cpu.gpr[i]);
        }
        at += (long) sizeBytes * (2 + REGISTERS);
        int last = is32 ? CpuState.GS : CpuState.DS;
        for (int i = CpuState.ES; i <= last; i++) {
            memory.storeSystem(at + (long) sizeBytes * i, 2, cpu.segments[i].selector);
        }
    }
}
