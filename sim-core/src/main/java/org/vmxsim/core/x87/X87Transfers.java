package org.vmxsim.core.x87;

/**
 * Loads, stores and moves of the x87 unit. SDM Vol. 1, "x87 FPU Data Transfer Instructions", "Load Constant
 * Instructions". A store has three steps: compute, ask {@link #isStorable}, and when memory has taken the value,
 * {@link #stored}.
 */
public final class X87Transfers {
    /** A constant to load: nearest value below, and which of its neighbours each rounding takes. */
    public enum Constant {
        /** FLD1. */
        ONE(0x3fff, Long.MIN_VALUE, 0),
        /** FLDL2T: the binary logarithm of 10. */
        L2T(0x4000, 0xd49a784bcd1b8afeL, UP),
        /** FLDL2E: the binary logarithm of e. */
        L2E(0x3fff, 0xb8aa3b295c17f0bbL, NEAREST | UP),
        /** FLDPI. */
        PI(0x4000, 0xc90fdaa22168c234L, NEAREST | UP),
        /** FLDLG2: the decimal logarithm of 2. */
        LG2(0x3ffd, 0x9a209a84fbcff798L, NEAREST | UP),
        /** FLDLN2: the natural logarithm of 2. */
        LN2(0x3ffe, 0xb17217f7d1cf79abL, NEAREST | UP),
        /** FLDZ. */
        ZERO(0, 0, 0);

        private final int exponent;
        private final long below;
        private final int roundedUp;

        Constant(int exponent, long below, int roundedUp) {
            this.exponent = exponent;
            this.below = below;
            this.roundedUp = roundedUp;
        }
    }

    private static final int NEAREST = 1;
    private static final int UP = 1 << 2;

    private static final int NO_NUMBER = X87State.IE | X87State.DE | X87State.ZE;
    private static final int NO_FLOAT = NO_NUMBER | X87State.OE | X87State.UE;

    private final X87Stack stack;
    private final X87State state;
    private final Rounder result;
    private final Conversion conversion;
    private final Extended a = new Extended();
    private int forbidding;

    X87Transfers(X87Stack stack, Conversion conversion) {
        this.stack = stack;
        this.state = stack.state;
        this.result = stack.result;
        this.conversion = conversion;
    }

    /**
     * FLD m32.
     *
     * @param bits the value
     */
    public void loadSingle(int bits) {
        a.setSingle(bits);
        pushOperand();
    }

    /**
     * FLD m64.
     *
     * @param bits the value
     */
    public void loadDouble(long bits) {
        a.setDouble(bits);
        pushOperand();
    }

    private void pushOperand() {
        if (stack.overflows()) {
            return;
        }
        boolean signaling = a.isInvalid();
        int flags = (signaling ? X87State.IE : 0) | (a.isDenormal() ? X87State.DE : 0);
        if (stack.accept(flags) || !signaling) {
            stack.push(a.signExponent, a.significand | (signaling ? Extended.QUIET_BIT : 0));
        }
    }

    /**
     * FLD m80: no exception but of the stack.
     *
     * @param signExponent bits 79:64
     * @param significand bits 63:0
     */
    public void loadExtended(int signExponent, long significand) {
        a.set(signExponent, significand);
        pushAny();
    }

    /**
     * FILD.
     *
     * @param value the integer, sign-extended
     */
    public void loadInteger(long value) {
        a.setInteger(value);
        pushAny();
    }

    /**
     * FBLD. What are no decimal digits gives a value that the manual leaves open.
     *
     * @param low bits 63:0
     * @param upper bits 79:64
     */
    public void loadDecimal(long low, int upper) {
        Conversion.fromDecimal(a, low, upper);
        pushAny();
    }

    /**
     * FLD1, FLDPI and their kin.
     *
     * @param constant which one
     */
    public void load(Constant constant) {
        boolean up = (constant.roundedUp >>> result.mode() & 1) != 0;
        a.set(constant.exponent, up ? constant.below + 1 : constant.below);
        pushAny();
    }

    private void pushAny() {
        if (!stack.overflows() && stack.accept(0)) {
            stack.push(a.signExponent, a.significand);
        }
    }

    /**
     * FLD ST(i).
     *
     * @param place i
     */
    public void load(int place) {
        if (state.isEmpty(place)) {
            if (stack.answers(X87Stack.STACK_UNDERFLOW)) {
                stack.push();
            }
            return;
        }
        stack.operand(a, place);
        pushAny();
    }

