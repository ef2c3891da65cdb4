package org.vmxsim.core.semantics;

/**
 * DIV and IDIV (SDM Vol. 1, "Binary Arithmetic Instructions"). The dividend is twice as wide as the divisor. Each
 * question is asked apart, so that nothing is allocated: first whether the quotient fits, then quotient and remainder.
 */
public final class Division {
    private static final long LOW_HALF = 0xffff_ffffL;

    private Division() {}

    /**
     * Whether DIV gives a quotient: the divisor is not 0 and the quotient fits.
     *
     * @param high upper half of the dividend, zero-extended
     * @param divisor the divisor, zero-extended
     * @return false if the instruction gives #DE
     */
    public static boolean fitsUnsigned(long high, long divisor) {
        return Long.compareUnsigned(high, divisor) < 0;
    }

    /**
     * Quotient of DIV r/m64.
     *
     * @param high upper half of the dividend, less than the divisor
     * @param low lower half of the dividend
     * @param divisor the divisor
     * @return the quotient
     */
    public static long quotientUnsigned(long high, long low, long divisor) {
        if (high == 0) {
            return Long.divideUnsigned(low, divisor);
        }
        int shift = Long.numberOfLeadingZeros(divisor);
        long d = divisor << shift;
        long top = shift == 0 ? high : high << shift | low >>> 64 - shift;
        long bottom = low << shift;
        long first = digit(top, bottom >>> 32, d);
        long rest = (top << 32 | bottom >>> 32) - first * d;
        return first << 32 | digit(rest, bottom & LOW_HALF, d);
    }

    /** One 32-bit digit of the quotient of (top:next) by a divisor with its highest bit set; top less than it. */
    private static long digit(long top, long next, long d) {
        long dHigh = d >>> 32;
        long q = Long.divideUnsigned(top, dHigh);
        long r = top - q * dHigh;
        while (q > LOW_HALF || Long.compareUnsigned(q * (d & LOW_HALF), r << 32 | next) > 0) {
            q--;
            r += dHigh;
            if (r > LOW_HALF) {
                break;
            }
        }
        return q;
    }

    /**
     * Whether IDIV r/m64 gives a quotient.
     *
     * @param high upper half of the dividend
     * @param low lower half of the dividend
     * @param divisor the divisor
     * @return false if the instruction gives #DE
     */
    public static boolean fitsSigned(long high, long low, long divisor) {
        if (divisor == 0) {
            return false;
        }
        boolean negative = high < 0;
        long magnitudeLow = negative ? -low : low;
        long magnitudeHigh = negative ? ~high + (low == 0 ? 1 : 0) : high;
        long magnitude = Math.abs(divisor);
        if (Long.compareUnsigned(magnitudeHigh, magnitude) >= 0) {
            return false;
        }
        long q = quotientUnsigned(magnitudeHigh, magnitudeLow, magnitude);
        return negative == divisor < 0 ? q >= 0 : q >= 0 || q == Long.MIN_VALUE;
    }

    /**
     * Quotient of IDIV r/m64, truncated toward 0.
     *
     * @param high upper half of the dividend
     * @param low lower half of the dividend
     * @param divisor the divisor; the quotient fits
     * @return the quotient
     */
    public static long quotientSigned(long high, long low, long divisor) {
        boolean negative = high < 0;
        long magnitudeLow = negative ? -low : low;
        long magnitudeHigh = negative ? ~high + (low == 0 ? 1 : 0) : high;
        long q = quotientUnsigned(magnitudeHigh, magnitudeLow, Math.abs(divisor));
        return negative == divisor < 0 ? q : -q;
    }
}
