package org.vmxsim.core.x87;

/**
 * What the x87 instructions do to the state. Whether an instruction may begin at all (#NM, #MF), memory, and the
 * pointers to the last instruction are the caller's. SDM Vol. 1, "x87 FPU Instruction Set".
 */
public final class X87Unit {
    /** The basic operations. */
    public enum Operation {
        /** Destination plus source. */
        ADD,
        /** Destination times source. */
        MULTIPLY,
        /** Destination less source. */
        SUBTRACT,
        /** Source less destination. */
        REVERSE_SUBTRACT,
        /** Destination by source. */
        DIVIDE,
        /** Source by destination. */
        REVERSE_DIVIDE
    }

    private static final int CONDITIONS = X87State.C0 | X87State.C2 | X87State.C3;
    private static final int ONE = Extended.BIAS;

    private final X87State state = new X87State();
    private final ErrorPins errors = new ErrorPins();
    private final X87Stack stack;
    private final Rounder result;
    private final Arithmetic arithmetic;
    private final Conversion conversion;
    private final Remainder remainder;
    private final Transcendental transcendental;
    private final X87Transfers transfers;
    private final X87Comparison comparison;
    private final Extended a = new Extended();
    private final Extended b = new Extended();
    private final Extended memory = new Extended();

    /** A unit as after power-up. */
    public X87Unit() {
        this.stack = new X87Stack(state);
        this.result = stack.result;
        this.arithmetic = new Arithmetic(result);
        this.conversion = new Conversion(result);
        this.remainder = new Remainder(result, arithmetic, conversion);
        this.transcendental = new Transcendental(result, arithmetic);
        this.transfers = new X87Transfers(stack, conversion);
        this.comparison = new X87Comparison(stack, arithmetic, memory);
    }

    /**
     * The registers.
     *
     * @return the state, to be read and changed
     */
    public X87State state() {
        return state;
    }

    /**
     * How exceptions that wait are reported outside the processor, if CR0.NE is 0.
     *
     * @return the pins
     */
    public ErrorPins errors() {
        return errors;
    }

    /**
     * Loads, stores and moves.
     *
     * @return those of this unit
     */
    public X87Transfers transfers() {
        return transfers;
    }

    /**
     * Comparisons and classification.
     *
     * @return those of this unit
     */
    public X87Comparison comparison() {
        return comparison;
    }

    /**
     * Takes an operand of the next operation with memory.
     *
     * @param bits a value in single format
     */
    public void takeSingle(int bits) {
        memory.setSingle(bits);
    }

    /**
     * Takes an operand of the next operation with memory.
     *
     * @param bits a value in double format
     */
    public void takeDouble(long bits) {
        memory.setDouble(bits);
    }

    /**
     * Takes an operand of the next operation with memory.
     *
     * @param value an integer
     */
    public void takeInteger(long value) {
        memory.setInteger(value);
    }

    /**
     * FADD and its kin with the operand taken from memory.
     *
     * @param operation which one
     */
    public void compute(Operation operation) {
        if (stack.underflows(0)) {
            return;
        }
        stack.operand(a, 0);
        compute(operation, a, memory);
        stack.finish(0);
    }

    /**
     * FADD and its kin with registers.
     *
     * @param operation which one
     * @param destination place of the destination
     * @param source place of the source
     * @param pops whether ST(0) is popped
     */
    public void compute(Operation operation, int destination, int source, boolean pops) {
        boolean done;
        if (state.isEmpty(destination) || state.isEmpty(source)) {
            done = stack.answers(X87Stack.STACK_UNDERFLOW);
            if (done) {
                stack.put(destination);
            }
        } else {
            stack.operand(a, destination);
            stack.operand(b, source);
            compute(operation, a, b);
            done = stack.finish(destination);
        }
        if (done && pops) {
            stack.pop();
        }
    }

    private void compute(Operation operation, Extended destination, Extended source) {
        result.begin();
        switch (operation) {
            case ADD -> arithmetic.add(destination, source, false);
            case SUBTRACT -> arithmetic.add(destination, source, true);
            case REVERSE_SUBTRACT -> arithmetic.add(source, destination, true);
            case MULTIPLY -> arithmetic.multiply(destination, source);
            case DIVIDE -> arithmetic.divide(destination, source);
            case REVERSE_DIVIDE -> arithmetic.divide(source, destination);
        }
    }

    /**
     * FCHS and FABS.
     *
     * @param keeps which bit of the old sign stays
     * @param inverts which bit of it is inverted
     */
    private void sign(int keeps, int inverts) {
        if (!stack.underflows(0) && stack.accept(0)) {
            int register = state.physical(0);
            int old = state.signExponents[register];
            state.signExponents[register] = old & (Extended.MAX_EXPONENT | keeps) ^ inverts;
        }
    }

    /** FCHS. */
    public void changeSign() {
        sign(Extended.SIGN, Extended.SIGN);
    }

    /** FABS. */
    public void absolute() {
        sign(0, 0);
    }

    /** FSQRT. */
    public void squareRoot() {
        if (begins(0)) {
            arithmetic.squareRoot(a);
            stack.finish(0);
        }
    }

