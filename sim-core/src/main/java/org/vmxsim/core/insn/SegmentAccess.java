package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.MemoryUnit;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.SegmentRegister;
import org.vmxsim.core.segment.SegmentLimits;

/**
 * Linear addresses outside 64-bit mode, with the checks of limit, type and null selector (SDM Vol. 3A, "Limit
 * Checking", "Type Checking", "Null Segment Selector Checking").
 */
final class SegmentAccess {
    private static final long LINEAR_32 = 0xffff_ffffL;
    private static final int GP = 13;
    private static final int SS_FAULT = 12;
    private static final int CODE = 8;
    private static final int WRITABLE_OR_READABLE = 2;

    private SegmentAccess() {}

    /**
     * The linear address of an access.
     *
     * @param cpu the processor
     * @param segment segment number
     * @param offset offset in the segment, truncated to the address size
     * @param sizeBytes size of the access; 0 counts as 1
     * @param write whether it writes
     * @return the linear address, or {@link MemoryUnit#NOWHERE} with the exception pending
     */
    static long linear(Processor cpu, int segment, long offset, int sizeBytes, boolean write) {
        SegmentRegister register = cpu.segments[segment];
        if (allowed(cpu, register, write) && SegmentLimits.contains(register, offset, Math.max(sizeBytes, 1))) {
            return register.base + offset & LINEAR_32;
        }
        if (cpu.pending == Processor.NOTHING) {
            cpu.raise(segment == CpuState.SS ? SS_FAULT : GP, 0);
        }
        return MemoryUnit.NOWHERE;
    }

    private static boolean allowed(Processor cpu, SegmentRegister register, boolean write) {
        boolean realOrVirtual8086 = (cpu.cr0 & 1) == 0 || (cpu.rflagsSystem & 1 << 17) != 0;
        if (realOrVirtual8086) {
            return true;
        }
        int type = register.accessRights;
        if (register.unusable()) {
            return false;
        }
        if (write) {
            return (type & (CODE | WRITABLE_OR_READABLE)) == WRITABLE_OR_READABLE;
        }
        return (type & CODE) == 0 || (type & WRITABLE_OR_READABLE) != 0;
    }
}
