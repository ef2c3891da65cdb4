package org.vmxsim.lab.scenario;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes as people write them: {@code 512M}, {@code 64 MiB}, {@code 0x1000}, {@code 4096}. Always powers of 1024. */
public final class ByteSize {
    private static final Pattern FORM = Pattern.compile("(0[xX][0-9a-fA-F]+|[0-9][0-9_]*)\\s*([kKmMgGtT]?)(?:i?[bB])?");

    private ByteSize() {}

    /**
     * Reads a size.
     *
     * @param text a number, decimal or hexadecimal, with an optional unit K, M, G or T (also KiB, KB and so on)
     * @return bytes
     * @throws IllegalArgumentException if the text is no size or it exceeds 2^63 - 1
     */
    public static long parse(String text) {
        Matcher matcher = FORM.matcher(text.strip());
        if (!matcher.matches()) {
            throw new IllegalArgumentException("need a size such as 64M, 1 GiB or 4096, got '" + text + "'");
        }
        int shift = 10 * ("kmgt".indexOf(matcher.group(2).toLowerCase(Locale.ROOT)) + 1);
        if (matcher.group(2).isEmpty()) {
            shift = 0;
        }
        try {
            return Math.multiplyExact(number(matcher.group(1)), 1L << shift);
        } catch (ArithmeticException | NumberFormatException e) {
            throw new IllegalArgumentException("need a size below 2^63 bytes, got '" + text + "'", e);
        }
    }

    /** A number as people write it: decimal, also with zeros in front, or hexadecimal with 0x; with underscores. */
    static long number(String text) {
        String digits = text.replace("_", "");
        boolean hexadecimal = digits.startsWith("0x") || digits.startsWith("0X");
        return hexadecimal ? Long.parseLong(digits, 2, digits.length(), 16) : Long.parseLong(digits);
    }
}
