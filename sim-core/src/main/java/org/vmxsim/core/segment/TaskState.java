package org.vmxsim.core.segment;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Event;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.SegmentRegister;

/**
 * The task-state segment that TR names: stacks of inner levels, the I/O permission bit map. SDM "Task State Segment".
 */
public final class TaskState {
    private static final int IO_MAP_BASE = 0x66;

    private TaskState() {}

    /**
     * Reads a field of the TSS as a supervisor.
     *
     * @param cpu the processor
     * @param offset offset of the field
     * @param sizeBytes its size
     * @param ext bit 0 of error codes
     * @return the field; outside the TSS limit #TS(TR selector) is pending
     */
    static long load(Processor cpu, int offset, int sizeBytes, int ext) {
        SegmentRegister tr = cpu.segments[CpuState.TR];
        if (tr.unusable() || offset + sizeBytes - 1 > (tr.limit & 0xffff_ffffL)) {
            cpu.raise(Descriptors.INVALID_TSS, tr.selector & 0xfffc | ext);
            return 0;
        }
        return cpu.mem.slow().loadSystem(tr.base + offset, sizeBytes);
    }

    /** Finds and checks the stack of an inner level outside IA-32e mode; false if something is pending. */
    static boolean innerStack(Processor cpu, int level, int ext, TransferStack stack) {
        boolean wide = (cpu.segments[CpuState.TR].accessRights & 8) != 0;
        int pointerBytes = wide ? 4 : 2;
        int offset = wide ? 4 + 8 * level : 2 + 4 * level;
        long pointer = load(cpu, offset, pointerBytes, ext);
        int selector = cpu.pending == Processor.NOTHING ? (int) load(cpu, offset + pointerBytes, 2, ext) : 0;
        if (cpu.pending != Processor.NOTHING) {
            return false;
        }
        if (Descriptors.isNull(selector)) {
            cpu.raise(Descriptors.INVALID_TSS, ext);
            return false;
        }
        long descriptor = Descriptors.read(cpu, selector, Descriptors.INVALID_TSS, ext);
        if (cpu.pending != Processor.NOTHING || !innerStackIsGood(cpu, selector, descriptor, level, ext)) {
            return false;
        }
        descriptor = Descriptors.markAccessed(cpu, selector, descriptor);
        stack.inner32(selector, descriptor, pointer, ext);
        return cpu.pending == Processor.NOTHING;
    }

    private static boolean innerStackIsGood(Processor cpu, int selector, long descriptor, int level, int ext) {
        boolean good = (selector & 3) == level
                && Descriptors.dpl(descriptor) == level
                && Descriptors.isWritableData(descriptor);
        if (!good) {
            cpu.raise(Descriptors.INVALID_TSS, selector & 0xfffc | ext);
        } else if (!Descriptors.isPresent(descriptor)) {
            cpu.raise(Event.STACK_FAULT, selector & 0xfffc | ext);
        }
        return cpu.pending == Processor.NOTHING;
    }

    /**
     * Whether the program may use I/O ports: IOPL, which does not count in virtual-8086 mode, then the I/O permission
     * bit map. SDM "I/O Permission Bit Map", "Virtual-8086 Mode I/O".
     *
     * @param cpu the processor
     * @param port first port
     * @param sizeBytes how many ports
     * @return true if allowed; false with #GP(0) or another fault pending
     */
    public static boolean allowsPort(Processor cpu, int port, int sizeBytes) {
        int iopl = (int) (cpu.rflagsSystem >>> 12) & 3;
        if (Descriptors.inRealMode(cpu) || cpu.cpl <= iopl && !Descriptors.inVirtual8086(cpu)) {
            return true;
        }
        SegmentRegister tr = cpu.segments[CpuState.TR];
        long limit = tr.limit & 0xffff_ffffL;
        boolean wide = !tr.unusable() && (tr.accessRights & 8) != 0;
        if (wide && IO_MAP_BASE + 1 <= limit) {
            int base = (int) cpu.mem.slow().loadSystem(tr.base + IO_MAP_BASE, 2);
            if (cpu.pending != Processor.NOTHING) {
                return false;
            }
            if (base + port / 8 + 1 <= limit) {
                long bits = cpu.mem.slow().loadSystem(tr.base + base + port / 8, 2);
                boolean clear = (bits >>> (port & 7) & (1 << sizeBytes) - 1) == 0;
                if (cpu.pending != Processor.NOTHING || clear) {
                    return cpu.pending == Processor.NOTHING;
                }
            }
        }
        cpu.raise(Event.GENERAL_PROTECTION, 0);
        return false;
    }
}
