package org.vmxsim.core.x87;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.GZIPInputStream;

/** What {@code src/test/native/x87/record.c} has written, vector by vector. */
final class RecordedX87 {
    private static final int VECTOR_BYTES = 5;

    final int forms;
    final int perForm;
    private final byte[] bytes;
    private final ByteBuffer vectors;
    private final ByteBuffer values;

    /** Registers by place in the stack before; values of the present vector. */
    int status;

    int valid;
    int changed;
    boolean memoryChanged;
    boolean flagsChanged;
    final long[] significands = new long[9];
    final int[] signExponents = new int[9];
    int flags;

    RecordedX87() throws IOException {
        try (InputStream file = new GZIPInputStream(RecordedX87.class.getResourceAsStream("x87.bin.gz"))) {
            bytes = file.readAllBytes();
        }
        ByteBuffer all = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        forms = all.getInt(0);
        perForm = all.getInt(4);
        int first = 12 + 3 * forms;
        int behind = first + VECTOR_BYTES * forms * perForm;
        vectors = all.duplicate().order(ByteOrder.LITTLE_ENDIAN).position(first);
        values = all.duplicate().order(ByteOrder.LITTLE_ENDIAN).position(behind);
    }

    /** Byte 0 or 1 of a form's code, or its kind of operand (2). */
    int form(int number, int part) {
        return bytes[12 + 3 * number + part] & 0xff;
    }

    void next() {
        status = vectors.getShort() & 0xffff;
        valid = vectors.get() & 0xff;
        changed = vectors.get() & 0xff;
        int other = vectors.get();
        memoryChanged = (other & 1) != 0;
        flagsChanged = (other & 2) != 0;
        for (int i = 0; i <= 8; i++) {
            boolean there = i < 8 ? (changed >>> i & 1) != 0 : memoryChanged;
            if (there) {
                significands[i] = values.getLong();
                signExponents[i] = values.getShort() & 0xffff;
            }
        }
        flags = flagsChanged ? values.getShort() & 0xffff : 0;
    }
}
