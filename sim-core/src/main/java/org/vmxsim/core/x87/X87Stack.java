package org.vmxsim.core.x87;

/**
 * The register stack, and how exceptions are noted. SDM Vol. 1, "x87 FPU Floating-Point Exception Handling", "Stack
 * Overflow or Underflow Exception (#IS)".
 */
final class X87Stack {
    static final int STACK_UNDERFLOW = X87State.IE | X87State.SF;
    static final int STACK_OVERFLOW = X87State.IE | X87State.SF | X87State.C1;

    /** Exceptions that are found before the operation: unmasked, they leave the operands as they are. */
    private static final int BEFORE = X87State.IE | X87State.DE | X87State.ZE;

    final X87State state;
    final Rounder result;

    X87Stack(X87State state) {
        this.state = state;
        this.result = new Rounder(state);
    }

    /** Notes exceptions and C1; false if one that is not masked forbids the result. */
    boolean accept(int flags) {
        int unmasked = flags & ~state.control & X87State.EXCEPTIONS;
        boolean forbidden = (unmasked & BEFORE) != 0;
        boolean stackFault = (flags & X87State.SF) != 0;
        int noted = forbidden && !stackFault ? flags & BEFORE : flags;
        int waits = unmasked != 0 ? X87State.ES | X87State.BUSY : 0;
        state.status = state.status & ~X87State.C1 | noted | waits;
        return !forbidden;
    }

    void conditions(int mask, int value) {
        state.status = state.status & ~mask | value;
    }

    /** Takes the content of a register as an operand. */
    void operand(Extended out, int place) {
        int register = state.physical(place);
        out.set(state.signExponents[register], state.significands[register]);
    }

    /** Puts the result into a register. */
    void put(int place) {
        state.put(place, result.signExponent, result.significand);
    }

    void push(int signExponent, long significand) {
        state.turn(-1);
        state.put(0, signExponent, significand);
    }

    void push() {
        push(result.signExponent, result.significand);
    }

    void pop() {
        state.free(0);
        state.turn(1);
    }

    /** Notes a stack fault; if it is masked the result is the indefinite value. */
    boolean answers(int stackFault) {
        result.begin();
        result.indefinite();
        return accept(stackFault);
    }

    /** Answers a push onto a register that is not empty; true if it was. */
    boolean overflows() {
        if (state.isEmpty(-1)) {
            return false;
        }
        if (answers(STACK_OVERFLOW)) {
            push();
        }
        return true;
    }

    /** Answers an operation on an empty register by the indefinite value in ST(place); true if ST(0) is empty. */
    boolean underflows(int place) {
        if (!state.isEmpty(0)) {
            return false;
        }
        if (answers(STACK_UNDERFLOW)) {
            put(place);
        }
        return true;
    }

    /** Ends an operation: the result goes to a register unless an exception forbids it; true if it went. */
    boolean finish(int place) {
        boolean accepted = accept(result.flags);
        if (accepted) {
            put(place);
        }
        return accepted;
    }
}
