package org.vmxsim.kvmi.wire;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/** A peer that says again what {@link InputRecording} wrote down, at the same questions, and never lets wait. */
public final class ReplayedPeer implements Peer {
    /** Longer than any message or reason. */
    private static final int MOST_BYTES = 1 << 20;

    private final DataInputStream log;
    private final Consumer<byte[]> sent;
    private long questions;
    private long nextQuestion;

    /**
     * Replays from the start.
     *
     * @param log what was written down; closed with this peer
     * @param sent is given what is sent to the tool
     * @throws UncheckedIOException if the log cannot be read
     */
    public ReplayedPeer(InputStream log, Consumer<byte[]> sent) {
        this.log = new DataInputStream(log);
        this.sent = sent;
        nextQuestion = readQuestion();
    }

    @Override
    public Inbound poll() {
        questions++;
        if (questions != nextQuestion) {
            return null;
        }
        Inbound inbound = readInbound();
        nextQuestion = readQuestion();
        return inbound;
    }

    @Override
    public Inbound await(long nanos) {
        return poll();
    }

    /**
     * Whether everything was said.
     *
     * @return true at the end of the log
     */
    public boolean isOver() {
        return nextQuestion == Long.MAX_VALUE;
    }

    private long readQuestion() {
        try {
            return log.readLong();
        } catch (EOFException e) {
            return Long.MAX_VALUE;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Inbound readInbound() {
        try {
            int what = log.readUnsignedByte();
            int size = log.readInt();
            if (what > InputRecording.DISCONNECTED || size < 0 || size > MOST_BYTES) {
                throw new IllegalArgumentException("need a log of input, got " + what + " of " + size + " bytes");
            }
            byte[] bytes = new byte[size];
            log.readFully(bytes);
            return switch (what) {
                case InputRecording.CONNECTED -> new Inbound.Connected();
                case InputRecording.MESSAGE -> new Inbound.Message(bytes);
                default -> new Inbound.Disconnected(new String(bytes, StandardCharsets.UTF_8));
            };
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void send(byte[] message) {
        sent.accept(message);
    }

    @Override
    public void disconnect(String reason) {
        // The recorded end follows.
    }

    @Override
    public void close() {
        try {
            log.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
