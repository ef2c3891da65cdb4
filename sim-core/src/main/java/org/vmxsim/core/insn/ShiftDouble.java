package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.semantics.ShiftRotate;

/** SHLD and SHRD. */
final class ShiftDouble extends Handler {
    private final Place to;
    private final Place from;
    private final Place count;
    private final int bits;
    private final boolean left;

    private ShiftDouble(DecodedInstruction d, boolean left) {
        to = Place.of(d, d.first(), true);
        from = Place.of(d, d.second(), false);
        count = Place.of(d, d.third(), false);
        bits = 8 * d.operandSizeBytes;
        this.left = left;
    }

    static Handler left(DecodedInstruction d) {
        return new ShiftDouble(d, true);
    }

    static Handler right(DecodedInstruction d) {
        return new ShiftDouble(d, false);
    }

    @Override
    public Handler exec(Processor cpu) {
        long a = to.readForUpdate(cpu, false);
        if (cpu.pending != 0) {
            return to.fail(cpu, this);
        }
        long b = from.read(cpu);
        long n = count.read(cpu);
        to.update(cpu, left ? ShiftRotate.shld(cpu, a, b, n, bits) : ShiftRotate.shrd(cpu, a, b, n, bits));
        return next;
    }
}
