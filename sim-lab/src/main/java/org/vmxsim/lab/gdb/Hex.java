package org.vmxsim.lab.gdb;

import java.util.HexFormat;

/** Numbers and bytes as packets write them. */
final class Hex {
    private static final HexFormat DIGITS = HexFormat.of();

    private Hex() {}

    /** A number of one to sixteen hexadecimal digits. */
    static long number(String text) {
        if (text.isEmpty() || text.length() > 16) {
            throw new IllegalArgumentException("need 1 to 16 hexadecimal digits, got '" + text + "'");
        }
        return Long.parseUnsignedLong(text, 16);
    }

    /** As {@link #number}, of a number that counts something. */
    static int count(String text, int most) {
        long value = number(text);
        if (value < 0 || value > most) {
            throw new IllegalArgumentException("need a number of at most " + most + ", got 0x" + text);
        }
        return (int) value;
    }

    static byte[] bytes(String text) {
        return DIGITS.parseHex(text);
    }

    static String text(byte[] bytes) {
        return DIGITS.formatHex(bytes);
    }

    static long littleEndian(byte[] bytes) {
        long value = 0;
        for (int i = 0; i < Math.min(8, bytes.length); i++) {
            value |= (bytes[i] & 0xffL) << 8 * i;
        }
        return value;
    }

    static String littleEndian(long value, int sizeBytes) {
        byte[] bytes = new byte[sizeBytes];
        for (int i = 0; i < Math.min(8, sizeBytes); i++) {
            bytes[i] = (byte) (value >>> 8 * i);
        }
        return text(bytes);
    }
}
