package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;

/** An instruction that only sets flags from two operands; all forms that have no handler of their own. */
abstract class Comparison extends Handler {
    final int bits;
    private final Place first;
    private final Place second;

    Comparison(DecodedInstruction d) {
        bits = 8 * d.first().sizeBytes;
        first = Place.of(d, d.first(), false);
        second = Place.of(d, d.second(), false);
    }

    /** Sets the flags. */
    abstract void apply(Processor cpu, long a, long b);

    @Override
    public final Handler exec(Processor cpu) {
        long a = first.read(cpu);
        if (cpu.pending != 0) {
            return first.fail(cpu, this);
        }
        long b = second.read(cpu);
        if (cpu.pending != 0) {
            return second.fail(cpu, this);
        }
        apply(cpu, a, b);
        return next;
    }
}
