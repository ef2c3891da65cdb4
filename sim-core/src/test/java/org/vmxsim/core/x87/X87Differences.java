package org.vmxsim.core.x87;

import java.util.EnumSet;
import java.util.Set;
import org.vmxsim.core.decode.Op;

/** What the manual leaves open, so that the recorded processor does not decide about it. */
final class X87Differences {
    /** Instructions whose results may be one unit of the last place away. */
    private static final Set<Op> TRANSCENDENTAL = EnumSet.range(Op.FSIN, Op.FYL2XP1);

    static final Op[] COMPUTING = EnumSet.range(Op.FLD, Op.FFREE).toArray(new Op[0]);

    /**
     * Angles from 1 up are reduced by the manual's 66 bits of pi here, and by more of them on the processor on record.
     */
    private static final Set<Op> ANGLES = EnumSet.range(Op.FSIN, Op.FPTAN);

    private static final Set<Op> TO_FLAGS = EnumSet.range(Op.FCOMI, Op.FUCOMIP);
    private static final Set<Op> COMPARING = EnumSet.range(Op.FCOM, Op.FTST);

    private X87Differences() {}

    /**
     * The manual leaves condition codes as they are where an invalid operand's exception is not masked, and clears C1
     * in FCOMI; the processor on record does not.
     */
    static int comparedStatus(Op op, X87State after) {
        int all = 0xffff;
        if (TO_FLAGS.contains(op)) {
            return all & ~X87State.C1;
        }
        if (COMPARING.contains(op) && isUnmaskedInvalid(after)) {
            return all & ~(X87State.C0 | X87State.C2 | X87State.C3);
        }
        if (TRANSCENDENTAL.contains(op)) {
            return all & ~X87State.C1;
        }
        return all;
    }

    private static boolean isUnmaskedInvalid(X87State after) {
        return (after.status & ~after.control & X87State.IE) != 0;
    }

    static long comparedFlags(Op op, X87State after) {
        return TO_FLAGS.contains(op) && isUnmaskedInvalid(after) ? 0 : -1;
    }

    /** Whether a register is as it must be, or as close as it has to be. */
    static boolean isClose(Op op, X87State before, X87State state, int register, int signExponent, long significand) {
        if (!TRANSCENDENTAL.contains(op)) {
            return false;
        }
        if (ANGLES.contains(op) && (before.signExponents[before.physical(0)] & 0x7fff) >= Extended.BIAS) {
            return true;
        }
        long distance = ((long) (state.signExponents[register] - signExponent) << 63)
                + (state.significands[register] - significand);
        return Math.abs(distance) <= 1;
    }
}
