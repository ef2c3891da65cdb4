package org.vmxsim.kvmi.wire;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * From the thread that reads to the simulation. A full queue stops the reader, and by that the tool. Connections and
 * their ends always fit.
 */
final class InboundQueue {
    /** Something that came, and by which connection. */
    record Item(Inbound inbound, Connection connection) {}

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition filled = lock.newCondition();
    private final Condition drained = lock.newCondition();
    private final Deque<Item> items = new ArrayDeque<>();
    private final int mostMessages;
    private int messages;

    InboundQueue(int mostMessages) {
        this.mostMessages = mostMessages;
    }

    /** Adds a connection or an end of one. */
    void put(Inbound inbound, Connection connection) {
        lock.lock();
        try {
            items.add(new Item(inbound, connection));
            filled.signal();
        } finally {
            lock.unlock();
        }
    }

    /** Adds a message, waiting for room; forgets it if its connection is dropped. */
    void putMessage(byte[] message, Connection connection) throws InterruptedException {
        lock.lock();
        try {
            while (messages >= mostMessages && !connection.isDropped()) {
                drained.await();
            }
            if (!connection.isDropped()) {
                items.add(new Item(new Inbound.Message(message), connection));
                messages++;
                filled.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    /** The next item, or null if none comes in time. */
    Item take(long nanos) {
        lock.lock();
        try {
            long left = nanos;
            while (items.isEmpty() && left > 0) {
                left = filled.awaitNanos(left);
            }
            Item item = items.poll();
            if (item != null && item.inbound() instanceof Inbound.Message) {
                messages--;
                drained.signal();
            }
            return item;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        } finally {
            lock.unlock();
        }
    }

    /** Drops a connection, and what came by it. */
    void drop(Connection connection, String reason) {
        lock.lock();
        try {
            connection.drop(reason);
            items.removeIf(item -> item.connection() == connection && item.inbound() instanceof Inbound.Message);
            messages = (int) items.stream()
                    .filter(item -> item.inbound() instanceof Inbound.Message)
                    .count();
            drained.signal();
        } finally {
            lock.unlock();
        }
    }
}
