package org.vmxsim.core.platform.pic;

/**
 * One programmable interrupt controller: eight request inputs, their mask, what is in service, and priorities that may
 * rotate. Inputs that go away before they are acknowledged are forgotten; an acknowledge that finds no request gives
 * input 7 without marking it in service.
 *
 * <p>Source: Intel 8259A data sheet, "Functional Description", "Programming the 8259A". The MCS-80/85 mode (a CALL
 * instruction instead of a vector) does not exist in a PC: bit 0 of ICW4 is not looked at.
 */
final class Pic8259 {
    private static final int ICW1 = 1 << 4;
    private static final int OCW3 = 1 << 3;
    /** What {@link #highest} answers where nothing waits. */
    static final int NONE = -1;

    private int lines;
    private int edges;
    private int inService;
    /** Closed until software initializes the controller: its state after power-up is undefined. */
    private int mask = 0xff;

    private int levelInputs;
    private boolean allLevel;
    private int vectorBase;
    private int cascade;
    private int expected;
    private boolean single;
    private boolean wantsIcw4;
    private boolean automaticEnd;
    private boolean rotateAutomatically;
    private boolean fullyNested;
    private boolean specialMask;
    private boolean readsInService;
    private boolean polled;
    /** The input of lowest priority. */
    private int lowest = 7;

    /** A request input changes. */
    void input(int number, boolean high) {
        int bit = 1 << number;
        if (high) {
            edges |= bit & ~lines;
            lines |= bit;
        } else {
            lines &= ~bit;
            edges &= ~bit;
        }
    }

    /** Edge/level control of the chip set: inputs that are level-triggered one by one. */
    void levelInputs(int inputs) {
        levelInputs = inputs;
    }

    int levelInputs() {
        return levelInputs;
    }

    /** Interrupt request register: latched edges, and level inputs as they are. */
    int requests() {
        int levels = allLevel ? 0xff : levelInputs;
        return edges & ~levels | lines & levels;
    }

    int inService() {
        return inService;
    }

    /** Inputs behind which another controller is (master, ICW3), or the own number there (slave). */
    int cascade() {
        return single ? 0 : cascade;
    }

    /** The input that would be acknowledged now, or {@link #NONE}. */
    int highest() {
        int waiting = requests() & ~mask;
        int blocking = specialMask ? inService & ~mask : inService;
        for (int i = 1; i <= 8; i++) {
            int input = lowest + i & 7;
            int bit = 1 << input;
            boolean served = (blocking & bit) != 0;
            boolean passes = !served || fullyNested && (cascade & bit) != 0;
            if ((waiting & bit) != 0 && passes) {
                return input;
            }
            if (served) {
                return NONE;
            }
        }
        return NONE;
    }

    /** The acknowledge cycles: gives the input, 7 if nothing waits any more. */
    int acknowledge() {
        int input = highest();
        if (input == NONE) {
            return 7;
        }
        edges &= ~(1 << input);
        if (!automaticEnd) {
            inService |= 1 << input;
        } else if (rotateAutomatically) {
            lowest = input;
        }
        return input;
    }

    int vector(int input) {
        return vectorBase | input;
    }

    /** Whether the next read is an acknowledge. */
    boolean polled() {
        return polled;
    }

    /** A read; {@code dataPort} is address line A0. */
    int read(boolean dataPort) {
        if (polled) {
            polled = false;
            return highest() == NONE ? 0 : 0x80 | acknowledge();
        }
        if (dataPort) {
            return mask;
        }
        return readsInService ? inService : requests();
    }

    /** A write; {@code dataPort} is address line A0. */
    void write(boolean dataPort, int value) {
        if (dataPort) {
            writeData(value);
        } else if ((value & ICW1) != 0) {
            initialize(value);
        } else if ((value & OCW3) != 0) {
            operate(value);
        } else {
            end(value);
        }
    }

    private void initialize(int icw1) {
        edges = 0;
        inService = 0;
        mask = 0;
        lowest = 7;
        specialMask = false;
        readsInService = false;
        polled = false;
        automaticEnd = false;
        rotateAutomatically = false;
        fullyNested = false;
        cascade = 7;
        allLevel = (icw1 & 8) != 0;
        single = (icw1 & 2) != 0;
        wantsIcw4 = (icw1 & 1) != 0;
        expected = 2;
    }

    private void writeData(int value) {
        switch (expected) {
            case 2 -> {
                vectorBase = value & 0xf8;
                expected = single ? afterIcw3() : 3;
            }
            case 3 -> {
                cascade = value;
                expected = afterIcw3();
            }
            case 4 -> {
                automaticEnd = (value & 2) != 0;
                fullyNested = (value & 0x10) != 0;
                expected = 0;
            }
            default -> mask = value;
        }
    }

    private int afterIcw3() {
        return wantsIcw4 ? 4 : 0;
    }

    /** OCW3. */
    private void operate(int value) {
        if ((value & 0x40) != 0) {
            specialMask = (value & 0x20) != 0;
        }
        if ((value & 2) != 0) {
            readsInService = (value & 1) != 0;
        }
        polled = (value & 4) != 0;
    }

    /** OCW2: bits 7 to 5 are rotate, specific, end of interrupt. */
    private void end(int value) {
        int input = value & 7;
        switch (value >>> 5) {
            case 0 -> rotateAutomatically = false;
            case 1 -> endHighest();
            case 3 -> inService &= ~(1 << input);
            case 4 -> rotateAutomatically = true;
            case 5 -> {
                int ended = endHighest();
                lowest = ended == NONE ? lowest : ended;
            }
            case 6 -> lowest = input;
            case 7 -> {
                inService &= ~(1 << input);
                lowest = input;
            }
            default -> {
                // 2 is "no operation"
            }
        }
    }

    /** "An IS bit that is masked by an IMR bit will not be cleared by a non-specific EOI" in special mask mode. */
    private int endHighest() {
        int candidates = specialMask ? inService & ~mask : inService;
        for (int i = 1; i <= 8; i++) {
            int input = lowest + i & 7;
            if ((candidates & 1 << input) != 0) {
                inService &= ~(1 << input);
                return input;
            }
        }
        return NONE;
    }
}
