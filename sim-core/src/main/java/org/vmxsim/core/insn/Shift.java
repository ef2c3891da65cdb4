package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.semantics.ShiftRotate;

/**
 * Shifts and rotates by an immediate or by CL; registers of 32 and 64 bits by an immediate have classes of their own.
 */
final class Shift {
    private Shift() {}

    static Handler rol(DecodedInstruction d) {
        return switch (Form.of(d)) {
            case REG_IMM_64 -> new RolImm64(d);
            case REG_IMM_32 -> new RolImm32(d);
            case REG_REG_64,
                    REG_MEM_64,
                    MEM_REG_64,
                    MEM_IMM_64,
                    REG_REG_32,
                    REG_MEM_32,
                    MEM_REG_32,
                    MEM_IMM_32,
                    OTHER -> new Rol(d);
        };
    }

    static Handler ror(DecodedInstruction d) {
        return switch (Form.of(d)) {
            case REG_IMM_64 -> new RorImm64(d);
            case REG_IMM_32 -> new RorImm32(d);
            case REG_REG_64,
                    REG_MEM_64,
                    MEM_REG_64,
                    MEM_IMM_64,
                    REG_REG_32,
                    REG_MEM_32,
                    MEM_REG_32,
                    MEM_IMM_32,
                    OTHER -> new Ror(d);
        };
    }

    static Handler rcl(DecodedInstruction d) {
        return new Rcl(d);
    }

    static Handler rcr(DecodedInstruction d) {
        return new Rcr(d);
    }

    static Handler shl(DecodedInstruction d) {
        return switch (Form.of(d)) {
            case REG_IMM_64 -> new ShlImm64(d);
            case REG_IMM_32 -> new ShlImm32(d);
            case REG_REG_64,
                    REG_MEM_64,
                    MEM_REG_64,
                    MEM_IMM_64,
                    REG_REG_32,
                    REG_MEM_32,
                    MEM_REG_32,
                    MEM_IMM_32,
                    OTHER -> new Shl(d);
        };
    }

    static Handler shr(DecodedInstruction d) {
        return switch (Form.of(d)) {
            case REG_IMM_64 -> new ShrImm64(d);
            case REG_IMM_32 -> new ShrImm32(d);
            case REG_REG_64,
                    REG_MEM_64,
                    MEM_REG_64,
                    MEM_IMM_64,
                    REG_REG_32,
                    REG_MEM_32,
                    MEM_REG_32,
                    MEM_IMM_32,
                    OTHER -> new Shr(d);
        };
    }

    static Handler sar(DecodedInstruction d) {
        return switch (Form.of(d)) {
            case REG_IMM_64 -> new SarImm64(d);
            case REG_IMM_32 -> new SarImm32(d);
            case REG_REG_64,
                    REG_MEM_64,
                    MEM_REG_64,
                    MEM_IMM_64,
                    REG_REG_32,
                    REG_MEM_32,
                    MEM_REG_32,
                    MEM_IMM_32,
                    OTHER -> new Sar(d);
        };
    }

    private static final class RolImm64 extends RegisterImmediate {
        RolImm64(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            cpu.gpr[to] = ShiftRotate.rol(cpu, cpu.gpr[to], immediate, 64);
            return next;
        }
    }

    private static final class RolImm32 extends RegisterImmediate {
        RolImm32(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            cpu.gpr[to] = ShiftRotate.rol(cpu, cpu.gpr[to], immediate, 32) & 0xffff_ffffL;
            return next;
        }
    }

    private static final class Rol extends BinaryUpdate {
        Rol(DecodedInstruction d) {
            super(d);
        }

        @Override
        long apply(Processor cpu, long a, long b) {
            return ShiftRotate.rol(cpu, a, b, bits);
        }
    }

    private static final class RorImm64 extends RegisterImmediate {
        RorImm64(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            cpu.gpr[to] = ShiftRotate.ror(cpu, cpu.gpr[to], immediate, 64);
            return next;
        }
    }

    private static final class RorImm32 extends RegisterImmediate {
        RorImm32(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            cpu.gpr[to] = ShiftRotate.ror(cpu, cpu.gpr[to], immediate, 32) & 0xffff_ffffL;
            return next;
        }
    }

    private static final class Ror extends BinaryUpdate {
        Ror(DecodedInstruction d) {
            super(d);
        }

        @Override
        long apply(Processor cpu, long a, long b) {
            return ShiftRotate.ror(cpu, a, b, bits);
        }
    }

    private static final class Rcl extends BinaryUpdate {
        Rcl(DecodedInstruction d) {
            super(d);
        }

        @Override
        long apply(Processor cpu, long a, long b) {
            return ShiftRotate.rcl(cpu, a, b, bits);
        }
    }

    private static final class Rcr extends BinaryUpdate {
        Rcr(DecodedInstruction d) {
            super(d);
        }

        @Override
        long apply(Processor cpu, long a, long b) {
            return ShiftRotate.rcr(cpu, a, b, bits);
        }
    }

    private static final class ShlImm64 extends RegisterImmediate {
        ShlImm64(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            cpu.gpr[to] = ShiftRotate.shl(cpu, cpu.gpr[to], immediate, 64);
            return next;
        }
    }

    private static final class ShlImm32 extends RegisterImmediate {
        ShlImm32(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            cpu.gpr[to] = ShiftRotate.shl(cpu, cpu.gpr[to], immediate, 32) & 0xffff_ffffL;
            return next;
        }
    }

    private static final class Shl extends BinaryUpdate {
        Shl(DecodedInstruction d) {
            super(d);
        }

        @Override
        long apply(Processor cpu, long a, long b) {
            return ShiftRotate.shl(cpu, a, b, bits);
        }
    }

    private static final class ShrImm64 extends RegisterImmediate {
        ShrImm64(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            cpu.gpr[to] = ShiftRotate.shr(cpu, cpu.gpr[to], immediate, 64);
            return next;
        }
    }

    private static final class ShrImm32 extends RegisterImmediate {
        ShrImm32(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            cpu.gpr[to] = ShiftRotate.shr(cpu, cpu.gpr[to], immediate, 32) & 0xffff_ffffL;
            return next;
        }
    }

    private static final class Shr extends BinaryUpdate {
        Shr(DecodedInstruction d) {
            super(d);
        }

        @Override
        long apply(Processor cpu, long a, long b) {
            return ShiftRotate.shr(cpu, a, b, bits);
        }
    }

    private static final class SarImm64 extends RegisterImmediate {
        SarImm64(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            cpu.gpr[to] = ShiftRotate.sar(cpu, cpu.gpr[to], immediate, 64);
            return next;
        }
    }

    private static final class SarImm32 extends RegisterImmediate {
        SarImm32(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            cpu.gpr[to] = ShiftRotate.sar(cpu, cpu.gpr[to], immediate, 32) & 0xffff_ffffL;
            return next;
        }
    }

    private static final class Sar extends BinaryUpdate {
        Sar(DecodedInstruction d) {
            super(d);
        }

        @Override
        long apply(Processor cpu, long a, long b) {
            return ShiftRotate.sar(cpu, a, b, bits);
        }
    }
}
