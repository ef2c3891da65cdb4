package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.x87.X87Transfers;

/** A store of ST(0) in 2, 4, 8 or 10 bytes. */
final class X87Store extends X87Instruction {
    private static final int QUADWORD = 8;

    /** Computes what to store. */
    @FunctionalInterface
    interface Value {
        /** The value; of ten bytes the lower eight. */
        long of(X87Transfers transfers);
    }

    private final int sizeBytes;
    private final boolean pops;
    private final Value value;

    X87Store(DecodedInstruction d, boolean pops, Value value) {
        super(d, Kind.COMPUTING, d.first().sizeBytes, true);
        sizeBytes = d.first().sizeBytes;
        this.pops = pops;
        this.value = value;
    }

    @Override
    void perform(Processor cpu, long linear) {
        X87Transfers transfers = cpu.x87.transfers();
        long low = value.of(transfers);
        if (transfers.isStorable()) {
            if (sizeBytes > QUADWORD) {
                X87Block.probe(cpu, linear, sizeBytes);
            }
            if (cpu.pending == Processor.NOTHING) {
                cpu.mem.store(linear, Math.min(sizeBytes, QUADWORD), low);
            }
            if (sizeBytes > QUADWORD && cpu.pending == Processor.NOTHING) {
                cpu.mem.store16(X87Block.at(cpu, linear, QUADWORD), transfers.upper());
            }
        }
        if (cpu.pending == Processor.NOTHING) {
            transfers.stored(pops);
        }
    }
}
