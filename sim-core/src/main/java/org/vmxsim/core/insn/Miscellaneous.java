package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.semantics.BitAndByte;

/** XLAT, BOUND, CRC32, cache-line flushes, and encodings that only fault. */
final class Miscellaneous {
    private static final int BR = 5;
    private static final int UD = 6;
    private static final int GP = 13;

    private Miscellaneous() {}

    static Handler xlat(DecodedInstruction d) {
        return new Translate(d);
    }

    static Handler bound(DecodedInstruction d) {
        return new Bound(d);
    }

    static Handler crc32(DecodedInstruction d) {
        return new Crc32(d);
    }

    static Handler flush(DecodedInstruction d) {
        return new FlushLine(d);
    }

    static Handler undefined() {
        return new Fault(UD, false);
    }

    static Handler tooLong() {
        return new Fault(GP, true);
    }

    /** XLAT: AL from [rBX + AL]. */
    private static final class Translate extends Handler {
        private final EffectiveAddress table;

        Translate(DecodedInstruction d) {
            d.base = CpuState.RBX;
            table = new EffectiveAddress(d, 1, false);
            d.base = DecodedInstruction.NO_REGISTER;
        }

        @Override
        public Handler exec(Processor cpu) {
            long rax = cpu.gpr[CpuState.RAX];
            long value = cpu.mem.load8(table.of(cpu, rax & 0xff));
            if (cpu.pending != 0) {
                return table.fail(cpu, this);
            }
            cpu.gpr[CpuState.RAX] = rax & ~0xffL | value;
            return next;
        }
    }

    private static final class Bound extends Handler {
        private final Place index;
        private final EffectiveAddress bounds;
        private final int size;

        Bound(DecodedInstruction d) {
            size = d.operandSizeBytes;
            index = Place.of(d, d.first(), false);
            bounds = new EffectiveAddress(d, 2 * size, false);
        }

        @Override
        public Handler exec(Processor cpu) {
            int shift = 64 - 8 * size;
            long linear = bounds.of(cpu);
            long lower = cpu.mem.load(linear, size) << shift >> shift;
            long upper = cpu.mem.load(linear + size & 0xffff_ffffL, size) << shift >> shift;
            if (cpu.pending != 0) {
                return bounds.fail(cpu, this);
            }
            long value = index.read(cpu) << shift >> shift;
            if (value < lower || value > upper) {
                cpu.raise(BR);
                return cpu.abort(this);
            }
            return next;
        }
    }

    private static final class Crc32 extends Handler {
        private final Place to;
        private final Place from;
        private final int bits;

        Crc32(DecodedInstruction d) {
            to = Place.of(d, d.first(), true);
            from = Place.of(d, d.second(), false);
            bits = 8 * d.second().sizeBytes;
        }

        @Override
        public Handler exec(Processor cpu) {
            long source = from.read(cpu);
            if (cpu.pending != 0) {
                return from.fail(cpu, this);
            }
            to.write(cpu, BitAndByte.crc32(to.read(cpu), source, bits));
            return next;
        }
    }

    /** CLFLUSH, CLFLUSHOPT, CLWB: translated and checked as a load of one byte. */
    private static final class FlushLine extends Handler {
        private final EffectiveAddress address;

        FlushLine(DecodedInstruction d) {
            address = new EffectiveAddress(d, 1, false);
        }

        @Override
        public Handler exec(Processor cpu) {
            long linear = address.of(cpu);
            if (cpu.pending == 0) {
                cpu.mem.slow().probe(linear, 1, false);
            }
            return cpu.pending == 0 ? next : address.fail(cpu, this);
        }
    }

    private static final class Fault extends Handler {
        private final int vector;
        private final boolean errorCode;

        Fault(int vector, boolean errorCode) {
            this.vector = vector;
            this.errorCode = errorCode;
        }

        @Override
        public Handler exec(Processor cpu) {
            if (errorCode) {
                cpu.raise(vector, 0);
            } else {
                cpu.raise(vector);
            }
            return cpu.abort(this);
        }
    }
}
