package org.vmxsim.core.bits;

/**
 * A range of bits of a 64-bit word, in the manual's numbering: bit 0 is the least significant.
 *
 * @param high number of the highest bit of the range, 0 to 63
 * @param low number of the lowest bit of the range, 0 to {@code high}
 */
public record BitField(int high, int low) {
    /**
     * Checks the range.
     *
     * @param high number of the highest bit of the range, 0 to 63
     * @param low number of the lowest bit of the range, 0 to {@code high}
     * @throws IllegalArgumentException unless {@code 63 >= high >= low >= 0}
     */
    public BitField {
        if (low < 0 || high > 63 || high < low) {
            throw new IllegalArgumentException("need 63 >= high >= low >= 0, got high=" + high + " low=" + low);
        }
    }

    /**
     * The bits {@code high:low}.
     *
     * @param high number of the highest bit
     * @param low number of the lowest bit
     * @return the range
     */
    public static BitField bits(int high, int low) {
        return new BitField(high, low);
    }

    /**
     * One bit.
     *
     * @param number its number, 0 to 63
     * @return the range of that bit alone
     */
    public static BitField bit(int number) {
        return new BitField(number, number);
    }

    /**
     * The word that has ones in this range and zeros elsewhere.
     *
     * @return the mask
     */
    public long mask() {
        return -1L >>> (63 - high + low) << low;
    }

    /**
     * Reads the range, shifted down to bit 0.
     *
     * @param word the word to read from
     * @return the unsigned value of the range
     */
    public long get(long word) {
        return (word & mask()) >>> low;
    }

    /**
     * Whether any bit of the range is 1.
     *
     * @param word the word to test
     * @return true if one of the bits is 1
     */
    public boolean isSet(long word) {
        return (word & mask()) != 0;
    }

    /**
     * Writes the range; excess bits of {@code value} are dropped.
     *
     * @param word the word to change
     * @param value new value of the range, at bit 0
     * @return the changed word
     */
    public long put(long word, long value) {
        return word & ~mask() | value << low & mask();
    }
}
