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
import java.util.concurrent.locks.ReentrantLock;
import org.vmxsim.kvmi.wire.codec.MessageHeader;

/**
 * One connection to a tool. One thread reads, others may write. The channel never blocks: both sides wait by selectors
 * of their own, so that every wait has an end.
 */
final class Connection implements AutoCloseable {
    private static final int READ_BUFFER_BYTES = 1 << 16;
    private static final int NO_LIMIT = 0;

    private final SocketConfig config;
    private final SocketChannel channel;
    private final Selector readable;
    private final Selector writable;
    private final ReentrantLock writing = new ReentrantLock();
    private final ByteBuffer received = ByteBuffer.allocateDirect(READ_BUFFER_BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .limit(0);
    private volatile String dropReason;
    private volatile boolean mute;

    private Connection(SocketConfig config, SocketChannel channel) throws IOException {
        this.config = config;
        this.channel = channel;
        readable = Selector.open();
        writable = Selector.open();
        channel.register(readable, SelectionKey.OP_READ);
        channel.register(writable, SelectionKey.OP_WRITE);
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
        ByteBuffer answer = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        read(answer, deadline, "the answer to the handshake");
        int size = handshake.answerBytes(answer.getInt(0));
        if (size == 0) {
            throw new IOException("the answer to the handshake says that it has "
                    + Integer.toUnsignedString(answer.getInt(0)) + " bytes");
        }
        ByteBuffer whole = ByteBuffer.allocate(size).put(answer.array());
        read(whole, deadline, "the answer to the handshake");
        if (!handshake.accepts(whole.array())) {
            throw new IOException("the answer to the handshake is not the expected one");
        }
    }

    /** The next message. */
    byte[] readMessage() throws IOException {
        ByteBuffer header = ByteBuffer.allocate(MessageHeader.BYTES);
        if (!received.hasRemaining()) {
            fill(deadline(config.idleMillis()), "the next message");
        }
        long deadline = deadline(config.stallMillis());
        read(header, deadline, "the header of a message");
        int size = MessageHeader.payloadBytes(header.array());
        if (size > config.maxPayloadBytes()) {
            throw new IOException("a message with a payload of " + size + " bytes");
        }
        ByteBuffer message = ByteBuffer.allocate(MessageHeader.BYTES + size).put(header.array());
        read(message, deadline, "the payload of a message");
        return message.array();
    }

    private void read(ByteBuffer to, long deadline, String what) throws IOException {
        while (to.hasRemaining()) {
            if (!received.hasRemaining()) {
                fill(deadline, what);
            }
            int size = Math.min(to.remaining(), received.remaining());
            to.put(received.slice(received.position(), size));
            received.position(received.position() + size);
        }
    }

    /** Reads at least one byte into the empty buffer. */
    private void fill(long deadline, String what) throws IOException {
        received.clear();
        try {
            // A tool that never stops talking must not outlive its disconnection.
            stopIfDropped();
            int count = channel.read(received);
            while (count == 0) {
                await(readable, deadline, what);
                count = channel.read(received);
            }
            if (count < 0) {
                throw new EOFException("the tool closed the connection");
            }
        } finally {
            received.flip();
        }
    }

    /**
     * Sends a message. A tool that closed its side is not told anything more, but what it said before counts; one that
     * does not read is dropped.
     */
    void send(byte[] message) {
        if (mute) {
            return;
        }
        try {
            write(message);
        } catch (SocketTimeoutException e) {
            drop(e.getMessage());
        } catch (IOException e) {
            mute = true;
            if (!channel.isOpen()) {
                drop("the machine was interrupted while it sent a message");
            }
        }
    }

    /** By one write, unless the socket has no room for it. */
    private void write(byte[] message) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(message);
        writing.lock();
        try {
            channel.write(bytes);
            long deadline = bytes.hasRemaining() ? deadline(config.stallMillis()) : NO_LIMIT;
            while (bytes.hasRemaining()) {
                await(writable, deadline, "room for a message");
                channel.write(bytes);
            }
        } finally {
            writing.unlock();
        }
    }

    private void await(Selector selector, long deadline, String what) throws IOException {
        long left = deadline == NO_LIMIT ? 0 : (deadline - System.nanoTime() + 999_999) / 1_000_000;
        if (deadline != NO_LIMIT && left <= 0) {
            throw new SocketTimeoutException("the tool let the machine wait too long for " + what);
        }
        stopIfDropped();
        selector.select(left);
        selector.selectedKeys().clear();
        stopIfDropped();
    }

    private void stopIfDropped() throws IOException {
        if (dropReason != null || Thread.currentThread().isInterrupted()) {
            throw new IOException(dropReason == null ? "the machine closed the connection" : dropReason);
        }
    }

    /** The end of a wait; a wait of 0 has none. */
    private static long deadline(int millis) {
        if (millis == 0) {
            return NO_LIMIT;
        }
        long deadline = System.nanoTime() + millis * 1_000_000L;
        return deadline == NO_LIMIT ? 1 : deadline;
    }

    /** Lets both sides stop; who reads closes. */
    void drop(String reason) {
        if (dropReason == null) {
            dropReason = reason;
        }
        readable.wakeup();
        writable.wakeup();
    }

    boolean isDropped() {
        return dropReason != null;
    }

    /** Why it was dropped, or what happened instead. */
    String reason(IOException instead) {
        return dropReason == null ? String.valueOf(instead.getMessage()) : dropReason;
    }

    @Override
    public void close() throws IOException {
        // The selectors last: a registered channel gives its descriptor back only when they let it go.
        channel.close();
        readable.close();
        writable.close();
    }
}
