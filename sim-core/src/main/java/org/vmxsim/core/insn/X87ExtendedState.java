package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Op;
import org.vmxsim.core.x87.X87Image;
import org.vmxsim.core.x87.X87State;

/**
 * FXSAVE and FXRSTOR. SDM Vol. 2A, "FXSAVE-Save x87 FPU, MMX Technology, and SSE State". Without SSE there are neither
 * XMM registers nor MXCSR: their parts of the area are not touched, as they need not be while CR4.OSFXSR is 0.
 */
final class X87ExtendedState extends X87Instruction {
    private static final int SIZE_BYTES = 512;
    private static final int HEADER_WORDS = 3;
    private static final int REGISTERS_AT = 32;
    private static final int SLOT_BYTES = 16;
    private static final int REGISTERS = 8;
    private static final int QUADWORD = 8;
    private static final int ALIGNMENT = 16;

    private final boolean stores;
    private final boolean pointers64;

    X87ExtendedState(DecodedInstruction d) {
        super(d, Kind.CONTROL, SIZE_BYTES, d.op == Op.FXSAVE);
        stores = d.op == Op.FXSAVE;
        pointers64 = d.is64() && d.operandSizeBytes == 8;
    }

    @Override
    void perform(Processor cpu, long linear) {
        if ((linear & ALIGNMENT - 1) != 0) {
            cpu.raise(GP, 0);
        } else if (stores) {
            store(cpu, linear);
        } else {
            load(cpu, linear);
        }
    }

    private void store(Processor cpu, long linear) {
        X87State state = cpu.x87.state();
        X87Block.probe(cpu, linear, SIZE_BYTES);
        long[] header = X87Image.legacyHeader(state, pointers64);
        for (int i = 0; i < HEADER_WORDS && cpu.pending == Processor.NOTHING; i++) {
            cpu.mem.store64(X87Block.at(cpu, linear, i * QUADWORD), header[i]);
        }
        for (int i = 0; i < REGISTERS && cpu.pending == Processor.NOTHING; i++) {
            int register = state.physical(i);
            int offset = REGISTERS_AT + i * SLOT_BYTES;
            cpu.mem.store64(X87Block.at(cpu, linear, offset), state.significands[register]);
            cpu.mem.store64(X87Block.at(cpu, linear, offset + QUADWORD), state.signExponents[register]);
        }
    }

    private void load(Processor cpu, long linear) {
        long[] words = new long[HEADER_WORDS + 2 * REGISTERS];
        for (int i = 0; i < words.length && cpu.pending == Processor.NOTHING; i++) {
            int offset = i < HEADER_WORDS ? i * QUADWORD : REGISTERS_AT + (i - HEADER_WORDS) * QUADWORD;
            words[i] = cpu.mem.load64(X87Block.at(cpu, linear, offset));
        }
        if (cpu.pending != Processor.NOTHING) {
            return;
        }
        X87State state = cpu.x87.state();
        X87Image.legacyHeader(state, words, pointers64);
        for (int i = 0; i < REGISTERS; i++) {
            int at = HEADER_WORDS + 2 * i;
            X87Image.register(state, i, (int) words[at + 1], words[at]);
        }
    }
}
