package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.MemoryUnit;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.SegmentRegister;

/**
 * Linear addresses outside 64-bit mode, with the checks of limit, type and null selector (SDM Vol. 3A, "Limit
 * Checking", "Type Checking", "Null Segment Selector Checking").
 */
final class SegmentAccess {
    private static final long LINEAR_32 = 0xffff_ffffL;
    private static final int GP = 13;
    private static final int SS_FAULT = 12;
    private static final int CODE = 8;
    private static final int EXPAND_DOWN = 4;
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
        if (allowed(cpu, register, write) && within(register, offset, Math.max(sizeBytes, 1))) {
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

    private static boolean within(SegmentRegister register, long offset, int sizeBytes) {
        long last = offset + sizeBytes - 1;
        long limit = register.limit & LINEAR_32;
        if (limit == LINEAR_32 && offset <= LINEAR_32) {
            // a segment of 4 GiB: an access that wraps around its end is allowed
            return (register.accessRights & (CODE | EXPAND_DOWN)) != EXPAND_DOWN;
        }
        boolean expandDown = (register.accessRights & (CODE | EXPAND_DOWN)) == EXPAND_DOWN;
        if (expandDown) {
            return offset > limit && last <= (register.big() ? LINEAR_32 : 0xffff);
        }
        return last <= limit;
    }
}
