package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Op;
import org.vmxsim.core.semantics.BitAndByte;

/**
 * BSF, BSR, TZCNT, LZCNT, POPCNT. BSF and BSR of 0 leave the destination as it is, all 64 bits, as Intel processors do.
 */
final class BitScan extends Handler {
    private final Op op;
    private final Place to;
    private final Place from;
    private final int bits;

    BitScan(DecodedInstruction d) {
        op = d.op;
        to = Place.of(d, d.first(), true);
        from = Place.of(d, d.second(), false);
        bits = 8 * d.operandSizeBytes;
    }

    @Override
    public Handler exec(Processor cpu) {
        long source = from.read(cpu);
        if (cpu.pending != 0) {
            return from.fail(cpu, this);
        }
        boolean scan = op == Op.BSF || op == Op.BSR;
        if (scan) {
            BitAndByte.scanned(cpu, source);
        }
        if (!scan || source != 0) {
            to.write(cpu, result(cpu, source));
        }
        return next;
    }

    private long result(Processor cpu, long source) {
        return switch (op) {
            case BSF -> BitAndByte.bsf(source);
            case BSR -> BitAndByte.bsr(source);
            case TZCNT -> BitAndByte.tzcnt(cpu, source, bits);
            case LZCNT -> BitAndByte.lzcnt(cpu, source, bits);
            case POPCNT -> BitAndByte.popcnt(cpu, source);
            default -> throw new AssertionError(op);
        };
    }
}
