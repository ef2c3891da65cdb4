package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.MemoryUnit;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.semantics.BinaryArithmetic;
import org.vmxsim.core.semantics.Conditions;

/**
 * MOVS, CMPS, SCAS, LODS, STOS (SDM Vol. 1, "String Instructions"). A repeated one executes one iteration at a time and
 * stays where it is until the count or the condition ends it, so that it can be interrupted and faults with the
 * registers of the iteration.
 */
abstract class StringInstruction extends Handler {
    final int size;
    final int bits;
    private final boolean repeated;
    private final boolean comparing;
    private final boolean whileEqual;
    private final boolean is64;
    private final int addressBytes;
    private final long addressMask;
    private final int sourceSegment;

    private StringInstruction(DecodedInstruction d, boolean comparing) {
        size = d.first().sizeBytes;
        bits = 8 * size;
        repeated = d.repeat != 0;
        this.comparing = comparing;
        whileEqual = d.repeat == 0xf3;
        is64 = d.is64();
        addressBytes = d.addressSizeBytes;
        addressMask = addressBytes == 8 ? -1 : (1L << 8 * addressBytes) - 1;
        sourceSegment = d.segment;
    }

    static Handler of(DecodedInstruction d) {
        return switch (d.op) {
            case MOVS -> new Move(d);
            case CMPS -> new Compare(d);
            case SCAS -> new Scan(d);
            case LODS -> new Load(d);
            case STOS -> new Store(d);
            default -> throw new AssertionError(d.op);
        };
    }

    /** One iteration up to the last access; registers stay. If something is pending, it has no effect. */
    abstract void iterate(Processor cpu);

    /** Moves the pointers by a step. */
    abstract void advance(Processor cpu, long step);

    @Override
    public final Handler exec(Processor cpu) {
        long[] r = cpu.gpr;
        if (repeated && (r[CpuState.RCX] & addressMask) == 0) {
            return next;
        }
        iterate(cpu);
        if (cpu.pending != 0) {
            return cpu.abort(this);
        }
        advance(cpu, (cpu.rflagsSystem & 1 << 10) == 0 ? size : -size);
        if (!repeated) {
            return next;
        }
        move(cpu, CpuState.RCX, -1);
        boolean ends = (r[CpuState.RCX] & addressMask) == 0 || comparing && Conditions.e(cpu) != whileEqual;
        cpu.repeating = !ends;
        return ends ? next : this;
    }

    final long source(Processor cpu) {
        long offset = cpu.gpr[CpuState.RSI] & addressMask;
        if (is64) {
            return sourceSegment >= CpuState.FS ? offset + cpu.segments[sourceSegment].base : offset;
        }
        return SegmentAccess.linear(cpu, sourceSegment, offset, size, false);
    }

    final long destination(Processor cpu, boolean write) {
        long offset = cpu.gpr[CpuState.RDI] & addressMask;
        return is64 ? offset : SegmentAccess.linear(cpu, CpuState.ES, offset, size, write);
    }

    /** Adds to a register in the address size: 16 bits leave the rest alone, 32 bits clear the upper half. */
    final void move(Processor cpu, int register, long by) {
        long value = cpu.gpr[register];
        cpu.gpr[register] = addressBytes == 2 ? value & ~0xffffL | value + by & 0xffff : value + by & addressMask;
    }

    private static final class Move extends StringInstruction {
        Move(DecodedInstruction d) {
            super(d, false);
        }

        @Override
        void iterate(Processor cpu) {
            MemoryUnit mem = cpu.mem;
            long value = mem.load(source(cpu), size);
            if (cpu.pending == 0) {
                mem.store(destination(cpu, true), size, value);
            }
        }

        @Override
        void advance(Processor cpu, long step) {
            move(cpu, CpuState.RSI, step);
            move(cpu, CpuState.RDI, step);
        }
    }

    private static final class Compare extends StringInstruction {
        Compare(DecodedInstruction d) {
            super(d, true);
        }

        @Override
        void iterate(Processor cpu) {
            long a = cpu.mem.load(source(cpu), size);
            if (cpu.pending != 0) {
                return;
            }
            long b = cpu.mem.load(destination(cpu, false), size);
            if (cpu.pending == 0) {
                BinaryArithmetic.sub(cpu, a, b, bits);
            }
        }

        @Override
        void advance(Processor cpu, long step) {
            move(cpu, CpuState.RSI, step);
            move(cpu, CpuState.RDI, step);
        }
    }

    private static final class Scan extends StringInstruction {
        Scan(DecodedInstruction d) {
            super(d, true);
        }

        @Override
        void iterate(Processor cpu) {
            long b = cpu.mem.load(destination(cpu, false), size);
            if (cpu.pending == 0) {
                BinaryArithmetic.sub(cpu, cpu.gpr[CpuState.RAX], b, bits);
            }
        }

        @Override
        void advance(Processor cpu, long step) {
            move(cpu, CpuState.RDI, step);
        }
    }

    private static final class Load extends StringInstruction {
        private final Place accumulator;

        Load(DecodedInstruction d) {
            super(d, false);
            accumulator = Place.register(CpuState.RAX, size);
        }

        @Override
        void iterate(Processor cpu) {
            long value = cpu.mem.load(source(cpu), size);
            if (cpu.pending == 0) {
                accumulator.write(cpu, value);
            }
        }

        @Override
        void advance(Processor cpu, long step) {
            move(cpu, CpuState.RSI, step);
        }
    }

    private static final class Store extends StringInstruction {
        Store(DecodedInstruction d) {
            super(d, false);
        }

        @Override
        void iterate(Processor cpu) {
            cpu.mem.store(destination(cpu, true), size, cpu.gpr[CpuState.RAX]);
        }

        @Override
        void advance(Processor cpu, long step) {
            move(cpu, CpuState.RDI, step);
        }
    }
}
