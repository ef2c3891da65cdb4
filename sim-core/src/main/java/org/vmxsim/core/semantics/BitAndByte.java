package org.vmxsim.core.semantics;

import org.vmxsim.core.cpu.CpuState;

/** SDM Vol. 1, "Bit and Byte Instructions", and BSWAP. {@code bits} is the operand size. */
public final class BitAndByte {
    private BitAndByte() {}

    /**
     * CF of BT, BTS, BTR, BTC: the selected bit. The other flags are kept (ZF must be; the rest is undefined).
     *
     * @param cpu whose flags
     * @param a the bit base operand
     * @param offset the bit offset, taken modulo the operand size
     * @param bits operand size, 16, 32 or 64
     */
    public static void bt(CpuState cpu, long a, long offset, int bits) {
        Flags.carry(cpu, a >>> (offset & bits - 1) & 1);
    }

    /**
     * The selected bit as a mask.
     *
     * @param offset the bit offset, taken modulo the operand size
     * @param bits operand size, 16, 32 or 64
     * @return a word with that bit set
     */
    public static long bit(long offset, int bits) {
        return 1L << (offset & bits - 1);
    }

    /**
     * BSF of a source that is not 0.
     *
     * @param source the source, zero-extended
     * @return number of its lowest set bit
     */
    public static long bsf(long source) {
        return Long.numberOfTrailingZeros(source);
    }

    /**
     * BSR of a source that is not 0.
     *
     * @param source the source, zero-extended
     * @return number of its highest set bit
     */
    public static long bsr(long source) {
        return 63 - Long.numberOfLeadingZeros(source);
    }

    /**
     * Flags of BSF and BSR: ZF tells a source of 0; the others, undefined by the manual, are cleared but PF, which
     * follows the source.
     *
     * @param cpu whose flags
     * @param source the source, zero-extended
     */
    public static void scanned(CpuState cpu, long source) {
        Flags.some(cpu, Flags.ZF, source == 0 ? Flags.ZF : 0);
    }

    /**
     * TZCNT.
     *
     * @param cpu whose flags
     * @param source the source, zero-extended
     * @param bits operand size, 16, 32 or 64
     * @return count of trailing zeros; the operand size if the source is 0
     */
    public static long tzcnt(CpuState cpu, long source, int bits) {
        long count = source == 0 ? bits : Long.numberOfTrailingZeros(source);
        Flags.result(cpu, count, source == 0 ? 1 : 0, 0, 0);
        return count;
    }

    /**
     * LZCNT.
     *
     * @param cpu whose flags
     * @param source the source, zero-extended
     * @param bits operand size, 16, 32 or 64
     * @return count of leading zeros; the operand size if the source is 0
     */
    public static long lzcnt(CpuState cpu, long source, int bits) {
        long count = Long.numberOfLeadingZeros(source) - (64 - bits);
        Flags.result(cpu, count, source == 0 ? 1 : 0, 0, 0);
        return count;
    }

    /**
     * POPCNT: ZF tells a source of 0, all other flags are cleared.
     *
     * @param cpu whose flags
     * @param source the source, zero-extended
     * @return count of set bits
     */
    public static long popcnt(CpuState cpu, long source) {
        Flags.some(cpu, Flags.CF | Flags.PF | Flags.AF | Flags.ZF | Flags.SF | Flags.OF, source == 0 ? Flags.ZF : 0);
        return Long.bitCount(source);
    }

    /**
     * BSWAP; of a word, which the manual leaves undefined, the result is 0, as on processors.
     *
     * @param a the operand
     * @param bits operand size, 16, 32 or 64
     * @return the bytes in reverse order, zero-extended
     */
    public static long bswap(long a, int bits) {
        return bits == 16 ? 0 : Long.reverseBytes(a) >>> 64 - bits;
    }

    /**
     * The bytes of a value in reverse order, as MOVBE moves them.
     *
     * @param a the value
     * @param bits operand size, 16, 32 or 64
     * @return the bytes in reverse order, zero-extended
     */
    public static long reversed(long a, int bits) {
        return Long.reverseBytes(a) >>> 64 - bits;
    }

    /**
     * CRC32: one step of the checksum with polynomial 11EDC6F41H, bits reflected.
     *
     * @param crc the checksum so far, 32 bits
     * @param source the data
     * @param bits size of the data, 8 to 64
     * @return the new checksum, zero-extended
     */
    public static long crc32(long crc, long source, int bits) {
        long sum = crc & 0xffff_ffffL;
        for (int i = 0; i < bits; i++) {
            long bit = (sum ^ source >>> i) & 1;
            sum = sum >>> 1 ^ (bit == 0 ? 0 : 0x82f6_3b78L);
        }
        return sum;
    }
}
