package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;

/**
 * The address of a memory operand. The common form, base plus scaled index plus displacement in 64-bit code without a
 * segment base, is computed at once; all others behind one test.
 */
final class EffectiveAddress {
    private final int base;
    private final int index;
    private final int shift;
    private final long displacement;
    private final boolean plain;
    private final boolean ripRelative;
    private final boolean is64;
    private final long offsetMask;
    private final int segment;
    private final int sizeBytes;
    private final boolean write;

    /**
     * The address of the memory operand of an instruction.
     *
     * @param d the decoded instruction
     * @param sizeBytes size of the access
     * @param write whether the access writes
     */
    EffectiveAddress(DecodedInstruction d, int sizeBytes, boolean write) {
        base = d.base;
        index = d.index;
        shift = d.scaleShift;
        displacement = d.ripRelative ? d.displacement + d.pageOffset + d.length : d.displacement;
        ripRelative = d.ripRelative;
        is64 = d.is64();
        segment = d.segment;
        offsetMask = d.addressSizeBytes == 8 ? -1 : (1L << 8 * d.addressSizeBytes) - 1;
        plain = is64 && offsetMask == -1 && !ripRelative && segment < CpuState.FS;
        this.sizeBytes = sizeBytes;
        this.write = write;
    }

    /** The linear address; outside 64-bit mode an exception may become pending. */
    long of(Processor cpu) {
        long[] r = cpu.gpr;
        long sum = r[base] + (r[index] << shift) + displacement;
        return plain ? sum : linear(cpu, sum);
    }

    /** The linear address of an operand that lies some bytes beyond the described one. */
    long of(Processor cpu, long beyond) {
        long[] r = cpu.gpr;
        return linear(cpu, r[base] + (r[index] << shift) + displacement + beyond);
    }

    /** The offset in the segment, as LEA wants it. */
    long offset(Processor cpu) {
        long[] r = cpu.gpr;
        long sum = r[base] + (r[index] << shift) + displacement;
        return (ripRelative ? sum + cpu.codeBase : sum) & offsetMask;
    }

    private long linear(Processor cpu, long sum) {
        long offset = (ripRelative ? sum + cpu.codeBase : sum) & offsetMask;
        if (!is64) {
            return SegmentAccess.linear(cpu, segment, offset, sizeBytes, write);
        }
        return segment >= CpuState.FS ? offset + cpu.segments[segment].base : offset;
    }

    /** Abandons the instruction; a non-canonical address is the stack segment's fault if that is the segment. */
    Handler fail(Processor cpu, Handler handler) {
        return segment == CpuState.SS ? cpu.abortStack(handler) : cpu.abort(handler);
    }
}
