package org.vmxsim.core.x87;

/**
 * The unit's state in memory: environments and whole images. SDM Vol. 1, "Saving the x87 FPU's State with
 * FSTENV/FNSTENV and FSAVE/FNSAVE", and Vol. 2A, "FXSAVE-Save x87 FPU, MMX Technology, and SSE State".
 */
public final class X87Image {
    /** Words of an environment. */
    public static final int WORDS = 7;

    private static final int UNUSED = 0xffff_0000;
    private static final int LOW = 0xffff;
    private static final int OPCODE = 0x7ff;
    private static final int PARAGRAPH_SHIFT = 4;

    private X87Image() {}

    /**
     * The environment.
     *
     * @param state the unit
     * @param wide whether words have 32 bits
     * @param real whether pointers are linear addresses, as in real-address and virtual-8086 mode
     * @return {@value #WORDS} words; of the 16-bit format the low half counts
     */
    public static int[] environment(X87State state, boolean wide, boolean real) {
        int[] words = new int[WORDS];
        words[0] = state.control | UNUSED;
        words[1] = state.status | UNUSED;
        words[2] = state.tagWord() | UNUSED;
        int instruction = (int) state.lastInstruction;
        int data = (int) state.lastData;
        if (real) {
            instruction += state.codeSelector << PARAGRAPH_SHIFT;
            data += state.dataSelector << PARAGRAPH_SHIFT;
            words[3] = instruction & LOW | UNUSED;
            words[4] = (instruction & UNUSED) >>> PARAGRAPH_SHIFT | state.lastOpcode;
            words[5] = data & LOW | UNUSED;
            words[6] = (data & UNUSED) >>> PARAGRAPH_SHIFT;
        } else {
            words[3] = instruction;
            words[4] = state.codeSelector | (wide ? state.lastOpcode << 16 : 0);
            words[5] = data;
            words[6] = state.dataSelector | UNUSED;
        }
        return words;
    }

    /**
     * Loads the environment.
     *
     * @param state the unit
     * @param words as {@link #environment} has them
     * @param wide whether words have 32 bits
     * @param real whether pointers are linear addresses
     */
    public static void environment(X87State state, int[] words, boolean wide, boolean real) {
        state.control(words[0]);
        state.status(words[1]);
        state.tagWord(words[2]);
        long mask = wide ? 0xffff_ffffL : LOW;
        if (real) {
            int most = wide ? 0xfff_f000 : 0xf000;
            state.lastInstruction = words[3] & LOW | (words[4] & most) << PARAGRAPH_SHIFT & 0xffff_ffffL;
            state.lastOpcode = words[4] & OPCODE;
            state.lastData = words[5] & LOW | (words[6] & most) << PARAGRAPH_SHIFT & 0xffff_ffffL;
            state.codeSelector = 0;
            state.dataSelector = 0;
        } else {
            state.lastInstruction = words[3] & mask;
            state.codeSelector = words[4] & LOW;
            state.lastOpcode = wide ? words[4] >>> 16 & OPCODE : 0;
            state.lastData = words[5] & mask;
            state.dataSelector = words[6] & LOW;
        }
    }

    /**
     * The first 24 bytes of an FXSAVE image.
     *
     * @param state the unit
     * @param pointers64 whether pointers have 64 bits and no selectors
     * @return three quadwords
     */
    public static long[] legacyHeader(X87State state, boolean pointers64) {
        long first =
                state.control | (long) state.status << 16 | (long) state.valid << 32 | (long) state.lastOpcode << 48;
        long instruction = state.lastInstruction & 0xffff_ffffL | (long) state.codeSelector << 32;
        long data = state.lastData & 0xffff_ffffL | (long) state.dataSelector << 32;
        return new long[] {first, pointers64 ? state.lastInstruction : instruction, pointers64 ? state.lastData : data};
    }

    /**
     * Loads what {@link #legacyHeader} gives.
     *
     * @param state the unit
     * @param quadwords three of them
     * @param pointers64 whether pointers have 64 bits and no selectors
     */
    public static void legacyHeader(X87State state, long[] quadwords, boolean pointers64) {
        state.control((int) quadwords[0] & LOW);
        state.status((int) (quadwords[0] >>> 16) & LOW);
        state.valid = (int) (quadwords[0] >>> 32) & 0xff;
        state.lastOpcode = (int) (quadwords[0] >>> 48) & OPCODE;
        state.lastInstruction = pointers64 ? quadwords[1] : quadwords[1] & 0xffff_ffffL;
        state.codeSelector = pointers64 ? 0 : (int) (quadwords[1] >>> 32) & LOW;
        state.lastData = pointers64 ? quadwords[2] : quadwords[2] & 0xffff_ffffL;
        state.dataSelector = pointers64 ? 0 : (int) (quadwords[2] >>> 32) & LOW;
    }

    /**
     * Puts a register of the stack where an image has it; whether it is empty is the tag word's matter.
     *
     * @param state the unit
     * @param place 0 to 7
     * @param signExponent bits 79:64
     * @param significand bits 63:0
     */
    public static void register(X87State state, int place, int signExponent, long significand) {
        int register = state.physical(place);
        state.signExponents[register] = signExponent & LOW;
        state.significands[register] = significand;
    }
}
