package org.vmxsim.kvmi.wire;

import java.io.EOFException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.Deque;
import org.vmxsim.kvmi.wire.codec.MessageHeader;

/**
 * One connection to a tool. Belongs to the thread that made it until that gives it away. The channel never blocks:
 * whoever waits, waits by the selector, so that every wait has an end.
 */
final class Connection implements AutoCloseable {
    /** Alone on its processor, who looks keeps the tool from replying. */
    private static final long SPIN_NANOS = Runtime.getRuntime().availableProcessors() > 1 ? 50_000 : 0;

    private static final int LEAST_BUFFER_BYTES = 1 << 16;
    private static final int NO_LIMIT = 0;

    private final SocketConfig config;
    private final SocketChannel channel;
    private final Selector selector;
    private final SelectionKey key;
    /** What came and was not looked at, from 0 to its position. */
    private final ByteBuffer received;

    private final Deque<byte[]> messages = new ArrayDeque<>();
    /** When the last message ended, or if another has begun, when that was. */
    private long sinceNanos = System.nanoTime();

    private String dropReason;
    private boolean mute;

    private Connection(SocketConfig config, SocketChannel channel) throws IOException {
        this.config = config;
        this.channel = channel;
        int largest = MessageHeader.BYTES + config.maxPayloadBytes();
        received =
                ByteBuffer.allocateDirect(Math.max(largest, LEAST_BUFFER_BYTES)).order(ByteOrder.LITTLE_ENDIAN);
        selector = Selector.open();
        key = channel.register(selector, SelectionKey.OP_READ);
    }

