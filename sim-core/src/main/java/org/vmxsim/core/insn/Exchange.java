package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.semantics.BinaryArithmetic;
import org.vmxsim.core.semantics.Flags;

/** XCHG, XADD, CMPXCHG, CMPXCHG8B, CMPXCHG16B. */
final class Exchange {
    private static final int GP = 13;

    private Exchange() {}

    static Handler xchg(DecodedInstruction d) {
        boolean nothing = d.opcode == 0x90 && d.first().register == d.second().register;
        return nothing ? new Nop() : new Swap(d);
    }

    static Handler xadd(DecodedInstruction d) {
        return new AddSwap(d);
    }

    static Handler cmpxchg(DecodedInstruction d) {
        return new CompareSwap(d);
    }

    static Handler cmpxchg8b(DecodedInstruction d) {
        return new CompareSwap8(d);
    }

    static Handler cmpxchg16b(DecodedInstruction d) {
        return new CompareSwap16(d);
    }

    /** XCHG; with memory always locked. */
    private static final class Swap extends Handler {
        private final Place first;
        private final Place second;

        Swap(DecodedInstruction d) {
            first = Place.of(d, d.first(), true);
            second = Place.of(d, d.second(), true);
        }

        @Override
        public Handler exec(Processor cpu) {
            long a = first.readForUpdate(cpu, true);
            if (cpu.pending != 0) {
                return first.fail(cpu, this);
            }
            long b = second.read(cpu);
            first.update(cpu, b);
            second.write(cpu, a);
            return next;
        }
    }

    private static final class AddSwap extends Handler {
        private final Place first;
        private final Place second;
        private final int bits;
        private final boolean locked;

        AddSwap(DecodedInstruction d) {
            first = Place.of(d, d.first(), true);
            second = Place.of(d, d.second(), true);
            bits = 8 * d.first().sizeBytes;
            locked = d.lock;
        }

        @Override
        public Handler exec(Processor cpu) {
            long a = first.readForUpdate(cpu, locked);
            if (cpu.pending != 0) {
                return first.fail(cpu, this);
            }
            long sum = BinaryArithmetic.add(cpu, a, second.read(cpu), bits);
            // the second is written first: if both are one register, it gets the sum
            second.write(cpu, a);
            first.update(cpu, sum);
            return next;
        }
    }

    /** CMPXCHG: a destination in memory is written in any case. */
    private static final class CompareSwap extends Handler {
        private final Place first;
        private final Place second;
        private final Place accumulator;
        private final int bits;
        private final boolean locked;

        CompareSwap(DecodedInstruction d) {
            first = Place.of(d, d.first(), true);
            second = Place.of(d, d.second(), false);
            accumulator = Place.register(CpuState.RAX, d.first().sizeBytes);
            bits = 8 * d.first().sizeBytes;
            locked = d.lock;
        }

        @Override
        public Handler exec(Processor cpu) {
            long found = first.readForUpdate(cpu, locked);
            if (cpu.pending != 0) {
                return first.fail(cpu, this);
            }
            long expected = accumulator.read(cpu);
            long replacement = second.read(cpu);
            BinaryArithmetic.sub(cpu, expected, found, bits);
            if (expected == found) {
                first.update(cpu, replacement);
            } else {
                first.keep(cpu, found);
                accumulator.write(cpu, found);
            }
            return next;
        }
    }

    private static final class CompareSwap8 extends Handler {
        private final Place memory;
        private final boolean locked;

        CompareSwap8(DecodedInstruction d) {
            memory = Place.of(d, d.first(), true);
            locked = d.lock;
        }

        @Override
        public Handler exec(Processor cpu) {
            long found = memory.readForUpdate(cpu, locked);
            if (cpu.pending != 0) {
                return memory.fail(cpu, this);
            }
            long[] r = cpu.gpr;
            long expected = r[CpuState.RDX] << 32 | r[CpuState.RAX] & 0xffff_ffffL;
            boolean equal = expected == found;
            memory.update(cpu, equal ? r[CpuState.RCX] << 32 | r[CpuState.RBX] & 0xffff_ffffL : found);
            if (!equal) {
                r[CpuState.RAX] = found & 0xffff_ffffL;
                r[CpuState.RDX] = found >>> 32;
            }
            Flags.some(cpu, Flags.ZF, equal ? Flags.ZF : 0);
            return next;
        }
    }

    private static final class CompareSwap16 extends Handler {
        private final EffectiveAddress address;

        CompareSwap16(DecodedInstruction d) {
            address = new EffectiveAddress(d, 16, true);
        }

        @Override
        public Handler exec(Processor cpu) {
            long linear = address.of(cpu);
            if ((linear & 15) != 0) {
                cpu.raise(GP, 0);
                return cpu.abort(this);
            }
            cpu.mem.slow().probe(linear, 16, true);
            long low = cpu.mem.load64(linear);
            long high = cpu.mem.load64(linear + 8);
            if (cpu.pending != 0) {
                return address.fail(cpu, this);
            }
            long[] r = cpu.gpr;
            boolean equal = low == r[CpuState.RAX] && high == r[CpuState.RDX];
            cpu.mem.store64(linear, equal ? r[CpuState.RBX] : low);
            cpu.mem.store64(linear + 8, equal ? r[CpuState.RCX] : high);
            if (!equal) {
                r[CpuState.RAX] = low;
                r[CpuState.RDX] = high;
            }
            Flags.some(cpu, Flags.ZF, equal ? Flags.ZF : 0);
            return next;
        }
    }
}
