package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.x87.X87Unit;

/** An x87 instruction that reads 2, 4, 8 or 10 bytes of memory. */
final class X87Load extends X87Instruction {
    private static final int QUADWORD = 8;

    /** What it does with them. */
    @FunctionalInterface
    interface Action {
        /**
         * Does it.
         *
         * @param unit the unit
         * @param low the bytes, zero-extended; of ten the lower eight
         * @param upper of ten bytes the other two
         */
        void on(X87Unit unit, long low, int upper);
    }

    private final int sizeBytes;
    private final Action action;

    X87Load(DecodedInstruction d, Kind kind, Action action) {
        super(d, kind, d.first().sizeBytes, false);
        sizeBytes = d.first().sizeBytes;
        this.action = action;
    }

    @Override
    void perform(Processor cpu, long linear) {
        long low = cpu.mem.load(linear, Math.min(sizeBytes, QUADWORD));
        int upper = 0;
        if (sizeBytes > QUADWORD && cpu.pending == Processor.NOTHING) {
            upper = (int) cpu.mem.load16(X87Block.at(cpu, linear, QUADWORD));
        }
        if (cpu.pending == Processor.NOTHING) {
            action.on(cpu.x87, low, upper);
        }
    }
}
