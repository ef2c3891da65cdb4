package org.vmxsim.kvmi.wire;

import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * A peer whose input is written down, for {@link ReplayedPeer}. Since the simulation asks at its own points only, the
 * count of questions says when an input came.
 *
 * <p>The record of one input, big-endian: the number of the question (8 bytes), what it is (1 byte: 0 connected, 1
 * message, 2 disconnected), the size of what follows (4 bytes), the message or the reason in UTF-8.
 */
public final class InputRecording implements Peer {
    static final int CONNECTED = 0;
    static final int MESSAGE = 1;
    static final int DISCONNECTED = 2;

    private final Peer peer;
    private final DataOutputStream log;
    private long questions;

    /**
     * Records from now on.
     *
     * @param peer whose input
     * @param log where it is written; flushed and closed with this peer
     */
    public InputRecording(Peer peer, OutputStream log) {
        this.peer = peer;
        this.log = new DataOutputStream(log);
    }

    @Override
    public Inbound poll() {
        return recorded(peer.poll());
    }

    @Override
    public Inbound await(long nanos) {
        return recorded(peer.await(nanos));
    }

    private Inbound recorded(Inbound inbound) {
        questions++;
        if (inbound instanceof Inbound.Connected) {
            write(CONNECTED, new byte[0]);
        } else if (inbound instanceof Inbound.Message message) {
            write(MESSAGE, message.bytes());
        } else if (inbound instanceof Inbound.Disconnected end) {
            write(DISCONNECTED, end.reason().getBytes(StandardCharsets.UTF_8));
        }
        return inbound;
    }

    private void write(int what, byte[] bytes) {
        try {
            log.writeLong(questions);
            log.writeByte(what);
            log.writeInt(bytes.length);
            log.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void send(byte[] message) {
        peer.send(message);
    }

    @Override
    public void disconnect(String reason) {
        peer.disconnect(reason);
    }

    @Override
    public void close() {
        peer.close();
        try {
            log.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
