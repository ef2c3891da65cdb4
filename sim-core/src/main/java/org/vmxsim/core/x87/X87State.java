package org.vmxsim.core.x87;

import java.util.Arrays;

/**
 * The registers of the x87 unit: plain data. SDM Vol. 1, "x87 FPU Execution Environment". A register that is marked
 * empty keeps its content.
 */
public final class X87State {
    /** Exception flag and mask: invalid operation. */
    public static final int IE = 1;
    /** Exception flag and mask: denormal operand. */
    public static final int DE = 1 << 1;
    /** Exception flag and mask: division by zero. */
    public static final int ZE = 1 << 2;
    /** Exception flag and mask: overflow. */
    public static final int OE = 1 << 3;
    /** Exception flag and mask: underflow. */
    public static final int UE = 1 << 4;
    /** Exception flag and mask: inexact result. */
    public static final int PE = 1 << 5;
    /** All six exceptions. */
    public static final int EXCEPTIONS = 0x3f;
    /** Status word: stack fault. */
    public static final int SF = 1 << 6;
    /** Status word: an exception that is not masked waits. */
    public static final int ES = 1 << 7;
    /** Status word: condition code 0. */
    public static final int C0 = 1 << 8;
    /** Status word: condition code 1, also "rounded up" and "stack overflow". */
    public static final int C1 = 1 << 9;
    /** Status word: condition code 2. */
    public static final int C2 = 1 << 10;
    /** Status word: condition code 3. */
    public static final int C3 = 1 << 14;
    /** Status word: busy, the same as {@link #ES}. */
    public static final int BUSY = 1 << 15;
    /** Status word: where TOP begins, three bits. */
    public static final int TOP_SHIFT = 11;

    private static final int REGISTERS = 8;
    private static final int CONTROL_BITS = 0x1f7f;
    private static final int CONTROL_ONE = 0x40;

    /** Significands of the physical registers R0 to R7, with the explicit integer bit. */
    public final long[] significands = new long[REGISTERS];
    /** Signs (bit 15) and biased exponents (bits 14:0) of R0 to R7. */
    public final int[] signExponents = new int[REGISTERS];
    /** Control word. SDM table "IA-32 and Intel 64 Processor States Following Power-up, Reset, or INIT". */
    public int control = CONTROL_ONE;
    /** Status word, TOP included. */
    public int status;
    /** Bit n is set if Rn is not empty. */
    public int valid = 0xff;
    /** Opcode of the last instruction that was no control instruction: low 3 bits of the first byte, and the second. */
    public int lastOpcode;
    /** Its offset in the code segment. */
    public long lastInstruction;
    /** Offset of its memory operand. */
    public long lastData;
    /** Selector of its code segment; 0 on processors that do not save it. */
    public int codeSelector;
    /** Selector of its operand's segment; 0 on processors that do not save it. */
    public int dataSelector;

    /** The state after power-up: eight zeros, all exceptions unmasked. INIT leaves the unit as it is. */
    public X87State() {}

    /** FNINIT: 037F, no exceptions, all registers empty. */
    public void initialize() {
        control = 0x37f;
        status = 0;
        valid = 0;
        lastOpcode = 0;
        lastInstruction = 0;
        lastData = 0;
        codeSelector = 0;
        dataSelector = 0;
    }

    /**
     * Takes all registers of another unit.
     *
     * @param other the unit to copy
     */
    public void set(X87State other) {
        System.arraycopy(other.significands, 0, significands, 0, REGISTERS);
        System.arraycopy(other.signExponents, 0, signExponents, 0, REGISTERS);
        control = other.control;
        status = other.status;
        valid = other.valid;
        lastOpcode = other.lastOpcode;
        lastInstruction = other.lastInstruction;
        lastData = other.lastData;
        codeSelector = other.codeSelector;
        dataSelector = other.dataSelector;
    }

    /**
     * Loads the control word; reserved bits keep their fixed values, and exceptions may come to wait or be masked.
     *
     * @param value 16 bits
     */
    public void control(int value) {
        control = value & CONTROL_BITS | CONTROL_ONE;
        summarize();
    }

    /**
     * Loads the status word; ES and B are computed.
     *
     * @param value 16 bits
     */
    public void status(int value) {
        status = value & 0xffff;
        summarize();
    }

    /** Sets ES and B by flags and masks. */
    void summarize() {
        boolean waits = (status & ~control & EXCEPTIONS) != 0;
        status = status & ~(ES | BUSY) | (waits ? ES | BUSY : 0);
    }

    /**
     * Number of the physical register at a place of the stack.
     *
     * @param place 0 for ST(0), 7 or -1 for the one that a push fills
     * @return 0 to 7
     */
    public int physical(int place) {
        return (status >>> TOP_SHIFT) + place & REGISTERS - 1;
    }

    boolean isEmpty(int place) {
        return (valid >>> physical(place) & 1) == 0;
    }

    /** Moves TOP. */
    void turn(int by) {
        status = status & ~(7 << TOP_SHIFT) | physical(by) << TOP_SHIFT;
    }

    void free(int place) {
        valid &= ~(1 << physical(place));
    }

    void put(int place, int signExponent, long significand) {
        int register = physical(place);
        signExponents[register] = signExponent;
        significands[register] = significand;
        valid |= 1 << register;
    }

    /**
     * The tag word: for each register 0 valid, 1 zero, 2 special, 3 empty, from what it holds.
     *
     * @return 16 bits, R0 lowest
     */
    public int tagWord() {
        int tags = 0;
        for (int i = 0; i < REGISTERS; i++) {
            int exponent = signExponents[i] & Extended.MAX_EXPONENT;
            boolean special = exponent == Extended.MAX_EXPONENT || significands[i] >= 0;
            int content = exponent == 0 && significands[i] == 0 ? 1 : special || exponent == 0 ? 2 : 0;
            tags |= ((valid >>> i & 1) == 0 ? 3 : content) << 2 * i;
        }
        return tags;
    }

    /**
     * Loads the tag word: what counts is which registers are empty.
     *
     * @param tags 16 bits, R0 lowest
     */
    public void tagWord(int tags) {
        valid = 0;
        for (int i = 0; i < REGISTERS; i++) {
            valid |= (tags >>> 2 * i & 3) == 3 ? 0 : 1 << i;
        }
    }

    /** FNSAVE's end and tests: everything as after power-up. */
    void clear() {
        Arrays.fill(significands, 0);
        Arrays.fill(signExponents, 0);
        initialize();
    }
}
