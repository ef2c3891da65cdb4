package org.vmxsim.kvmi.wire.codec;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.vmxsim.kvmi.message.KvmiError;

/**
 * The part of a message that is being decoded, and the first thing that was found wrong with it. Offsets count from the
 * start of the part. Reading beyond its end is a mistake of the decoder, which knows the size.
 */
final class Payload {
    private final ByteBuffer bytes;
    private final boolean checksPadding;
    private KvmiError refusal;
    private String breach;

    Payload(byte[] message, int start, boolean checksPadding) {
        this.bytes =
                ByteBuffer.wrap(message, start, message.length - start).slice().order(ByteOrder.LITTLE_ENDIAN);
        this.checksPadding = checksPadding;
    }

    int size() {
        return bytes.limit();
    }

    int u8(int offset) {
        return bytes.get(offset) & 0xff;
    }

    boolean flag(int offset) {
        return bytes.get(offset) != 0;
    }

    int u16(int offset) {
        return bytes.getShort(offset) & 0xffff;
    }

    int u32(int offset) {
        return bytes.getInt(offset);
    }

    long u64(int offset) {
        return bytes.getLong(offset);
    }

    byte[] bytes(int offset, int size) {
        byte[] copy = new byte[size];
        bytes.get(offset, copy);
        return copy;
    }

    ByteBuffer view() {
        return bytes;
    }

    /** Padding that must be 0: kvmi.rst asks for EINVAL otherwise. */
    void padding(int offset, int size) {
        if (checksPadding && !isZero(offset, size)) {
            refuse(KvmiError.EINVAL);
        }
    }

    boolean isZero(int offset, int size) {
        for (int i = offset; i < offset + size; i++) {
            if (bytes.get(i) != 0) {
                return false;
            }
        }
        return true;
    }

    /** The command is answered by an error, the first one found. */
    void refuse(KvmiError error) {
        if (refusal == null) {
            refusal = error;
        }
    }

    /** The connection is closed. */
    void breach(String reason) {
        breach = reason;
    }

    KvmiError refusal() {
        return refusal;
    }

    String breach() {
        return breach;
    }

    /** The same bytes with zeros after them. */
    Payload extendedTo(int size) {
        byte[] longer = Arrays.copyOf(bytes(0, size()), size);
        return new Payload(longer, 0, checksPadding);
    }
}
