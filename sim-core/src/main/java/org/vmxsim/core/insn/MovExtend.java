package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;

/** MOVZX, MOVSX and MOVSXD. */
final class MovExtend {
    private MovExtend() {}

    static Handler zero(DecodedInstruction d) {
        if (d.first().sizeBytes == 2 || !(d.second().isRegister() || d.second().isMemory())) {
            return new ZeroGeneral(d);
        }
        if (d.second().isRegister()) {
            return new ZeroRegister(d);
        }
        return d.second().sizeBytes == 1 ? new ZeroMemory8(d) : new ZeroMemory16(d);
    }

    static Handler sign(DecodedInstruction d) {
        boolean to64 = d.first().sizeBytes == 8;
        if (!to64 || !(d.second().isRegister() || d.second().isMemory())) {
            return new SignGeneral(d);
        }
        if (d.second().isRegister()) {
            return new SignRegister64(d);
        }
        return switch (d.second().sizeBytes) {
            case 1 -> new SignMemory8To64(d);
            case 2 -> new SignMemory16To64(d);
            case 4 -> new SignMemory32To64(d);
            default -> throw new AssertionError("MOVSX from " + d.second().sizeBytes + " bytes");
        };
    }

    private static final class ZeroRegister extends RegisterRegister {
        private final long mask;

        ZeroRegister(DecodedInstruction d) {
            super(d);
            mask = d.second().sizeBytes == 1 ? 0xff : 0xffff;
        }

        @Override
        public Handler exec(Processor cpu) {
            cpu.gpr[to] = cpu.gpr[from] & mask;
            return next;
        }
    }

    private static final class SignRegister64 extends RegisterRegister {
        private final int shift;

        SignRegister64(DecodedInstruction d) {
            super(d);
            shift = 64 - 8 * d.second().sizeBytes;
        }

        @Override
        public Handler exec(Processor cpu) {
            cpu.gpr[to] = cpu.gpr[from] << shift >> shift;
            return next;
        }
    }

    private static final class ZeroMemory8 extends RegisterMemory {
        ZeroMemory8(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long value = cpu.mem.load8(address.of(cpu));
            if (cpu.pending != 0) {
                return address.fail(cpu, this);
            }
            cpu.gpr[to] = value;
            return next;
        }
    }

    private static final class ZeroMemory16 extends RegisterMemory {
        ZeroMemory16(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long value = cpu.mem.load16(address.of(cpu));
            if (cpu.pending != 0) {
                return address.fail(cpu, this);
            }
            cpu.gpr[to] = value;
            return next;
        }
    }

    private static final class SignMemory8To64 extends RegisterMemory {
        SignMemory8To64(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long value = cpu.mem.load8(address.of(cpu));
            if (cpu.pending != 0) {
                return address.fail(cpu, this);
            }
            cpu.gpr[to] = (byte) value;
            return next;
        }
    }

    private static final class SignMemory16To64 extends RegisterMemory {
        SignMemory16To64(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long value = cpu.mem.load16(address.of(cpu));
            if (cpu.pending != 0) {
                return address.fail(cpu, this);
            }
            cpu.gpr[to] = (short) value;
            return next;
        }
    }

    private static final class SignMemory32To64 extends RegisterMemory {
        SignMemory32To64(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long value = cpu.mem.load32(address.of(cpu));
            if (cpu.pending != 0) {
                return address.fail(cpu, this);
            }
            cpu.gpr[to] = (int) value;
            return next;
        }
    }

    private static final class ZeroGeneral extends Handler {
        private final Place to;
        private final Place from;

        ZeroGeneral(DecodedInstruction d) {
            to = Place.of(d, d.first(), true);
            from = Place.of(d, d.second(), false);
        }

        @Override
        public Handler exec(Processor cpu) {
            long value = from.read(cpu);
            if (cpu.pending != 0) {
                return from.fail(cpu, this);
            }
            to.write(cpu, value);
            return next;
        }
    }

    private static final class SignGeneral extends Handler {
        private final Place to;
        private final Place from;
        private final int shift;

        SignGeneral(DecodedInstruction d) {
            to = Place.of(d, d.first(), true);
            from = Place.of(d, d.second(), false);
            shift = 64 - 8 * d.second().sizeBytes;
        }

        @Override
        public Handler exec(Processor cpu) {
            long value = from.read(cpu);
            if (cpu.pending != 0) {
                return from.fail(cpu, this);
            }
            to.write(cpu, value << shift >> shift);
            return next;
        }
    }
}
