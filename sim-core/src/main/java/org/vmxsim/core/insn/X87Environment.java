package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Op;
import org.vmxsim.core.x87.X87Image;
import org.vmxsim.core.x87.X87State;

/** FNSTENV, FLDENV, FNSAVE and FRSTOR. SDM Vol. 2A, "FSTENV/FNSTENV-Store x87 FPU Environment" and the others. */
final class X87Environment extends X87Instruction {
    private static final int REGISTERS = 8;
    private static final int REGISTER_BYTES = 10;
    private static final int QUADWORD = 8;

    private final boolean stores;
    private final boolean whole;
    private final int wordBytes;

    X87Environment(DecodedInstruction d) {
        super(d, stores(d) ? Kind.CONTROL : Kind.WAITING, sizeBytes(d), stores(d));
        stores = stores(d);
        whole = whole(d);
        wordBytes = wordBytes(d);
    }

    private static boolean stores(DecodedInstruction d) {
        return d.op == Op.FNSTENV || d.op == Op.FNSAVE;
    }

    private static boolean whole(DecodedInstruction d) {
        return d.op == Op.FNSAVE || d.op == Op.FRSTOR;
    }

    private static int wordBytes(DecodedInstruction d) {
        return d.operandSizeBytes == 2 ? 2 : 4;
    }

    private static int sizeBytes(DecodedInstruction d) {
        return X87Image.WORDS * wordBytes(d) + (whole(d) ? REGISTERS * REGISTER_BYTES : 0);
    }

    @Override
    void perform(Processor cpu, long linear) {
        boolean real = (cpu.cr0 & 1) == 0 || (cpu.rflagsSystem & 1 << 17) != 0;
        if (stores) {
            store(cpu, linear, real);
        } else {
            load(cpu, linear, real);
        }
    }

    private void store(Processor cpu, long linear, boolean real) {
        X87State state = cpu.x87.state();
        int[] words = X87Image.environment(state, wordBytes == 4, real);
        int registers = X87Image.WORDS * wordBytes;
        X87Block.probe(cpu, linear, registers + (whole ? REGISTERS * REGISTER_BYTES : 0));
        for (int i = 0; i < words.length && cpu.pending == Processor.NOTHING; i++) {
            cpu.mem.store(X87Block.at(cpu, linear, i * wordBytes), wordBytes, words[i]);
        }
        for (int i = 0; whole && i < REGISTERS && cpu.pending == Processor.NOTHING; i++) {
            int offset = registers + i * REGISTER_BYTES;
            int register = state.physical(i);
            // by twos: the area is aligned like its words, not like quadwords
            for (int piece = 0; piece < QUADWORD && cpu.pending == Processor.NOTHING; piece += 2) {
                long bits = state.significands[register] >>> 8 * piece;
                cpu.mem.store16(X87Block.at(cpu, linear, offset + piece), bits & 0xffff);
            }
            cpu.mem.store16(X87Block.at(cpu, linear, offset + QUADWORD), state.signExponents[register]);
        }
        if (cpu.pending != Processor.NOTHING) {
            return;
        }
        if (whole) {
            state.initialize();
        } else {
            state.control(state.control | X87State.EXCEPTIONS);
        }
    }

    private void load(Processor cpu, long linear, boolean real) {
        int[] words = new int[X87Image.WORDS];
        for (int i = 0; i < words.length && cpu.pending == Processor.NOTHING; i++) {
            words[i] = (int) cpu.mem.load(X87Block.at(cpu, linear, i * wordBytes), wordBytes);
        }
        long[] significands = new long[REGISTERS];
        int[] signExponents = new int[REGISTERS];
        for (int i = 0; whole && i < REGISTERS && cpu.pending == Processor.NOTHING; i++) {
            int offset = X87Image.WORDS * wordBytes + i * REGISTER_BYTES;
            for (int piece = 0; piece < QUADWORD && cpu.pending == Processor.NOTHING; piece += 2) {
                significands[i] |= (cpu.mem.load16(X87Block.at(cpu, linear, offset + piece)) & 0xffffL) << 8 * piece;
            }
            if (cpu.pending == Processor.NOTHING) {
                signExponents[i] = (int) cpu.mem.load16(X87Block.at(cpu, linear, offset + QUADWORD));
            }
        }
        if (cpu.pending != Processor.NOTHING) {
            return;
        }
        X87State state = cpu.x87.state();
        X87Image.environment(state, words, wordBytes == 4, real);
        for (int i = 0; whole && i < REGISTERS; i++) {
            X87Image.register(state, i, signExponents[i], significands[i]);
        }
    }
}
