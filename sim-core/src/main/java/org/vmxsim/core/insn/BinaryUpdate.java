package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;

/**
 * An instruction that replaces its first operand by a function of both; all forms that have no handler of their own.
 */
abstract class BinaryUpdate extends Handler {
    final int bits;
    private final boolean locked;
    private final Place to;
    private final Place from;

    BinaryUpdate(DecodedInstruction d) {
        bits = 8 * d.first().sizeBytes;
        locked = d.lock;
        to = Place.of(d, d.first(), true);
        from = Place.of(d, d.second(), false);
    }

    /** The new value of the first operand; sets the flags. */
    abstract long apply(Processor cpu, long a, long b);

    @Override
    public final Handler exec(Processor cpu) {
        long b = from.read(cpu);
        if (cpu.pending != 0) {
            return from.fail(cpu, this);
        }
        long a = to.readForUpdate(cpu, locked);
        if (cpu.pending != 0) {
            return to.fail(cpu, this);
        }
        to.update(cpu, apply(cpu, a, b));
        return next;
    }
}
