package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.semantics.BinaryArithmetic;

/** SUB. */
final class Sub {
    private Sub() {}

    static Handler of(DecodedInstruction d) {
        return switch (Form.of(d)) {
            case REG_REG_64 -> new RegReg64(d);
            case REG_IMM_64 -> new RegImm64(d);
            case REG_MEM_64 -> new RegMem64(d);
            case MEM_REG_64 -> new MemReg64(d);
            case MEM_IMM_64 -> new MemImm64(d);
            case REG_REG_32 -> new RegReg32(d);
            case REG_IMM_32 -> new RegImm32(d);
            case REG_MEM_32 -> new RegMem32(d);
            case MEM_REG_32 -> new MemReg32(d);
            case MEM_IMM_32 -> new MemImm32(d);
            case OTHER -> new General(d);
        };
    }

    private static final class RegReg64 extends RegisterRegister {
        RegReg64(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long[] r = cpu.gpr;
            r[to] = BinaryArithmetic.sub(cpu, r[to], r[from], 64);
            return next;
        }
    }

    private static final class RegImm64 extends RegisterImmediate {
        RegImm64(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long[] r = cpu.gpr;
            r[to] = BinaryArithmetic.sub(cpu, r[to], immediate, 64);
            return next;
        }
    }

    private static final class RegMem64 extends RegisterMemory {
        RegMem64(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long b = cpu.mem.load64(address.of(cpu));
            if (cpu.pending != 0) {
                return address.fail(cpu, this);
            }
            long[] r = cpu.gpr;
            r[to] = BinaryArithmetic.sub(cpu, r[to], b, 64);
            return next;
        }
    }

    private static final class MemReg64 extends MemoryRegister {
        MemReg64(DecodedInstruction d) {
            super(d, true);
        }

        @Override
        public Handler exec(Processor cpu) {
            long a = cpu.mem.loadForUpdate(address.of(cpu), 8, false);
            if (cpu.pending != 0) {
                return address.fail(cpu, this);
            }
            cpu.mem.completeUpdate(BinaryArithmetic.sub(cpu, a, cpu.gpr[from], 64));
            return next;
        }
    }

    private static final class MemImm64 extends MemoryImmediate {
        MemImm64(DecodedInstruction d) {
            super(d, true);
        }

        @Override
        public Handler exec(Processor cpu) {
            long a = cpu.mem.loadForUpdate(address.of(cpu), 8, false);
            if (cpu.pending != 0) {
                return address.fail(cpu, this);
            }
            cpu.mem.completeUpdate(BinaryArithmetic.sub(cpu, a, immediate, 64));
            return next;
        }
    }

    private static final class RegReg32 extends RegisterRegister {
        RegReg32(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long[] r = cpu.gpr;
            r[to] = BinaryArithmetic.sub(cpu, r[to], r[from], 32) & 0xffff_ffffL;
            return next;
        }
    }

    private static final class RegImm32 extends RegisterImmediate {
        RegImm32(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long[] r = cpu.gpr;
            r[to] = BinaryArithmetic.sub(cpu, r[to], immediate, 32) & 0xffff_ffffL;
            return next;
        }
    }

    private static final class RegMem32 extends RegisterMemory {
        RegMem32(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long b = cpu.mem.load32(address.of(cpu));
            if (cpu.pending != 0) {
                return address.fail(cpu, this);
            }
            long[] r = cpu.gpr;
            r[to] = BinaryArithmetic.sub(cpu, r[to], b, 32) & 0xffff_ffffL;
            return next;
        }
    }

    private static final class MemReg32 extends MemoryRegister {
        MemReg32(DecodedInstruction d) {
            super(d, true);
        }

        @Override
        public Handler exec(Processor cpu) {
            long a = cpu.mem.loadForUpdate(address.of(cpu), 4, false);
            if (cpu.pending != 0) {
                return address.fail(cpu, this);
            }
            cpu.mem.completeUpdate(BinaryArithmetic.sub(cpu, a, cpu.gpr[from], 32));
            return next;
        }
    }

    private static final class MemImm32 extends MemoryImmediate {
        MemImm32(DecodedInstruction d) {
            super(d, true);
        }

        @Override
        public Handler exec(Processor cpu) {
            long a = cpu.mem.loadForUpdate(address.of(cpu), 4, false);
            if (cpu.pending != 0) {
                return address.fail(cpu, this);
            }
            cpu.mem.completeUpdate(BinaryArithmetic.sub(cpu, a, immediate, 32));
            return next;
        }
    }

    private static final class General extends BinaryUpdate {
        General(DecodedInstruction d) {
            super(d);
        }

        @Override
        long apply(Processor cpu, long a, long b) {
            return BinaryArithmetic.sub(cpu, a, b, bits);
        }
    }
}
