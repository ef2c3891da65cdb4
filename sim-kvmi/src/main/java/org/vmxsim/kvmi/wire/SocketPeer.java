package org.vmxsim.kvmi.wire;

import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vmxsim.kvmi.wire.InboundQueue.Item;

/**
 * A tool behind a socket of the host. The tool listens, this connects, again and again until it is closed. A daemon
 * thread connects, greets and reads; see {@link Peer} for what the simulation does.
 */
public final class SocketPeer implements Peer {
    private static final Logger LOG = LoggerFactory.getLogger(SocketPeer.class);

    private final SocketConfig config;
    private final Handshake handshake;
    private final InboundQueue queue;
    private final Thread reader;
    private final Object sleep = new Object();
    private volatile Connection current;
    private volatile boolean closed;

    /** The connection whose messages are being taken, or null. */
    private Connection active;

    private SocketPeer(SocketConfig config, Handshake handshake) {
        this.config = config;
        this.handshake = handshake;
        queue = new InboundQueue(config.queuedMessages());
        reader = new Thread(this::run, "kvmi-peer " + config.path().getFileName());
        reader.setDaemon(true);
    }

    /**
     * Starts to connect.
     *
     * @param config where, and what it bears
     * @param handshake what it says first
     * @return the peer; close it to end its thread
     */
    public static SocketPeer connecting(SocketConfig config, Handshake handshake) {
        SocketPeer peer = new SocketPeer(config, handshake);
        peer.reader.start();
        return peer;
    }

    @Override
    public Inbound poll() {
        return taken(queue.take(0));
    }

    @Override
    public Inbound await(long nanos) {
        return taken(queue.take(nanos));
    }

    private Inbound taken(Item item) {
        if (item == null) {
            return null;
        }
        if (item.inbound() instanceof Inbound.Connected) {
            active = item.connection();
        } else if (item.inbound() instanceof Inbound.Disconnected) {
            active = null;
        }
        return item.inbound();
    }

    @Override
    public void send(byte[] message) {
        if (active != null) {
            active.send(message);
        }
    }

    @Override
    public void disconnect(String reason) {
        if (active != null) {
            queue.drop(active, reason);
        }
    }

    @Override
    public void close() {
        closed = true;
        Connection last = current;
        if (last != null) {
            queue.drop(last, "the machine closed the connection");
        }
        reader.interrupt();
        boolean interrupted = false;
        while (reader.isAlive()) {
            try {
                reader.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try {
            while (!closed) {
                serve();
                // After a good connection, too: a tool that hangs up at once must not keep a processor busy.
                Thread.sleep(config.retryMillis());
            }
        } catch (InterruptedException e) {
            LOG.debug("{} is closed", reader.getName());
        }
    }

    /** One connection from its start to its end. */
    private void serve() throws InterruptedException {
        try (Connection connection = Connection.open(config)) {
            current = connection;
            if (greet(connection)) {
                read(connection);
            }
        } catch (IOException e) {
            LOG.debug("{}: {}", config.path(), e.getMessage());
        } finally {
            current = null;
        }
    }

    private boolean greet(Connection connection) {
        try {
            connection.shakeHands(handshake);
            return true;
        } catch (IOException e) {
            LOG.warn("{}: no introspection: {}", config.path(), connection.reason(e));
            return false;
        }
    }

    private void read(Connection connection) throws InterruptedException {
        queue.put(new Inbound.Connected(), connection);
        try {
            while (!closed) {
                queue.putMessage(connection.readMessage(), connection);
            }
        } catch (IOException e) {
            LOG.info("{}: introspection ends: {}", config.path(), connection.reason(e));
            queue.put(new Inbound.Disconnected(connection.reason(e)), connection);
        }
    }
}
