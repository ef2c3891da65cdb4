package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;

/** LEA. */
final class Lea {
    private Lea() {}

    static Handler of(DecodedInstruction d) {
        return switch (d.operandSizeBytes) {
            case 8 -> d.addressSizeBytes == 8 && !d.ripRelative ? new Plain64(d) : new Lea64(d);
            case 4 -> new Lea32(d);
            default -> new Lea16(d);
        };
    }

    /** Base plus scaled index plus displacement, nothing truncated. */
    private static final class Plain64 extends Handler {
        private final int to;
        private final int base;
        private final int index;
        private final int shift;
        private final long displacement;

        Plain64(DecodedInstruction d) {
            to = d.first().register;
            base = d.base;
            index = d.index;
            shift = d.scaleShift;
            displacement = d.displacement;
        }

        @Override
        public Handler exec(Processor cpu) {
            long[] r = cpu.gpr;
            r[to] = r[base] + (r[index] << shift) + displacement;
            return next;
        }
    }

    private static final class Lea64 extends Handler {
        private final int to;
        private final EffectiveAddress address;

        Lea64(DecodedInstruction d) {
            to = d.first().register;
            address = new EffectiveAddress(d, 0, false);
        }

        @Override
        public Handler exec(Processor cpu) {
            cpu.gpr[to] = address.offset(cpu);
            return next;
        }
    }

    private static final class Lea32 extends Handler {
        private final int to;
        private final EffectiveAddress address;

        Lea32(DecodedInstruction d) {
            to = d.first().register;
            address = new EffectiveAddress(d, 0, false);
        }

        @Override
        public Handler exec(Processor cpu) {
            cpu.gpr[to] = address.offset(cpu) & 0xffff_ffffL;
            return next;
        }
    }

    private static final class Lea16 extends Handler {
        private final Place to;
        private final EffectiveAddress address;

        Lea16(DecodedInstruction d) {
            to = Place.of(d, d.first(), true);
            address = new EffectiveAddress(d, 0, false);
        }

        @Override
        public Handler exec(Processor cpu) {
            to.write(cpu, address.offset(cpu));
            return next;
        }
    }
}
