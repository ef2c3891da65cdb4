package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;

/** MOV between general registers, memory and immediates. */
final class Mov {
    private Mov() {}

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
            case OTHER -> small(d);
        };
    }

    private static Handler small(DecodedInstruction d) {
        boolean bytes = d.first().sizeBytes == 1;
        if (bytes && d.first().isRegister() && d.second().isMemory()) {
            return new RegMem8(d);
        }
        return bytes && d.first().isMemory() && d.second().isRegister() ? new MemReg8(d) : new General(d);
    }

    private static final class RegReg64 extends RegisterRegister {
        RegReg64(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            cpu.gpr[to] = cpu.gpr[from];
            return next;
        }
    }

    private static final class RegImm64 extends RegisterImmediate {
        RegImm64(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            cpu.gpr[to] = immediate;
            return next;
        }
    }

    private static final class RegMem64 extends RegisterMemory {
        RegMem64(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long value = cpu.mem.load64(address.of(cpu));
            if (cpu.pending != 0) {
                return address.fail(cpu, this);
            }
            cpu.gpr[to] = value;
            return next;
        }
    }

    private static final class MemReg64 extends MemoryRegister {
        MemReg64(DecodedInstruction d) {
            super(d, true);
        }

        @Override
        public Handler exec(Processor cpu) {
            cpu.mem.store64(address.of(cpu), cpu.gpr[from]);
            return cpu.pending == 0 ? next : address.fail(cpu, this);
        }
    }

    private static final class MemImm64 extends MemoryImmediate {
        MemImm64(DecodedInstruction d) {
            super(d, true);
        }

        @Override
        public Handler exec(Processor cpu) {
            cpu.mem.store64(address.of(cpu), immediate);
            return cpu.pending == 0 ? next : address.fail(cpu, this);
        }
    }

    private static final class RegReg32 extends RegisterRegister {
        RegReg32(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            cpu.gpr[to] = cpu.gpr[from] & 0xffff_ffffL;
            return next;
        }
    }

    private static final class RegImm32 extends RegisterImmediate {
        RegImm32(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            cpu.gpr[to] = immediate & 0xffff_ffffL;
            return next;
        }
    }

    private static final class RegMem32 extends RegisterMemory {
        RegMem32(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long value = cpu.mem.load32(address.of(cpu));
            if (cpu.pending != 0) {
                return address.fail(cpu, this);
            }
            cpu.gpr[to] = value;
            return next;
        }
    }

    private static final class MemReg32 extends MemoryRegister {
        MemReg32(DecodedInstruction d) {
            super(d, true);
        }

        @Override
        public Handler exec(Processor cpu) {
            cpu.mem.store32(address.of(cpu), cpu.gpr[from]);
            return cpu.pending == 0 ? next : address.fail(cpu, this);
        }
    }

    private static final class MemImm32 extends MemoryImmediate {
        MemImm32(DecodedInstruction d) {
            super(d, true);
        }

        @Override
        public Handler exec(Processor cpu) {
            cpu.mem.store32(address.of(cpu), immediate);
            return cpu.pending == 0 ? next : address.fail(cpu, this);
        }
    }

    private static final class RegMem8 extends RegisterMemory {
        RegMem8(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long value = cpu.mem.load8(address.of(cpu));
            if (cpu.pending != 0) {
                return address.fail(cpu, this);
            }
            cpu.gpr[to] = cpu.gpr[to] & ~0xffL | value;
            return next;
        }
    }

    private static final class MemReg8 extends MemoryRegister {
        MemReg8(DecodedInstruction d) {
            super(d, true);
        }

        @Override
        public Handler exec(Processor cpu) {
            cpu.mem.store8(address.of(cpu), cpu.gpr[from]);
            return cpu.pending == 0 ? next : address.fail(cpu, this);
        }
    }

    private static final class General extends Handler {
        private final Place to;
        private final Place from;

        General(DecodedInstruction d) {
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
            return cpu.pending == 0 ? next : to.fail(cpu, this);
        }
    }
}
