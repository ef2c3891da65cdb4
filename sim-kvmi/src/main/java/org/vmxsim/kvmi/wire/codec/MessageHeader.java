package org.vmxsim.kvmi.wire.codec;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The 8 bytes before every message, the same in both formats: {@code struct kvmi_msg_hdr}. Source: kvmi.rst, "Message
 * header".
 *
 * <pre>
 *  0    2      4          8
 * +----+------+----------+---------
 * | id | size | sequence | payload
 * +----+------+----------+---------
 * </pre>
 */
public final class MessageHeader {
    /** Size of the header in bytes. */
    public static final int BYTES = 8;

    private static final int ID = 0;
    private static final int SIZE = 2;
    private static final int SEQUENCE = 4;

    private MessageHeader() {}

    /**
     * What kind of message it is.
     *
     * @param message at least the header
     * @return the number of the command, event or reply: 0 to 65535
     */
    public static int id(byte[] message) {
        return view(message).getShort(ID) & 0xffff;
    }

    /**
     * How many bytes follow the header.
     *
     * @param message at least the header
     * @return size of the payload in bytes: 0 to 65535
     */
    public static int payloadBytes(byte[] message) {
        return view(message).getShort(SIZE) & 0xffff;
    }

    /**
     * How many bytes follow the header.
     *
     * @param message little-endian, the header at index 0
     * @return size of the payload in bytes: 0 to 65535
     */
    public static int payloadBytes(ByteBuffer message) {
        return message.getShort(SIZE) & 0xffff;
    }

    /**
     * The number that ties an answer to its command and a reply to its event.
     *
     * @param message at least the header
     * @return the number, chosen by who asks
     */
    public static int sequence(byte[] message) {
        return view(message).getInt(SEQUENCE);
    }

    /** Checks that a message is as long as its header says. */
    static void check(byte[] message) {
        if (message.length < BYTES || message.length != BYTES + payloadBytes(message)) {
            throw new IllegalArgumentException("need a message as long as its header says, got " + message.length);
        }
    }

    /** A message of zeros with its header. */
    static ByteBuffer start(int id, int payloadBytes, int sequence) {
        return ByteBuffer.allocate(BYTES + payloadBytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putShort(ID, (short) id)
                .putShort(SIZE, (short) payloadBytes)
                .putInt(SEQUENCE, sequence);
    }

    private static ByteBuffer view(byte[] message) {
        return ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
    }
}
