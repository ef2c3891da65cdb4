package org.vmxsim.kvmi.wire;

import java.io.IOException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A tool behind a socket of the host. The tool listens, this connects, again and again until it is closed. A daemon
 * thread connects and greets, and then gives the connection to the simulation's thread, which reads it itself: a reply
 * that a vCPU waits for wakes one thread and not two.
 */
public final class SocketPeer implements Peer {
    private static final Logger LOG = LoggerFactory.getLogger(SocketPeer.class);

    private final SocketConfig config;
    private final Handshake handshake;
    private final Thread connector;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    /** The connection that the tool has, from its handshake to its end; by the lock. */
    private Connection current;

    private volatile boolean closed;

    /** Why there is no connection, as it was said last; the connecting thread's. */
    private String told;

    /** The same once {@link Inbound.Connected} was taken; the simulation's. */
    private Connection active;

    private SocketPeer(SocketConfig config, Handshake handshake) {
        this.config = config;
        this.handshake = handshake;
        connector = new Thread(this::run, "kvmi-peer " + config.path().getFileName());
        connector.setDaemon(true);
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
        peer.connector.start();
        return peer;
    }

    @Override
    public Inbound poll() {
        if (active == null) {
            return connected(0);
        }
        try {
            byte[] message = active.poll();
            return message == null ? null : new Inbound.Message(message);
        } catch (IOException e) {
            return ended(e);
        }
    }

    @Override
    public Inbound await(long nanos) {
        long deadline = System.nanoTime() + nanos;
        Inbound inbound = poll();
        long left = nanos;
        while (inbound == null && left > 0 && !Thread.currentThread().isInterrupted()) {
            inbound = active == null ? connected(left) : next(left);
            left = deadline - System.nanoTime();
        }
        return inbound;
    }

    private Inbound connected(long nanos) {
        active = arrived(nanos);
        return active == null ? null : new Inbound.Connected();
    }

    private Inbound next(long nanos) {
        try {
            active.await(nanos);
            return poll();
        } catch (IOException e) {
            return ended(e);
        }
    }

    /** The connection that has been made, or null if there is none in time. */
    private Connection arrived(long nanos) {
        lock.lock();
        try {
            for (long left = nanos; current == null && left > 0; ) {
                left = changed.awaitNanos(left);
            }
            return current;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        } finally {
            lock.unlock();
        }
    }

    /** The end of the connection: the next one may be made. */
    private Inbound ended(IOException why) {
        release(active);
        active = null;
        return new Inbound.Disconnected(String.valueOf(why.getMessage()));
    }

    private void release(Connection connection) {
        close(connection);
        lock.lock();
        try {
            current = null;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void close(Connection connection) {
        try {
            connection.close();
        } catch (IOException e) {
            LOG.debug("{}: {}", config.path(), e.getMessage());
        }
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
            active.drop(reason);
            close(active);
        }
    }

    @Override
    public void close() {
        closed = true;
        connector.interrupt();
        boolean interrupted = false;
        while (connector.isAlive()) {
            try {
                connector.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        Connection last = arrived(0);
        if (last != null) {
            release(last);
            active = null;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try {
            while (!closed) {
                connect();
                // After a good connection, too: a tool that hangs up at once must not keep a processor busy.
                Thread.sleep(config.retryMillis());
            }
        } catch (InterruptedException e) {
            LOG.debug("{} is closed", connector.getName());
        }
    }

    /** Makes one connection, and waits for its end. */
    private void connect() throws InterruptedException {
        try {
            Connection connection = Connection.open(config);
            if (greet(connection)) {
                give(connection);
            } else {
                close(connection);
            }
        } catch (IOException e) {
            tell("nobody listens at {} ({}): trying again", e);
        }
    }

    private boolean greet(Connection connection) {
        try {
            connection.shakeHands(handshake);
            return true;
        } catch (IOException e) {
            tell("the tool at {} was not let in ({}): trying again", e);
            return false;
        }
    }

    /** Not each second the same. */
    private void tell(String message, IOException why) {
        String reason = String.valueOf(why.getMessage());
        if (!closed && !reason.equals(told)) {
            LOG.info(message, config.path(), reason);
            told = reason;
        }
    }

    private void give(Connection connection) throws InterruptedException {
        lock.lock();
        try {
            current = connection;
            told = null;
            changed.signalAll();
            while (current != null) {
                changed.await();
            }
        } finally {
            lock.unlock();
        }
    }
}
