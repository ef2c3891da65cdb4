package org.vmxsim.core.x87;

/** Comparisons, and FXAM. SDM Vol. 1, "Comparison and Classification Instructions". */
public final class X87Comparison {
    private static final int CONDITIONS = X87State.C0 | X87State.C2 | X87State.C3;
    private static final int UNORDERED = CONDITIONS;

    private final X87Stack stack;
    private final X87State state;
    private final Rounder result;
    private final Arithmetic arithmetic;
    private final Extended a = new Extended();
    private final Extended b = new Extended();
    private final Extended memory;
    private boolean accepted;

    X87Comparison(X87Stack stack, Arithmetic arithmetic, Extended memory) {
        this.stack = stack;
        this.state = stack.state;
        this.result = stack.result;
        this.arithmetic = arithmetic;
        this.memory = memory;
    }

    /**
     * FCOM, FICOM and FUCOM with the operand taken from memory.
     *
     * @param pops how often to pop
     */
    public void compare(int pops) {
        int relation = UNORDERED;
        boolean done;
        result.begin();
        if (state.isEmpty(0)) {
            result.flags = X87Stack.STACK_UNDERFLOW;
        } else {
            stack.operand(a, 0);
            relation = relation(a, memory, false);
        }
        done = stack.accept(result.flags);
        settle(relation, done, pops);
    }

    /**
     * FCOM, FUCOM and their kin with registers: the relation goes to the condition codes.
     *
     * @param place i
     * @param quiet whether a quiet NaN is no exception
     * @param pops how often to pop
     */
    public void compare(int place, boolean quiet, int pops) {
        int relation = relation(place, quiet);
        settle(relation, accepted, pops);
    }

    /** FTST: compares with 0. */
    public void test() {
        memory.set(0, 0);
        compare(0);
    }

    /**
     * FCOMI and its kin.
     *
     * @param place i
     * @param quiet whether a quiet NaN is no exception
     * @param pops whether ST(0) is popped
     * @return ZF, PF and CF where RFLAGS has them, or -1 if the flags stay
     */
    public int compareToFlags(int place, boolean quiet, boolean pops) {
        int relation = relation(place, quiet);
        boolean shown = accepted || isShown();
        if (accepted && pops) {
            stack.pop();
        }
        int zero = (relation & X87State.C3) != 0 ? 1 << 6 : 0;
        int parity = (relation & X87State.C2) != 0 ? 1 << 2 : 0;
        return shown ? zero | parity | ((relation & X87State.C0) != 0 ? 1 : 0) : -1;
    }

    private int relation(int place, boolean quiet) {
        int relation = UNORDERED;
        if (state.isEmpty(0) || state.isEmpty(place)) {
            result.begin();
            result.flags = X87Stack.STACK_UNDERFLOW;
        } else {
            stack.operand(a, 0);
            stack.operand(b, place);
            relation = relation(a, b, quiet);
        }
        accepted = stack.accept(result.flags);
        return relation;
    }

    private int relation(Extended x, Extended y, boolean quiet) {
        result.begin();
        if (x.isInvalid() || y.isInvalid() || !quiet && (x.isNan() || y.isNan())) {
            result.flags = X87State.IE;
            return UNORDERED;
        }
        if (x.isNan() || y.isNan()) {
            return UNORDERED;
        }
        arithmetic.denormals(x, y);
        int order;
        if (x.isZero() && y.isZero()) {
            order = 0;
        } else if (x.isNegative() != y.isNegative()) {
            order = x.isNegative() ? -1 : 1;
        } else {
            int magnitudes = x.isInfinity() || y.isInfinity()
                    ? Boolean.compare(x.isInfinity(), y.isInfinity())
                    : Extended.compareMagnitudes(x, y);
            order = x.isNegative() ? -magnitudes : magnitudes;
        }
        return order == 0 ? X87State.C3 : order < 0 ? X87State.C0 : 0;
    }

    /** An invalid operand whose exception is not masked leaves the condition codes; other exceptions do not. */
    private boolean isShown() {
        return (result.flags & (X87State.IE | X87State.SF)) != X87State.IE;
    }

    private void settle(int relation, boolean done, int pops) {
        if (done || isShown()) {
            stack.conditions(CONDITIONS, relation);
        }
        for (int i = 0; done && i < pops; i++) {
            stack.pop();
        }
    }

    /** FXAM: what ST(0) holds. */
    public void examine() {
        stack.operand(a, 0);
        int codes = switch (a.kind()) {
            case UNSUPPORTED -> 0;
            case QUIET, SIGNALING -> X87State.C0;
            case NORMAL -> X87State.C2;
            case INFINITY -> X87State.C2 | X87State.C0;
            case ZERO -> X87State.C3;
            case DENORMAL -> X87State.C3 | X87State.C2;
        };
        codes = state.isEmpty(0) ? X87State.C3 | X87State.C0 : codes;
        stack.conditions(CONDITIONS | X87State.C1, codes | (a.isNegative() ? X87State.C1 : 0));
    }
}
