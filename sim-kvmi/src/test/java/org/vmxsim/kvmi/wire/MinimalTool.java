package org.vmxsim.kvmi.wire;

import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * A tool of no more than what the tables of the protocol say, for either format. Shares nothing with the codecs:
 * numbers and offsets are typed here.
 */
public final class MinimalTool implements AutoCloseable {
    /** One message: a header of id u16@0, size u16@2, seq u32@4, and the payload. */
    public record Message(int id, int sequence, byte[] payload) {
        public ByteBuffer view() {
            return ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN);
        }

        /** s32 at the start of an answer. */
        public int error() {
            return view().getInt(0);
        }
    }

    private final ServerSocketChannel listener;
    private final boolean first;
    private final Deque<Message> events = new ArrayDeque<>();
    private SocketChannel channel;
    private byte[] greeting;
    private int sequence;

    private MinimalTool(ServerSocketChannel listener, boolean first) {
        this.listener = listener;
        this.first = first;
    }

    /** Speaks the first format. */
    public static MinimalTool ofV4(Path path) throws IOException {
        return new MinimalTool(listen(path), true);
    }

    /** Speaks the format of the branch kvmi-v7. */
    public static MinimalTool ofBranchV7(Path path) throws IOException {
        return new MinimalTool(listen(path), false);
    }

    private static ServerSocketChannel listen(Path path) throws IOException {
        Files.deleteIfExists(path);
        ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        return listener.bind(UnixDomainSocketAddress.of(path));
    }

    /** Waits for a machine and answers its greeting. */
    public MinimalTool accept() throws IOException {
        return accept(first ? null : Bytes.of().u32(24).zeros(20).array());
    }

    /** Waits for a machine and gives an answer to its greeting; null: the greeting itself. */
    public MinimalTool accept(byte[] answer) throws IOException {
        greet();
        sendRaw(answer == null ? greeting : answer);
        return this;
    }

    /** Waits for a machine's greeting. */
    public byte[] greet() throws IOException {
        channel = listener.accept();
        events.clear();
        sequence = 0;
        byte[] size = read(4);
        int count = ByteBuffer.wrap(size).order(ByteOrder.LITTLE_ENDIAN).getInt();
        greeting = Bytes.of().raw(size).raw(read(count - 4)).array();
        return greeting;
    }

    public void sendRaw(byte[] bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }

    /** Sends a command; the sequence number it has. */
    public int send(int id, Bytes payload) throws IOException {
        sequence++;
        sendRaw(Bytes.message(id, sequence, payload.array()));
        return sequence;
    }

    /** Sends a command and takes its answer; keeps the events that come before it. */
    public Message ask(int id, Bytes payload) throws IOException {
        int mine = send(id, payload);
        Message message = receive();
        while (message.id() == eventId()) {
            events.add(message);
            message = receive();
        }
        if (message.id() != id || message.sequence() != mine) {
            throw new AssertionError("the answer to " + id + "/" + mine + " is " + message);
        }
        return message;
    }

    /** Sends any bytes, and takes the next message that is no event; keeps the events that come before it. */
    public Message exchange(byte[] bytes) throws IOException {
        sendRaw(bytes);
        Message message = receive();
        while (message.id() == eventId()) {
            events.add(message);
            message = receive();
        }
        return message;
    }

    /** The next event. */
    public Message event() throws IOException {
        Message event = events.isEmpty() ? receive() : events.remove();
        if (event.id() != eventId()) {
            throw new AssertionError("need an event, got " + event);
        }
        return event;
    }

    /** Replies to an event: {u32 action, u32 pad} or {vcpu_hdr}{action u8, event u8, pad[6]}, and what follows. */
    public void reply(Message event, int action, Bytes specific) throws IOException {
        ByteBuffer e = event.view();
        Bytes start = first
                ? Bytes.of().u32(action).u32(0)
                : Bytes.vcpu(e.getShort(2)).u8(action).u8(e.get(4)).zeros(6);
        byte[] payload = start.raw(specific.array()).array();
        sendRaw(Bytes.message(first ? 24 : 0, event.sequence(), payload));
    }

    public Message receive() throws IOException {
        ByteBuffer header = ByteBuffer.wrap(read(8)).order(ByteOrder.LITTLE_ENDIAN);
        return new Message(header.getShort(0) & 0xffff, header.getInt(4), read(header.getShort(2) & 0xffff));
    }

    private int eventId() {
        return first ? 23 : 1;
    }

    /** Whether the machine closed the connection and said nothing more. */
    public boolean isClosed() {
        try {
            return channel.read(ByteBuffer.allocate(1)) < 0;
        } catch (IOException e) {
            return true;
        }
    }

    private byte[] read(int count) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(count);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer) < 0) {
                throw new EOFException("the machine closed the connection");
            }
        }
        return buffer.array();
    }

    /** Ends the connection, and listens still. */
    public void hangUp() throws IOException {
        channel.close();
    }

    @Override
    public void close() throws IOException {
        if (channel != null) {
            channel.close();
        }
        listener.close();
    }
}
