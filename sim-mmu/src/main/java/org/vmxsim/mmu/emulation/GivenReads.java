package org.vmxsim.mmu.emulation;

import java.util.ArrayList;
import java.util.List;

/**
 * Bytes that one emulated instruction reads instead of what memory has, by guest-linear address: KVMI's custom read
 * data ({@code ctx_addr}, {@code ctx_size}, {@code ctx_data} of a page-fault event's reply). What was given last wins.
 * A read that lies in a given range only in part gets those bytes from there, and the others from memory.
 */
final class GivenReads {
    private record Range(long gla, byte[] bytes) {}

    private final List<Range> ranges = new ArrayList<>();

    void add(long gla, byte[] bytes) {
        if (bytes.length > 0) {
            ranges.add(new Range(gla, bytes.clone()));
        }
    }

    void clear() {
        ranges.clear();
    }

    boolean isEmpty() {
        return ranges.isEmpty();
    }

    /** A value of 1 to 8 bytes, with the bytes that were given in place of what memory has. */
    long over(long gla, int sizeBytes, long value) {
        long result = value;
        for (Range range : ranges) {
            for (int i = 0; i < sizeBytes; i++) {
                long at = gla + i - range.gla;
                if (at >= 0 && at < range.bytes.length) {
                    int shift = 8 * i;
                    result = result & ~(0xffL << shift) | (range.bytes[(int) at] & 0xffL) << shift;
                }
            }
        }
        return result;
    }
}