    /** FRNDINT. */
    public void roundToInteger() {
        if (begins(0)) {
            if (!arithmetic.answersNan(a, a)) {
                conversion.toWhole(a);
            }
            stack.finish(0);
        }
    }

    /** FSCALE. */
    public void scale() {
        if (begins(1)) {
            remainder.scale(a, b);
            stack.finish(0);
        }
    }

    /**
     * FPREM and FPREM1.
     *
     * @param nearest whether the quotient is rounded to nearest, as in FPREM1
     */
    public void remainder(boolean nearest) {
        stack.conditions(X87State.C2, 0);
        if (!begins(1)) {
            return;
        }
        boolean numbers = remainder.remainder(a, b, nearest);
        if (stack.finish(0) && numbers) {
            stack.conditions(CONDITIONS | X87State.C1, remainder.conditions);
        }
    }

    /** Begins an operation on ST(0) and ST(other); false if one is empty, which has been answered in ST(0). */
    private boolean begins(int other) {
        return begins(other, 0, false);
    }

    private boolean begins(int other, int destination, boolean pops) {
        if (state.isEmpty(0) || state.isEmpty(other)) {
            if (stack.answers(X87Stack.STACK_UNDERFLOW)) {
                stack.put(destination);
                if (pops) {
                    stack.pop();
                }
            }
            return false;
        }
        result.begin();
        stack.operand(a, 0);
        stack.operand(b, other);
        return true;
    }

    /** Whether ST(0) or the place to push to is not as a result of two values needs it; answered if so. */
    private boolean cannotSplit() {
        boolean empty = state.isEmpty(0);
        if (!empty && state.isEmpty(-1)) {
            result.begin();
            stack.operand(a, 0);
            return false;
        }
        if (stack.answers(empty ? X87Stack.STACK_UNDERFLOW : X87Stack.STACK_OVERFLOW)) {
            stack.put(0);
            stack.push();
        }
        return true;
    }

    /** FXTRACT. */
    public void extract() {
        if (!cannotSplit()) {
            remainder.extract(a, b);
            if (stack.finish(0)) {
                stack.push(b.signExponent, b.significand);
            }
        }
    }

    /** FSIN. */
    public void sine() {
        angle(Transcendental.Angle.SINE);
    }

    /** FCOS. */
    public void cosine() {
        angle(Transcendental.Angle.COSINE);
    }

    private void angle(Transcendental.Angle function) {
        stack.conditions(X87State.C2, 0);
        if (begins(0) && inRange()) {
            transcendental.angle(a, function);
            stack.finish(0);
        }
    }

    /** Sets C2 if the operand is out of range. */
    private boolean inRange() {
        boolean out = Transcendental.isOutOfRange(a);
        stack.conditions(X87State.C2 | X87State.C1, out ? X87State.C2 : 0);
        return !out;
    }

    /** FSINCOS. */
    public void sineAndCosine() {
        stack.conditions(X87State.C2, 0);
        if (cannotSplit() || !inRange()) {
            return;
        }
        transcendental.angle(a, Transcendental.Angle.COSINE);
        b.set(result.signExponent, result.significand);
        result.flags &= ~X87State.C1;
        transcendental.angle(a, Transcendental.Angle.SINE);
        if (stack.finish(0)) {
            stack.push(b.signExponent, b.significand);
        }
    }

    /** FPTAN: the tangent, and 1 (or the NaN) on top of it. */
    public void tangent() {
        stack.conditions(X87State.C2, 0);
        if (cannotSplit() || !inRange()) {
            return;
        }
        transcendental.angle(a, Transcendental.Angle.TANGENT);
        if (stack.finish(0)) {
            stack.operand(b, 0);
            if (b.isNan()) {
                stack.push(b.signExponent, b.significand);
            } else {
                stack.push(ONE, Extended.INTEGER_BIT);
            }
        }
    }

    /** FPATAN: the angle of (ST(0), ST(1)). */
    public void inverseTangent() {
        if (begins(1, 1, true)) {
            transcendental.inverseTangent(b, a);
            finishAndPop();
        }
    }

    /** F2XM1. */
    public void powerLessOne() {
        if (begins(0)) {
            transcendental.powerLessOne(a);
            stack.finish(0);
        }
    }

    /**
     * FYL2X and FYL2XP1.
     *
     * @param ofOneAnd whether 1 is added to ST(0) first
     */
    public void logarithm(boolean ofOneAnd) {
        if (!begins(1, 1, true)) {
            return;
        }
        if (ofOneAnd) {
            transcendental.logarithmOfOneAnd(a, b);
        } else {
            transcendental.logarithm(a, b);
        }
        finishAndPop();
    }

    private void finishAndPop() {
        if (stack.finish(1)) {
            stack.pop();
        }
    }

    /**
     * FINCSTP and FDECSTP.
     *
     * @param by 1 or -1
     */
    public void turn(int by) {
        stack.conditions(X87State.C1, 0);
        state.turn(by);
    }

    /**
     * FFREE.
     *
     * @param place i
     */
    public void free(int place) {
        stack.conditions(X87State.C1, 0);
        state.free(place);
    }

    /** FNCLEX. */
    public void clearExceptions() {
        state.status &= ~(X87State.EXCEPTIONS | X87State.SF | X87State.ES | X87State.BUSY);
    }
}
