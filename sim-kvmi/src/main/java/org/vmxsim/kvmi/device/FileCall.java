package org.vmxsim.kvmi.device;

/**
 * One call into the driver, on its way: a row of steps that nothing comes between, with a lock taken at the beginning
 * of some of them. Several calls of one device can be under way and be stepped in any order, as on several processors;
 * a call whose next step wants a lock that another one holds is blocked until that is released.
 */
public abstract class FileCall {
    private static final int MAX_ERRNO = 4095;

    private String name;
    private Runnable next;
    private KernelLock wanted;
    private boolean exclusive;
    private long result;

    FileCall() {}

    /** A call that returns without doing anything. */
    static FileCall of(long result) {
        FileCall call = new FileCall() {};
        call.finish(result);
        return call;
    }

    /** {@code IS_ERR_VALUE}: a negative number that can be an errno; any other is a success. */
    static boolean isError(long result) {
        return result < 0 && result >= -MAX_ERRNO;
    }

    /** The next step, which takes no lock. */
    final void then(String step, Runnable action) {
        thenTaking(null, false, step, action);
    }

    /** The next step, which begins by taking a lock. */
    final void thenTaking(KernelLock lock, boolean exclusively, String step, Runnable action) {
        name = step;
        next = action;
        wanted = lock;
        exclusive = exclusively;
    }

    /** There is no next step. */
    final void finish(long value) {
        name = null;
        next = null;
        wanted = null;
        result = value;
    }

    /**
     * Whether the call has returned.
     *
     * @return true if there is no step left
     */
    public final boolean isDone() {
        return next == null;
    }

    /**
     * Whether the next step waits for a lock.
     *
     * @return true if another call holds it
     */
    public final boolean isBlocked() {
        return wanted != null && !wanted.isFree(exclusive);
    }

    /**
     * What the next step does.
     *
     * @return a few words, or null if the call has returned
     */
    public final String nextStep() {
        return name;
    }

    /**
     * Does one step.
     *
     * @throws IllegalArgumentException if the call has returned or is blocked
     */
    public final void step() {
        if (isDone() || isBlocked()) {
            throw new IllegalArgumentException("need a call that can go on, got " + this);
        }
        if (wanted != null) {
            wanted.take(this, exclusive);
        }
        next.run();
    }

    /**
     * Does all steps that are left.
     *
     * @return what the call returns
     * @throws IllegalArgumentException if another call under way holds a lock that this one needs
     */
    public final long run() {
        while (!isDone()) {
            step();
        }
        return result;
    }

    /**
     * What the call returned.
     *
     * @return 0 or a negative errno
     * @throws IllegalArgumentException if it has not returned
     */
    public final long result() {
        if (!isDone()) {
            throw new IllegalArgumentException("need a call that has returned, got " + this);
        }
        return result;
    }

    @Override
    public final String toString() {
        String where = isDone() ? "returned " + result : "before '" + name + "'";
        return getClass().getSimpleName() + " " + where + (isBlocked() ? ", blocked by " + wanted.holder() : "");
    }
}
