package org.vmxsim.kvmi.memory;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.abi.Errno;

/**
 * One hypercall on its way through the host's kernel, in steps between which others may run: what it looks up, each
 * lock that it takes or releases, and what it does under the locks. Whoever holds several decides whose turn it is.
 */
public abstract sealed class MappingCall permits MapCall, UnmapCall {
    /** What became of a step. */
    public enum Progress {
        /** It is made, and there are more. */
        STEPPED,
        /** It cannot be made now: somebody has the lock. */
        WAITS,
        /** It was the last one, or there was none left. */
        DONE
    }

    /** Something done at once; false if it has to wait. */
    @FunctionalInterface
    interface Step {
        boolean make();
    }

    private final Vm caller;
    private final Deque<Step> steps = new ArrayDeque<>();
    private final Deque<MmapLock> held = new ArrayDeque<>();
    private MmapLock waitsFor;
    private long result;

    MappingCall(Vm caller) {
        this.caller = caller;
    }

    /**
     * Makes the next step.
     *
     * @return what became of it
     */
    public final Progress step() {
        Step step = steps.poll();
        if (step == null) {
            return Progress.DONE;
        }
        if (!step.make()) {
            steps.addFirst(step);
            return Progress.WAITS;
        }
        return steps.isEmpty() ? Progress.DONE : Progress.STEPPED;
    }

    /**
     * Whether it has returned.
     *
     * @return true after the last step
     */
    public final boolean isDone() {
        return steps.isEmpty();
    }

    /**
     * What the guest gets in RAX.
     *
     * @return 0 or the negated error number
     * @throws IllegalArgumentException if it has not returned
     */
    public final long result() {
        if (!isDone()) {
            throw new IllegalArgumentException("need a call that has returned, got " + this);
        }
        return result;
    }

    /**
     * Who calls.
     *
     * @return the virtual machine
     */
    public final Vm caller() {
        return caller;
    }

    /**
     * Whose address space it waits for.
     *
     * @return the virtual machine, or null if it did not have to wait at its last attempt
     */
    public final Vm waitsFor() {
        return waitsFor == null ? null : waitsFor.vm();
    }

    /**
     * The function of the host's kernel that it is in.
     *
     * @return its name in the patches
     */
    public abstract String function();

    MmapLock waitsForLock() {
        return waitsFor;
    }

    final void then(Step step) {
        steps.add(step);
    }

    /** Takes the locks one by one, does the work, and releases them, the last one first. */
    final void locked(List<MmapLock> locks, Runnable work) {
        locks.forEach(lock -> then(() -> acquire(lock)));
        then(() -> {
            work.run();
            return true;
        });
        locks.forEach(lock -> then(this::releaseLast));
    }

    private boolean acquire(MmapLock lock) {
        waitsFor = lock.tryAcquire(this) ? null : lock;
        if (waitsFor == null) {
            held.push(lock);
        }
        return waitsFor == null;
    }

    private boolean releaseLast() {
        held.pop().release();
        return true;
    }

    /** Gives up: what is left to do is to release the locks. */
    final boolean fail(Errno errno) {
        result = -errno.number();
        steps.clear();
        held.forEach(lock -> then(this::releaseLast));
        return true;
    }
}
