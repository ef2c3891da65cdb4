package org.vmxsim.kvmi.device;

/**
 * A sleeping lock of the guest's kernel, modelled: a mutex if always taken exclusively, else a read-write semaphore.
 * Nothing sleeps here; who wants a lock that is taken is not run until it is free.
 */
final class KernelLock {
    private FileCall writer;
    private int readers;

    /** Whether somebody who wants it would get it now. */
    boolean isFree(boolean exclusive) {
        return writer == null && (readers == 0 || !exclusive);
    }

    void take(FileCall owner, boolean exclusive) {
        if (!isFree(exclusive)) {
            throw new AssertionError(owner + " takes a lock that is held by " + holder());
        }
        if (exclusive) {
            writer = owner;
        } else {
            readers++;
        }
    }

    void release(FileCall owner) {
        if (writer == owner) {
            writer = null;
        } else if (writer == null && readers > 0) {
            readers--;
        } else {
            throw new AssertionError(owner + " releases a lock that is held by " + holder());
        }
    }

    String holder() {
        return writer == null ? readers + " readers" : writer.toString();
    }
}
