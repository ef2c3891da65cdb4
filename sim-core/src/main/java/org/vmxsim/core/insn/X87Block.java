package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Processor;

/** Larger operands of x87 instructions, piece by piece. */
final class X87Block {
    private static final long LINEAR_32 = 0xffff_ffffL;

    private X87Block() {}

    /** A linear address some bytes further; outside 64-bit mode it wraps at 4 GiB. */
    static long at(Processor cpu, long linear, int offset) {
        return cpu.mode == Processor.CODE_64 ? linear + offset : linear + offset & LINEAR_32;
    }

    /** Checks that all of an operand can be written, so that a fault leaves memory as it is. */
    static void probe(Processor cpu, long linear, int sizeBytes) {
        cpu.mem.slow().probe(linear, sizeBytes, true);
    }
}
