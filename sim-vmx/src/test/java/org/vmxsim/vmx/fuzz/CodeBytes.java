package org.vmxsim.vmx.fuzz;

import java.util.Arrays;

/** Machine code being written: bytes and little-endian immediates, one behind the other. */
final class CodeBytes {
    private byte[] bytes = new byte[64];
    private int size;

    /** Appends opcode bytes; only the low 8 bits count. */
    CodeBytes put(int... values) {
        for (int value : values) {
            if (size == bytes.length) {
                bytes = Arrays.copyOf(bytes, 2 * size);
            }
            bytes[size++] = (byte) value;
        }
        return this;
    }

    /** Appends an immediate or displacement of 1 to 8 bytes. */
    CodeBytes immediate(long value, int sizeBytes) {
        for (int i = 0; i < sizeBytes; i++) {
            put((int) (value >>> 8 * i));
        }
        return this;
    }

    CodeBytes imm32(long value) {
        return immediate(value, 4);
    }

    int size() {
        return size;
    }

    byte[] toArray() {
        return Arrays.copyOf(bytes, size);
    }
}