    /** Connects, or says by an exception that nobody listens. */
    static Connection open(SocketConfig config) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.configureBlocking(false);
            // A listener whose backlog is full does not count as one.
            if (!channel.connect(UnixDomainSocketAddress.of(config.path()))) {
                throw new IOException("nobody accepts the connection");
            }
            return new Connection(config, channel);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    /** Greets the tool and takes its answer. */
    void shakeHands(Handshake handshake) throws IOException {
        long deadline = deadline(config.handshakeMillis());
        write(handshake.greeting());
        byte[] start = receive(Integer.BYTES, deadline);
        int announced = ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).getInt();
        int size = handshake.answerBytes(announced);
        if (size == 0) {
            throw new IOException(
                    "the answer to the handshake says that it has " + Integer.toUnsignedString(announced) + " bytes");
        }
        byte[] rest = receive(size - start.length, deadline);
        if (!handshake.accepts(ByteBuffer.allocate(size).put(start).put(rest).array())) {
            throw new IOException("the answer to the handshake is not the expected one");
        }
    }

    private byte[] receive(int count, long deadline) throws IOException {
        // More than the buffer has is asked for by no format.
        while (received.position() < count) {
            if (read() == 0) {
                await(deadline, "the answer to the handshake");
            }
        }
        return cut(count);
    }

    /** The next message, or null if it is not there yet; an exception if there will be none. */
    byte[] poll() throws IOException {
        stopIfDropped();
        byte[] message = messages.poll();
        message = message == null ? cutMessage() : message;
        if (message == null && read() > 0) {
            message = cutMessage();
        }
        if (message == null) {
            checkPatience();
        }
        return message;
    }

    /** Waits until something has come, or for so long. */
    void await(long nanos) throws IOException {
        stopIfDropped();
        if (messages.isEmpty() && !comesSoon(nanos)) {
            selector.select(Math.max(1, Math.min(nanos, patienceNanos()) / 1_000_000));
            selector.selectedKeys().clear();
        }
    }

    /** Looks for a while before it sleeps, since waking up takes longer than a tool needs for most replies. */
    private boolean comesSoon(long nanos) throws IOException {
        long until = System.nanoTime() + Math.min(nanos, SPIN_NANOS);
        while (System.nanoTime() - until < 0) {
            if (read() > 0) {
                return true;
            }
            Thread.onSpinWait();
        }
        return false;
    }

    /** How many bytes came now; never waits. */
    private int read() throws IOException {
        int count = channel.read(received);
        if (count < 0) {
            throw new EOFException("the tool closed the connection");
        }
        if (count > 0 && received.position() == count) {
            sinceNanos = System.nanoTime();
        }
        return count;
    }

    private byte[] cutMessage() throws IOException {
        if (received.position() < MessageHeader.BYTES) {
            return null;
        }
        int size = MessageHeader.payloadBytes(received);
        if (size > config.maxPayloadBytes()) {
            throw new IOException("a message with a payload of " + size + " bytes");
        }
        return received.position() < MessageHeader.BYTES + size ? null : cut(MessageHeader.BYTES + size);
    }

    private byte[] cut(int count) {
        byte[] bytes = new byte[count];
        received.flip().get(bytes).compact();
        sinceNanos = System.nanoTime();
        return bytes;
    }

    private boolean isInMessage() {
        return received.position() > 0;
    }

    /** How long the tool may still let the machine wait, in nanoseconds. */
    private long patienceNanos() {
        int millis = isInMessage() ? config.stallMillis() : config.idleMillis();
        return millis == 0 ? Long.MAX_VALUE : sinceNanos + millis * 1_000_000L - System.nanoTime();
    }

    private void checkPatience() throws IOException {
        boolean limited = isInMessage() || config.idleMillis() != 0;
        if (limited && patienceNanos() <= 0) {
            throw new SocketTimeoutException("the tool let the machine wait too long for "
                    + (isInMessage() ? "the rest of a message" : "the next message"));
        }
    }

    /**
     * Sends a message. A tool that closed its side is not told anything more, but what it said before counts; one that
     * does not read is dropped.
     */
    void send(byte[] message) {
        if (mute || dropReason != null) {
            return;
        }
        try {
            write(message);
        } catch (SocketTimeoutException e) {
            drop(e.getMessage());
        } catch (IOException e) {
            mute = true;
            if (Thread.currentThread().isInterrupted()) {
                drop("the machine was interrupted while it sent a message");
            }
        }
    }

    /** By one write, unless the socket has no room for it. */
    private void write(byte[] message) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(message);
        channel.write(bytes);
        if (!bytes.hasRemaining()) {
            return;
        }
        long deadline = deadline(config.stallMillis());
        try {
            while (bytes.hasRemaining()) {
                // Who sends and sends without reading must be heard, or both would wait.
                boolean room = listen();
                key.interestOps(room ? SelectionKey.OP_READ | SelectionKey.OP_WRITE : SelectionKey.OP_WRITE);
                await(deadline, "room for a message");
                channel.write(bytes);
            }
        } finally {
            key.interestOps(SelectionKey.OP_READ);
        }
    }

    /** Puts aside what has come; whether more could be. */
    private boolean listen() throws IOException {
        while (messages.size() < config.queuedMessages()) {
            byte[] message = cutMessage();
            if (message != null) {
                messages.add(message);
            } else if (read() == 0) {
                return true;
            }
        }
        return false;
    }

    private void await(long deadline, String what) throws IOException {
        long left = (deadline - System.nanoTime() + 999_999) / 1_000_000;
        if (left <= 0) {
            throw new SocketTimeoutException("the tool let the machine wait too long for " + what);
        }
        selector.select(left);
        selector.selectedKeys().clear();
        if (Thread.currentThread().isInterrupted()) {
            throw new IOException("the machine closed the connection");
        }
    }

    private static long deadline(int millis) {
        return System.nanoTime() + millis * 1_000_000L;
    }

    private void stopIfDropped() throws IOException {
        if (dropReason != null) {
            throw new IOException(dropReason);
        }
    }

    /** Forgets what came, and says nothing but that it ends. */
    void drop(String reason) {
        if (dropReason == null) {
            dropReason = reason;
            messages.clear();
        }
    }

    @Override
    public void close() throws IOException {
        // The selector last: a registered channel gives its descriptor back only when it lets it go.
        channel.close();
        selector.close();
    }
}
