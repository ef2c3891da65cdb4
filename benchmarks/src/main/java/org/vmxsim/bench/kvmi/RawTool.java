package org.vmxsim.bench.kvmi;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The tool's side of a socket without any library: what the tables of the branch kvmi-v7 say, nothing else. Blocks as
 * tools do.
 */
final class RawTool implements AutoCloseable {
    static final int HEADER_BYTES = 8;
    static final int CR_EVENT_BYTES = 544 + 24;
    static final int CR_REPLY_BYTES = 24;

    private static final int EVENT_REPLY = 0;
    private static final int EVENT = 1;
    private static final int CONTROL_EVENTS = 9;
    private static final int CONTROL_CR = 10;
    private static final int CR = 1;
    private static final int NEW_VALUE = 544 + 16;

    private final Path folder;
    private final ServerSocketChannel listener;
    private final ByteBuffer in = ByteBuffer.allocateDirect(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
    private final ByteBuffer out = ByteBuffer.allocateDirect(8192).order(ByteOrder.LITTLE_ENDIAN);
    private SocketChannel channel;
    private int sequence;

    /** Bytes of the last message, which the next one follows. */
    private int used;

    RawTool() throws IOException {
        folder = Files.createTempDirectory("vmxsim-bench");
        listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        listener.bind(UnixDomainSocketAddress.of(path()));
    }

    Path path() {
        return folder.resolve("s");
    }

    /** Waits for somebody to connect. */
    void accept() throws IOException {
        channel = listener.accept();
    }

    /** Waits for a machine and answers its greeting. */
    void shakeHands() throws IOException {
        accept();
        read(Integer.BYTES);
        read(in.getInt(0) - Integer.BYTES);
        in.clear();
        out.clear().putInt(24).put(new byte[20]);
        write();
    }

    /** Wants to know of the first vCPU's writes of CR3. */
    void watchCr3() throws IOException {
        command(CONTROL_EVENTS, 16)
                .putLong(0)
                .putShort((short) CR)
                .put((byte) 1)
                .put(new byte[5]);
        ask();
        command(CONTROL_CR, 16).putLong(0).putInt(1).putInt(3);
        ask();
    }

    /** Begins a command without data. */
    ByteBuffer command(int id, int payloadBytes) {
        return out.clear().putShort((short) id).putShort((short) payloadBytes).putInt(++sequence);
    }

    /** Sends the command that was begun; the size of its answer. */
    int ask() throws IOException {
        write();
        return message();
    }

    /** Replies to events with the value that the guest wants, until the machine closes. */
    void echo() {
        try {
            while (true) {
                message();
                if (in.getShort(0) != EVENT) {
                    throw new IllegalStateException("need an event, got " + in.getShort(0));
                }
                out.clear()
                        .putShort((short) EVENT_REPLY)
                        .putShort((short) CR_REPLY_BYTES)
                        .putInt(in.getInt(4));
                out.putLong(0).put((byte) 0).put((byte) CR).put(new byte[6]);
                out.putLong(in.getLong(HEADER_BYTES + NEW_VALUE));
                write();
            }
        } catch (EOFException e) {
            // The benchmark is over.
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reads a message of a known size and answers by one of a known size, until the other side closes. */
    void pong(int inBytes, int outBytes) {
        try {
            while (true) {
                read(inBytes);
                out.clear().position(outBytes);
                write();
            }
        } catch (EOFException e) {
            // The benchmark is over.
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Takes one message that was not asked for. */
    void receive() throws IOException {
        message();
    }

    /** Reads one message whole, by as few reads as it comes in. */
    private int message() throws IOException {
        in.limit(in.position()).position(used).compact();
        fill(HEADER_BYTES);
        used = HEADER_BYTES + (in.getShort(2) & 0xffff);
        fill(used);
        return used - HEADER_BYTES;
    }

    private void read(int bytes) throws IOException {
        used = 0;
        in.clear().limit(bytes);
        fill(bytes);
    }

    private void fill(int bytes) throws IOException {
        while (in.position() < bytes) {
            if (channel.read(in) < 0) {
                throw new EOFException();
            }
        }
    }

    private void write() throws IOException {
        out.flip();
        while (out.hasRemaining()) {
            channel.write(out);
        }
    }

    /** A thread of the tool. */
    static Thread start(String name, Runnable run) {
        Thread thread = new Thread(run, name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    @Override
    public void close() throws IOException {
        if (channel != null) {
            channel.close();
        }
        listener.close();
        Files.deleteIfExists(path());
        Files.deleteIfExists(folder);
    }
}
