package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.semantics.BitAndByte;

/** CBW, CWDE, CDQE; CWD, CDQ, CQO; BSWAP; MOVBE. */
final class Convert {
    private Convert() {}

    static Handler widen(DecodedInstruction d) {
        return new Widen(d);
    }

    static Handler spread(DecodedInstruction d) {
        return new Spread(d);
    }

    static Handler bswap(DecodedInstruction d) {
        return new Swap(d);
    }

    static Handler movbe(DecodedInstruction d) {
        return new SwapMove(d);
    }

    private static final class Widen extends Handler {
        private final Place from;
        private final Place to;
        private final int shift;

        Widen(DecodedInstruction d) {
            from = Place.register(CpuState.RAX, d.operandSizeBytes / 2);
            to = Place.register(CpuState.RAX, d.operandSizeBytes);
            shift = 64 - 4 * d.operandSizeBytes;
        }

        @Override
        public Handler exec(Processor cpu) {
            to.write(cpu, from.read(cpu) << shift >> shift);
            return next;
        }
    }

    private static final class Spread extends Handler {
        private final Place from;
        private final Place to;
        private final int shift;

        Spread(DecodedInstruction d) {
            from = Place.register(CpuState.RAX, d.operandSizeBytes);
            to = Place.register(CpuState.RDX, d.operandSizeBytes);
            shift = 64 - 8 * d.operandSizeBytes;
        }

        @Override
        public Handler exec(Processor cpu) {
            to.write(cpu, from.read(cpu) << shift >> 63);
            return next;
        }
    }

    private static final class Swap extends Handler {
        private final Place place;
        private final int bits;

        Swap(DecodedInstruction d) {
            place = Place.of(d, d.first(), true);
            bits = 8 * d.operandSizeBytes;
        }

        @Override
        public Handler exec(Processor cpu) {
            place.write(cpu, BitAndByte.bswap(place.read(cpu), bits));
            return next;
        }
    }

    private static final class SwapMove extends Handler {
        private final Place to;
        private final Place from;
        private final int bits;

        SwapMove(DecodedInstruction d) {
            to = Place.of(d, d.first(), true);
            from = Place.of(d, d.second(), false);
            bits = 8 * d.operandSizeBytes;
        }

        @Override
        public Handler exec(Processor cpu) {
            long value = from.read(cpu);
            if (cpu.pending != 0) {
                return from.fail(cpu, this);
            }
            to.write(cpu, BitAndByte.reversed(value, bits));
            return cpu.pending == 0 ? next : to.fail(cpu, this);
        }
    }
}
