package org.vmxsim.lab.gdb;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;

/**
 * Packets of the remote serial protocol over a connection: framing, checksums, acknowledgements. Characters are bytes.
 * What breaks the framing is dropped; a lost connection is a closed channel, never an exception.
 */
final class PacketChannel implements Closeable {
    /** The longest packet that is taken, without its frame. */
    static final int LONGEST = 0x4000;
    /** What {@link #next} answers for Ctrl-C. */
    static final String INTERRUPT = "\003";

    private static final int BUFFER_BYTES = 0x1_0000;
    private static final int ESCAPE = '}';

    private enum State {
        OUTSIDE,
        BODY,
        CHECKSUM
    }

    private final SocketChannel channel;
    private final ByteBuffer input = ByteBuffer.allocate(BUFFER_BYTES).limit(0);
    private final StringBuilder body = new StringBuilder();
    private final StringBuilder checksum = new StringBuilder();
    private State state = State.OUTSIDE;
    private boolean acknowledges = true;
    private String sent = "";
    private boolean open = true;

    PacketChannel(SocketChannel channel) {
        this.channel = channel;
    }

    /** Whether the other side is there. */
    boolean isOpen() {
        return open;
    }

    /** No acknowledgements from the next packet on. */
    void withoutAcknowledgements() {
        acknowledges = false;
    }

    /**
     * The body of the next packet, or {@link #INTERRUPT}.
     *
     * @param wait whether to wait for it
     * @return null if there is none, or the channel is closed
     */
    String next(boolean wait) {
        while (true) {
            while (input.hasRemaining()) {
                String packet = take((char) (input.get() & 0xff));
                if (packet != null) {
                    return packet;
                }
            }
            if (!fill(wait)) {
                return null;
            }
        }
    }

    private boolean fill(boolean wait) {
        int count = -1;
        if (open) {
            try {
                input.clear();
                channel.configureBlocking(wait);
                count = channel.read(input);
            } catch (IOException e) {
                count = -1;
            }
            input.flip();
        }
        open &= count >= 0;
        return count > 0;
    }

    private String take(char character) {
        switch (state) {
            case OUTSIDE -> {
                return outside(character);
            }
            case BODY -> {
                if (character == '#') {
                    checksum.setLength(0);
                    state = State.CHECKSUM;
                } else if (character == '$') {
                    body.setLength(0);
                } else if (body.length() <= LONGEST) {
                    body.append(character);
                }
                return null;
            }
            case CHECKSUM -> {
                checksum.append(character);
                return checksum.length() == 2 ? checked() : null;
            }
        }
        throw new AssertionError(state);
    }

    private String outside(char character) {
        if (character == '$') {
            body.setLength(0);
            state = State.BODY;
        } else if (character == '-' && acknowledges) {
            write(sent);
        }
        return character == 3 ? INTERRUPT : null;
    }

    private String checked() {
        state = State.OUTSIDE;
        boolean right = body.length() <= LONGEST && checksum.toString().equalsIgnoreCase(sum(body));
        if (acknowledges) {
            write(right ? "+" : "-");
        }
        return right ? body.toString() : null;
    }

    private static String sum(CharSequence text) {
        return String.format("%02x", text.chars().sum() & 0xff);
    }

    /** Sends a packet. */
    void send(String text) {
        StringBuilder escaped = new StringBuilder();
        for (char character : text.toCharArray()) {
            if (character == '#' || character == '$' || character == ESCAPE || character == '*') {
                escaped.append((char) ESCAPE).append((char) (character ^ 0x20));
            } else {
                escaped.append(character);
            }
        }
        sent = "$" + escaped + "#" + sum(escaped);
        write(sent);
    }

    private void write(String text) {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1));
        try {
            channel.configureBlocking(true);
            while (open && bytes.hasRemaining()) {
                channel.write(bytes);
            }
        } catch (IOException e) {
            open = false;
        }
    }

    /** The bytes that escaped binary data stands for. */
    static byte[] unescaped(String text) {
        byte[] bytes = new byte[text.length()];
        int count = 0;
        for (int i = 0; i < text.length(); i++) {
            boolean escape = text.charAt(i) == ESCAPE && i + 1 < text.length();
            bytes[count++] = (byte) (escape ? text.charAt(++i) ^ 0x20 : text.charAt(i));
        }
        return java.util.Arrays.copyOf(bytes, count);
    }

    @Override
    public void close() {
        open = false;
        try {
            channel.close();
        } catch (IOException e) {
            // it is gone either way
        }
    }
}