    /**
     * FST ST(i) and FSTP ST(i).
     *
     * @param place i
     * @param pops whether ST(0) is popped
     */
    public void copy(int place, boolean pops) {
        result.begin();
        stack.operand(a, 0);
        result.exact(a.signExponent, a.significand);
        int fault = state.isEmpty(0) ? X87Stack.STACK_UNDERFLOW : 0;
        if (fault != 0) {
            result.indefinite();
        }
        if (stack.accept(fault)) {
            stack.put(place);
            if (pops) {
                stack.pop();
            }
        }
    }

    /**
     * FXCH. An empty register counts as the indefinite value.
     *
     * @param place i
     */
    public void exchange(int place) {
        boolean fault = state.isEmpty(0) || state.isEmpty(place);
        if (!stack.accept(fault ? X87Stack.STACK_UNDERFLOW : 0)) {
            return;
        }
        result.indefinite();
        if (state.isEmpty(0)) {
            stack.put(0);
        }
        if (state.isEmpty(place)) {
            stack.put(place);
        }
        stack.operand(a, 0);
        int other = state.physical(place);
        state.put(0, state.signExponents[other], state.significands[other]);
        state.put(place, a.signExponent, a.significand);
    }

    /**
     * FCMOVcc.
     *
     * @param place i
     * @param holds whether the condition holds
     */
    public void move(int place, boolean holds) {
        if (state.isEmpty(0) || state.isEmpty(place)) {
            if (stack.answers(X87Stack.STACK_UNDERFLOW)) {
                stack.put(0);
            }
        } else if (holds) {
            stack.operand(a, place);
            state.put(0, a.signExponent, a.significand);
        }
    }

    /** Begins a store of ST(0); false if it is empty. */
    private boolean begin(int unmaskedForbids) {
        forbidding = unmaskedForbids;
        result.begin();
        stack.operand(a, 0);
        boolean there = !state.isEmpty(0);
        if (!there) {
            result.indefinite();
            a.set(result.signExponent, result.significand);
        }
        return there;
    }

    private void end(boolean there) {
        if (!there) {
            result.flags = X87Stack.STACK_UNDERFLOW;
        }
    }

    /**
     * FST m32, first step.
     *
     * @return the value
     */
    public int single() {
        boolean there = begin(NO_FLOAT);
        conversion.toSingle(a);
        end(there);
        return (int) conversion.bits;
    }

    /**
     * FST m64, first step.
     *
     * @return the value
     */
    public long toDouble() {
        boolean there = begin(NO_FLOAT);
        conversion.toDouble(a);
        end(there);
        return conversion.bits;
    }

    /**
     * FIST, first step.
     *
     * @param sizeBytes 2, 4 or 8
     * @return the value
     */
    public long integer(int sizeBytes) {
        boolean there = begin(NO_NUMBER);
        conversion.toInteger(a, sizeBytes);
        end(there);
        return conversion.bits;
    }

    /**
     * FBSTP, first step.
     *
     * @return bits 63:0; {@link #upper} has the others
     */
    public long decimal() {
        boolean there = begin(NO_NUMBER);
        conversion.toDecimal(a);
        end(there);
        return conversion.bits;
    }

    /**
     * FSTP m80, first step.
     *
     * @return bits 63:0; {@link #upper} has the others
     */
    public long extended() {
        end(begin(NO_NUMBER));
        conversion.upperBits = a.signExponent;
        return a.significand;
    }

    /**
     * The rest of a value of ten bytes.
     *
     * @return bits 79:64
     */
    public int upper() {
        return conversion.upperBits;
    }

    /**
     * Whether exceptions let the computed value be stored.
     *
     * @return false if memory stays as it is
     */
    public boolean isStorable() {
        return (result.flags & ~state.control & forbidding) == 0;
    }

    /**
     * The end of a store.
     *
     * @param pops whether ST(0) is popped if the value was storable
     */
    public void stored(boolean pops) {
        boolean storable = isStorable();
        boolean outOfRange = (result.flags & ~state.control & (X87State.OE | X87State.UE)) != 0;
        stack.accept(outOfRange ? result.flags & ~(X87State.PE | X87State.C1) : result.flags);
        if (storable && pops) {
            stack.pop();
        }
    }
}
