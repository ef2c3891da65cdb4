package org.vmxsim.core.x87;

import java.math.BigInteger;

/**
 * Results: rounds an exact value as the control word says, and answers overflow and underflow. SDM Vol. 1, "Rounding",
 * "Numeric Overflow Exception (#O)", "Numeric Underflow Exception (#U)", "Inexact-Result (Precision) Exception (#P)".
 */
final class Rounder {
    private static final int ADJUSTMENT = 24576;
    private static final int DOWN = 1;
    private static final int UP = 2;
    private static final int CHOP = 3;
    private static final int LONG_BITS = 64;
    private static final int LARGEST = 0x7ffe;

    /** Sign and exponent of the result. */
    int signExponent;
    /** Significand of the result. */
    long significand;
    /** Exceptions of the operation, and {@link X87State#C1} if it was rounded up. */
    int flags;

    private final X87State state;
    private long high;
    private long low;

    Rounder(X87State state) {
        this.state = state;
    }

    int mode() {
        return state.control >>> 10 & 3;
    }

    /** Bits of the significand by precision control. */
    int precision() {
        return switch (state.control >>> 8 & 3) {
            case 0 -> 24;
            case 2 -> 53;
            default -> LONG_BITS;
        };
    }

    void begin() {
        flags = 0;
    }

    void exact(int newSignExponent, long newSignificand) {
        signExponent = newSignExponent;
        significand = newSignificand;
    }

    void indefinite() {
        exact(Extended.SIGN | Extended.MAX_EXPONENT, Extended.INTEGER_BIT | Extended.QUIET_BIT);
    }

    void invalid() {
        indefinite();
        flags |= X87State.IE;
    }

    void infinity(boolean negative) {
        exact((negative ? Extended.SIGN : 0) | Extended.MAX_EXPONENT, Extended.INTEGER_BIT);
    }

    void zero(boolean negative) {
        exact(negative ? Extended.SIGN : 0, 0);
    }

    private boolean isMasked(int exception) {
        return (state.control & exception) != 0;
    }

    /** Whether a value whose bits below the unit are given is rounded away from zero. */
    boolean roundsAway(boolean negative, boolean odd, boolean half, boolean below) {
        if (!half && !below) {
            return false;
        }
        return switch (mode()) {
            case DOWN -> negative;
            case UP -> !negative;
            case CHOP -> false;
            default -> half && (below || odd);
        };
    }

    /**
     * Rounds in double extended-precision format.
     *
     * @param exponent biased, of any size
     * @param newHigh significand with the integer bit set
     * @param newLow what follows it, the last bit meaning "and more"
     */
    void round(boolean negative, int exponent, long newHigh, long newLow, int bits) {
        int rounded = round(negative, exponent, newHigh, newLow, bits, LARGEST);
        signExponent = (negative ? Extended.SIGN : 0) | rounded;
    }

    /** Rounds in a format whose largest exponent of finite values is given; returns the biased exponent. */
    int round(boolean negative, int exponent, long newHigh, long newLow, int bits, int largest) {
        high = newHigh;
        low = newLow;
        boolean inexact = step(negative, bits);
        int carried = exponent + (significand == 0 ? 1 : 0);
        if (carried < 1) {
            return underflow(negative, exponent, newHigh, newLow, bits, largest);
        }
        if (carried > largest) {
            return overflow(negative, carried, inexact, bits, largest);
        }
        settle(inexact);
        significand = significand == 0 ? Extended.INTEGER_BIT : significand;
        return carried;
    }

    private boolean awayFlag;

    private void settle(boolean inexact) {
        flags |= inexact ? X87State.PE : 0;
        flags |= awayFlag ? X87State.C1 : 0;
    }

    /** Rounds high and low to the significand, which is 0 if all ones were rounded up. */
    private boolean step(boolean negative, int bits) {
        int tail = LONG_BITS - bits;
        long unit = 1L << tail;
        long kept = high & -unit;
        boolean half = tail == 0 ? low < 0 : (high & unit >>> 1) != 0;
        boolean below = tail == 0 ? low << 1 != 0 : (high & (unit >>> 1) - 1 | low) != 0;
        awayFlag = roundsAway(negative, (high & unit) != 0, half, below);
        significand = awayFlag ? kept + unit : kept;
        return half || below;
    }

    private int overflow(boolean negative, int exponent, boolean inexact, int bits, int largest) {
        flags |= X87State.OE;
        boolean toInfinity = switch (mode()) {
            case DOWN -> negative;
            case UP -> !negative;
            case CHOP -> false;
            default -> true;
        };
        if (!isMasked(X87State.OE)) {
            settle(inexact);
            significand = significand == 0 ? Extended.INTEGER_BIT : significand;
            if (exponent - ADJUSTMENT <= largest) {
                return exponent - ADJUSTMENT;
            }
            toInfinity = true;
        }
        awayFlag = toInfinity;
        settle(true);
        significand = toInfinity ? Extended.INTEGER_BIT : -(1L << LONG_BITS - bits);
        return toInfinity ? largest + 1 : largest;
    }

    private int underflow(boolean negative, int exponent, long newHigh, long newLow, int bits, int largest) {
        if (!isMasked(X87State.UE)) {
            flags |= X87State.UE;
            int carried = exponent + ADJUSTMENT + (significand == 0 ? 1 : 0);
            if (carried >= 1 || largest != LARGEST) {
                high = newHigh;
                low = newLow;
                settle(step(negative, bits));
                significand = significand == 0 ? Extended.INTEGER_BIT : significand;
                return Math.max(carried, 1);
            }
            awayFlag = false;
            settle(true);
            significand = 0;
            return 0;
        }
        shiftRight(1 - exponent);
        boolean inexact = step(negative, bits);
        flags |= inexact ? X87State.UE : 0;
        settle(inexact);
        return significand < 0 ? 1 : 0;
    }

    /** Shifts high and low right; what falls out stays as the last bit. */
    private void shiftRight(int count) {
        if (count >= LONG_BITS) {
            long lost = low != 0 || count > LONG_BITS && high << 2 * LONG_BITS - Math.min(count, 127) != 0 ? 1 : 0;
            boolean gone = count >= 2 * LONG_BITS;
            low = gone ? 1 : high >>> count - LONG_BITS | lost;
            high = 0;
        } else {
            long lost = low << LONG_BITS - count != 0 ? 1 : 0;
            low = high << LONG_BITS - count | low >>> count | lost;
            high >>>= count;
        }
    }

    /** Rounds magnitude * 2^scale, and a little more if there is a remainder; magnitude is not 0. */
    void round(boolean negative, BigInteger magnitude, int scale, boolean remainder, int bits) {
        int length = magnitude.bitLength();
        int drop = length - 2 * LONG_BITS;
        BigInteger top = drop > 0 ? magnitude.shiftRight(drop) : magnitude.shiftLeft(-drop);
        boolean more = remainder || drop > 0 && magnitude.getLowestSetBit() < drop;
        long below = top.longValue() | (more ? 1 : 0);
        round(
                negative,
                scale + length - 1 + Extended.BIAS,
                top.shiftRight(LONG_BITS).longValue(),
                below,
                bits);
    }

    /** A value of the operand itself, rounded: for results that are one operand. */
    void round(Extended value, int bits) {
        if (value.isZero()) {
            zero(value.isNegative());
        } else {
            round(value.isNegative(), value.exponent(), value.normalized(), 0, bits);
        }
    }
}
