package org.vmxsim.lab.trace;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.vmxsim.core.replay.MemoryReference;

/**
 * The compact binary form of a memory trace. It begins with the 8 bytes {@code vmxtrc1\n}. Each reference is one byte
 * with the kind in bits 1:0 (fetch, load, store, modify) and the size in bits 7:2; if these are 0 the size follows as a
 * variable-length number; then the address as the difference to the last address of the same kind, zigzag and
 * variable-length (7 bits a byte, low first, bit 7 set on all but the last byte).
 */
final class BinaryTrace implements MemoryTrace {
    static final byte[] MAGIC = {'v', 'm', 'x', 't', 'r', 'c', '1', '\n'};

    private static final MemoryReference.Kind[] KINDS = MemoryReference.Kind.values();
    private static final int MAX_SHORT_SIZE = 63;

    private final String source;
    private final InputStream in;
    private final long[] last = new long[KINDS.length];
    private long offset = MAGIC.length;

    /** Reads from a stream that stands behind the magic bytes. */
    BinaryTrace(String source, InputStream in) {
        this.source = source;
        this.in = in;
    }

    @Override
    public boolean next(MemoryReference record) throws IOException {
        int head = in.read();
        if (head < 0) {
            return false;
        }
        offset++;
        int kind = head & 3;
        long size = head >>> 2 != 0 ? head >>> 2 : number();
        if (size < 1 || size > MemoryReference.MAX_SIZE_BYTES) {
            throw refuse(
                    "need a size of 1 to " + MemoryReference.MAX_SIZE_BYTES + ", got " + Long.toUnsignedString(size));
        }
        long difference = number();
        last[kind] += difference >>> 1 ^ -(difference & 1);
        record.kind = KINDS[kind];
        record.linear = last[kind];
        record.sizeBytes = (int) size;
        return true;
    }

    private long number() throws IOException {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            int next = in.read();
            if (next < 0) {
                throw refuse("the trace ends inside a reference");
            }
            offset++;
            value |= (long) (next & 0x7f) << shift;
            if (next < 0x80) {
                return value;
            }
        }
        throw refuse("need numbers of at most 10 bytes");
    }

    private IllegalArgumentException refuse(String rule) {
        return new IllegalArgumentException(source + ": byte " + offset + ": " + rule);
    }

    @Override
    public void close() throws IOException {
        in.close();
    }

    /**
     * Writes a whole trace in this form.
     *
     * @return how many references were written
     */
    static long write(MemoryTrace trace, OutputStream out) throws IOException {
        out.write(MAGIC);
        long[] last = new long[KINDS.length];
        MemoryReference record = new MemoryReference();
        long count = 0;
        while (trace.next(record)) {
            int kind = record.kind.ordinal();
            boolean small = record.sizeBytes <= MAX_SHORT_SIZE;
            out.write(kind | (small ? record.sizeBytes << 2 : 0));
            if (!small) {
                number(out, record.sizeBytes);
            }
            long difference = record.linear - last[kind];
            number(out, difference << 1 ^ difference >> 63);
            last[kind] = record.linear;
            count++;
        }
        return count;
    }

    private static void number(OutputStream out, long value) throws IOException {
        long rest = value;
        while (rest >>> 7 != 0) {
            out.write((int) (rest & 0x7f) | 0x80);
            rest >>>= 7;
        }
        out.write((int) rest);
    }

    /** Whether the first bytes of a stream are the magic bytes. */
    static boolean matches(byte[] head, int length) {
        return length >= MAGIC.length && java.util.Arrays.equals(head, 0, MAGIC.length, MAGIC, 0, MAGIC.length);
    }
}
