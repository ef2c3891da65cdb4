package org.vmxsim.kvmi.wire;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** A peer that says what a test wants, and keeps what it is told. */
public final class ScriptedPeer implements Peer {
    public final List<byte[]> sent = new ArrayList<>();
    final List<String> disconnected = new ArrayList<>();
    boolean closed;
    private final Deque<Inbound> coming = new ArrayDeque<>();

    /** Nothing comes. */
    public ScriptedPeer() {}

    public void come(Inbound inbound) {
        coming.add(inbound);
    }

    /** Whether everything that came was taken. */
    public boolean isQuiet() {
        return coming.isEmpty();
    }

    @Override
    public Inbound poll() {
        return coming.poll();
    }

    @Override
    public Inbound await(long nanos) {
        return poll();
    }

    @Override
    public void send(byte[] message) {
        sent.add(message);
    }

    @Override
    public void disconnect(String reason) {
        disconnected.add(reason);
        coming.removeIf(inbound -> inbound instanceof Inbound.Message);
        coming.add(new Inbound.Disconnected(reason));
    }

    @Override
    public void close() {
        closed = true;
    }
}
