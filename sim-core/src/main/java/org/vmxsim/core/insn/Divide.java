package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.semantics.Division;

/** DIV and IDIV. The flags, undefined by the manual, are kept. */
final class Divide extends Handler {
    private static final int DE = 0;

    private final Place divisor;
    private final Place low;
    private final Place high;
    private final int bits;
    private final boolean signed;

    private Divide(DecodedInstruction d, boolean signed) {
        int size = d.first().sizeBytes;
        divisor = Place.of(d, d.first(), false);
        low = Place.register(CpuState.RAX, size);
        high = size == 1 ? Place.highByte(CpuState.RAX) : Place.register(CpuState.RDX, size);
        bits = 8 * size;
        this.signed = signed;
    }

    static Handler div(DecodedInstruction d) {
        return new Divide(d, false);
    }

    static Handler idiv(DecodedInstruction d) {
        return new Divide(d, true);
    }

    @Override
    public Handler exec(Processor cpu) {
        long by = divisor.read(cpu);
        if (cpu.pending != 0) {
            return divisor.fail(cpu, this);
        }
        boolean done = signed ? signed(cpu, by) : unsigned(cpu, by);
        if (!done) {
            cpu.raise(DE);
            return cpu.abort(this);
        }
        return next;
    }

    private boolean unsigned(Processor cpu, long by) {
        long upper = high.read(cpu);
        if (!Division.fitsUnsigned(upper, by)) {
            return false;
        }
        long lower = low.read(cpu);
        long quotient = bits == 64
                ? Division.quotientUnsigned(upper, lower, by)
                : Long.divideUnsigned(upper << bits | lower, by);
        finish(cpu, quotient, lower - quotient * by);
        return true;
    }

    private boolean signed(Processor cpu, long unsignedBy) {
        int shift = 64 - bits;
        long by = unsignedBy << shift >> shift;
        long upper = high.read(cpu);
        long lower = low.read(cpu);
        if (bits == 64) {
            if (!Division.fitsSigned(upper, lower, by)) {
                return false;
            }
            long quotient = Division.quotientSigned(upper, lower, by);
            finish(cpu, quotient, lower - quotient * by);
            return true;
        }
        long dividend = (upper << bits | lower) << 64 - 2 * bits >> 64 - 2 * bits;
        if (by == 0 || by == -1 && dividend == Long.MIN_VALUE) {
            return false;
        }
        long quotient = dividend / by;
        if (quotient << shift >> shift != quotient) {
            return false;
        }
        finish(cpu, quotient, dividend % by);
        return true;
    }

    private void finish(Processor cpu, long quotient, long remainder) {
        low.write(cpu, quotient);
        high.write(cpu, remainder);
    }
}
