package org.vmxsim.mmu.trace;

import java.util.Arrays;

/**
 * The tracepoints and counters of one virtual machine. Who has something to tell asks {@link #isOn()} first, so that
 * nothing is allocated while nobody listens:
 *
 * <pre>{@code
 * if (tracer.isOn()) {
 *     tracer.emit(new MmuEvent.PageFault(gpa, errorCode));
 * }
 * }</pre>
 */
public final class Tracer {
    private static final TraceListener[] NOBODY = new TraceListener[0];

    private final int vm;
    /** Says whether a flight recording wants the event; never committed itself. */
    private final TracepointEvent probe = new TracepointEvent();

    private final long[] counts = new long[VmCounter.values().length];
    private TraceListener[] listeners = NOBODY;
    private int vcpu = -1;

    /**
     * Tracepoints that nobody listens to.
     *
     * @param vm number of the virtual machine, for who records several
     */
    public Tracer(int vm) {
        this.vm = vm;
    }

    /**
     * Whether anybody listens: a {@link TraceListener}, or a flight recording that has {@code vmxsim.Tracepoint}
     * enabled.
     *
     * @return true if {@link #emit} would tell somebody
     */
    public boolean isOn() {
        return listeners != NOBODY || probe.isEnabled();
    }

    /**
     * Tells everybody who listens.
     *
     * @param event what happened
     */
    public void emit(TraceEvent event) {
        for (TraceListener listener : listeners) {
            listener.traced(vcpu, event);
        }
        if (probe.isEnabled()) {
            TracepointEvent.commit(vm, vcpu, event);
        }
    }

    /**
     * Counts an event, whether anybody listens or not.
     *
     * @param counter which
     */
    public void count(VmCounter counter) {
        counts[counter.ordinal()]++;
    }

    /**
     * Keeps the largest value of something.
     *
     * @param counter which
     * @param value a value of it
     */
    public void highest(VmCounter counter, long value) {
        counts[counter.ordinal()] = Math.max(counts[counter.ordinal()], value);
    }

    /**
     * What was counted.
     *
     * @return a copy, by {@link VmCounter#ordinal()}
     */
    public long[] counts() {
        return counts.clone();
    }

    /**
     * Sets who is served from now on.
     *
     * @param id number of the vCPU, or -1 for none
     */
    public void serving(int id) {
        vcpu = id;
    }

    /**
     * Tells somebody from now on, after those who were added before.
     *
     * @param listener who
     * @throws IllegalArgumentException if it is null
     */
    public void addListener(TraceListener listener) {
        if (listener == null) {
            throw new IllegalArgumentException("need a listener, got null");
        }
        TraceListener[] more = Arrays.copyOf(listeners, listeners.length + 1);
        more[listeners.length] = listener;
        listeners = more;
    }

    /**
     * Ends {@link #addListener}.
     *
     * @param listener who is told no longer; nothing happens if it was not
     */
    public void removeListener(TraceListener listener) {
        TraceListener[] rest =
                Arrays.stream(listeners).filter(other -> other != listener).toArray(TraceListener[]::new);
        listeners = rest.length == 0 ? NOBODY : rest;
    }
}
