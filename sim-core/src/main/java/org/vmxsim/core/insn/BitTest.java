package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Op;
import org.vmxsim.core.decode.OperandKind;
import org.vmxsim.core.semantics.BitAndByte;

/** BT, BTS, BTR, BTC. A bit offset in a register reaches beyond the addressed word of memory, both ways. */
final class BitTest {
    private BitTest() {}

    static Handler of(DecodedInstruction d) {
        boolean string = d.first().isMemory() && d.second().kind != OperandKind.IMMEDIATE;
        return string ? new BitString(d) : new Word(d);
    }

    private static long changed(Op op, long word, long bit) {
        return switch (op) {
            case BT -> word;
            case BTS -> word | bit;
            case BTR -> word & ~bit;
            case BTC -> word ^ bit;
            default -> throw new AssertionError(op);
        };
    }

    private static final class Word extends Handler {
        private final Op op;
        private final Place word;
        private final Place offset;
        private final int bits;
        private final boolean locked;

        Word(DecodedInstruction d) {
            op = d.op;
            word = Place.of(d, d.first(), op != Op.BT);
            offset = Place.of(d, d.second(), false);
            bits = 8 * d.operandSizeBytes;
            locked = d.lock;
        }

        @Override
        public Handler exec(Processor cpu) {
            boolean reads = op == Op.BT;
            long value = reads ? word.read(cpu) : word.readForUpdate(cpu, locked);
            if (cpu.pending != 0) {
                return word.fail(cpu, this);
            }
            long number = offset.read(cpu);
            BitAndByte.bt(cpu, value, number, bits);
            if (!reads) {
                word.update(cpu, changed(op, value, BitAndByte.bit(number, bits)));
            }
            return next;
        }
    }

    private static final class BitString extends Handler {
        private final Op op;
        private final EffectiveAddress address;
        private final Place offset;
        private final int size;
        private final boolean locked;

        BitString(DecodedInstruction d) {
            op = d.op;
            size = d.operandSizeBytes;
            address = new EffectiveAddress(d, size, op != Op.BT);
            offset = Place.of(d, d.second(), false);
            locked = d.lock;
        }

        @Override
        public Handler exec(Processor cpu) {
            int bits = 8 * size;
            long number = offset.read(cpu) << 64 - bits >> 64 - bits;
            // Math.floorDiv by the word size, in bytes
            long linear = address.of(cpu, (number & -bits) >> 3);
            boolean reads = op == Op.BT;
            long value = reads ? cpu.mem.load(linear, size) : cpu.mem.loadForUpdate(linear, size, locked);
            if (cpu.pending != 0) {
                return address.fail(cpu, this);
            }
            BitAndByte.bt(cpu, value, number, bits);
            if (!reads) {
                cpu.mem.completeUpdate(changed(op, value, BitAndByte.bit(number, bits)));
            }
            return next;
        }
    }
}
