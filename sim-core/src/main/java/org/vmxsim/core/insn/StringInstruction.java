package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.MemoryUnit;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.memory.RamBlocks;
import org.vmxsim.core.segment.SegmentLimits;
import org.vmxsim.core.semantics.BinaryArithmetic;
import org.vmxsim.core.semantics.Conditions;

/**
 * MOVS, CMPS, SCAS, LODS, STOS (SDM Vol. 1, "String Instructions"). A repeated one executes one iteration at a time and
 * stays where it is until the count or the condition ends it, so that it can be interrupted and faults with the
 * registers of the iteration.
 *
 * <p>MOVS and STOS execute several iterations as one block where nothing but the end of a page, of the count or of the
 * stretch can come between them: in pages for which the memory unit has tags. Each still retires as an instruction.
 */
abstract class StringInstruction extends Handler {
    private static final int PAGE_BYTES = 0x1000;

    final int size;
    final int bits;
    private final boolean repeated;
    private final boolean comparing;
    private final boolean whileEqual;
    private final boolean is64;
    private final int addressBytes;
    private final long addressMask;
    final int sourceSegment;
    private final int sizeShift;

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
        sizeShift = Integer.numberOfTrailingZeros(size);
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

    /**
     * Executes several iterations at once but for the registers, if they can be told from nothing.
     *
     * @param cpu the processor
     * @param most how many iterations may be executed
     * @param step what an iteration adds to the pointers
     * @return how many have been executed; 0 if the next one has to be executed by {@link #iterate}
     */
    long block(Processor cpu, long most, long step) {
        return 0;
    }

    @Override
    public final Handler exec(Processor cpu) {
        long step = (cpu.rflagsSystem & 1 << 10) == 0 ? size : -size;
        if (repeated) {
            return repeat(cpu, step);
        }
        iterate(cpu);
        if (cpu.pending != 0) {
            return cpu.abort(this);
        }
        advance(cpu, step);
        return next;
    }

    private Handler repeat(Processor cpu, long step) {
        long count = cpu.gpr[CpuState.RCX] & addressMask;
        if (count == 0) {
            return next;
        }
        // the loop retires the last iteration, and is to find the processor below its limit or at it
        long most = Math.min(cpu.limit - cpu.retired, count >>> 1 > Integer.MAX_VALUE ? Integer.MAX_VALUE : count);
        long done = most > 1 ? block(cpu, most, step) : 0;
        if (done == 0) {
            iterate(cpu);
            if (cpu.pending != 0) {
                return cpu.abort(this);
            }
            done = 1;
        }
        cpu.retired += done - 1;
        advance(cpu, done * step);
        move(cpu, CpuState.RCX, -done);
        boolean ends = done == count || comparing && Conditions.e(cpu) != whileEqual;
        cpu.repeating = !ends;
        return ends ? next : this;
    }

    /**
     * How many elements from an address on lie in its page.
     *
     * @param linear linear address of the first element
     * @param step what an iteration adds
     */
    final long inPage(long linear, long step) {
        int offset = (int) linear & PAGE_BYTES - 1;
        if (step > 0) {
            return PAGE_BYTES - offset >> sizeShift;
        }
        return offset + size <= PAGE_BYTES ? (offset >> sizeShift) + 1 : 0;
    }

    /** Whether the segment and the address size hold all elements from an offset on, the first of which it does. */
    final boolean holds(Processor cpu, int segment, int pointer, long last) {
        if (addressBytes == 8) {
            return true;
        }
        // in one page, so that nothing between the first and the last can be missing
        long offset = (cpu.gpr[pointer] & addressMask) + last;
        boolean wraps = offset < 0 || offset + size - 1 > addressMask;
        return !wraps && (is64 || SegmentLimits.contains(cpu.segments[segment], offset, size));
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

    private static RamBlocks blocks(Processor cpu) {
        return cpu.tables.memory().blocks();
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
        long block(Processor cpu, long most, long step) {
            long source = source(cpu);
            long from = cpu.mem.readPlace(source);
            if (from < 0) {
                return 0;
            }
            long destination = destination(cpu, true);
            long to = cpu.mem.writePlace(destination);
            long count = Math.min(most, Math.min(inPage(source, step), inPage(destination, step)));
            long last = (count - 1) * step;
            boolean possible = to >= 0
                    && count > 1
                    && holds(cpu, sourceSegment, CpuState.RSI, last)
                    && holds(cpu, CpuState.ES, CpuState.RDI, last);
            long lowest = Math.min(last, 0);
            return possible && blocks(cpu).move(from + lowest, to + lowest, size, (int) count, step < 0) ? count : 0;
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
        long block(Processor cpu, long most, long step) {
            long destination = destination(cpu, true);
            long to = cpu.mem.writePlace(destination);
            long count = Math.min(most, inPage(destination, step));
            long last = (count - 1) * step;
            if (to < 0 || count <= 1 || !holds(cpu, CpuState.ES, CpuState.RDI, last)) {
                return 0;
            }
            blocks(cpu).fill(to + Math.min(last, 0), size, cpu.gpr[CpuState.RAX], (int) count);
            return count;
        }

        @Override
        void advance(Processor cpu, long step) {
            move(cpu, CpuState.RDI, step);
        }
    }
}
