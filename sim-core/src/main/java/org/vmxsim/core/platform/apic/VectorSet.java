package org.vmxsim.core.platform.apic;

import java.util.Arrays;

/** A register of 256 bits, one a vector: ISR, TMR, IRR. */
final class VectorSet {
    private final long[] words = new long[4];

    void set(int vector) {
        words[vector >>> 6] |= 1L << vector;
    }

    void clear(int vector) {
        words[vector >>> 6] &= ~(1L << vector);
    }

    void put(int vector, boolean value) {
        if (value) {
            set(vector);
        } else {
            clear(vector);
        }
    }

    boolean has(int vector) {
        return (words[vector >>> 6] >>> vector & 1) != 0;
    }

    /** The highest vector, or -1. */
    int highest() {
        for (int i = 3; i >= 0; i--) {
            if (words[i] != 0) {
                return 64 * i + 63 - Long.numberOfLeadingZeros(words[i]);
            }
        }
        return -1;
    }

    /** One of the eight 32-bit registers in which software sees the set. */
    int register(int number) {
        return (int) (words[number >>> 1] >>> 32 * (number & 1));
    }

    void clearAll() {
        Arrays.fill(words, 0);
    }
}
