package org.vmxsim.core.monitor;

import org.vmxsim.core.memory.CodePages;

/**
 * The address-monitoring hardware of one processor and what its wait ends by. SDM "MONITOR-Set Up Monitor Address",
 * "UMONITOR-User Level Set Up Monitor Address", "UMWAIT-User Level Monitor Wait", "TPAUSE-Timed PAUSE".
 *
 * <p>The monitored range is a line of {@value #LINE_BYTES} bytes, as CPUID leaf 5 tells. A store to it by anybody
 * disarms the monitor and ends the wait; the store need not change the bytes.
 */
public final class AddressMonitor implements CodePages.LineWatch {
    /** Size of the monitored line. */
    public static final int LINE_BYTES = 64;
    /** Value of {@link #until}: the wait has no limit in time. */
    public static final long NEVER = Long.MAX_VALUE;

    /** Which instruction has armed the monitor: MWAIT does not wait for what UMONITOR armed, nor UMWAIT for MONITOR. */
    public enum ArmedBy {
        /** Not armed. */
        NOTHING,
        /** Armed by MONITOR. */
        MONITOR,
        /** Armed by UMONITOR. */
        UMONITOR
    }

    private final CodePages pages;
    private final Runnable wake;
    private ArmedBy armedBy = ArmedBy.NOTHING;
    private long line;
    private long until = NEVER;
    private boolean limitedBySystem;
    private boolean endsByMaskedInterrupt;

    /**
     * A monitor that is not armed.
     *
     * @param pages who is told of stores
     * @param wake what ends the processor's wait
     */
    public AddressMonitor(CodePages pages, Runnable wake) {
        this.pages = pages;
        this.wake = wake;
    }

    /**
     * Arms the monitor.
     *
     * @param hpa a host-physical address in the line
     * @param by MONITOR or UMONITOR
     */
    public void arm(long hpa, ArmedBy by) {
        disarm();
        armedBy = by;
        line = hpa & -LINE_BYTES;
        pages.watch(this);
    }

    /** Disarms the monitor. */
    public void disarm() {
        if (armedBy != ArmedBy.NOTHING) {
            armedBy = ArmedBy.NOTHING;
            pages.unwatch(this);
        }
    }

    /**
     * Whether the monitor is armed and no store has been seen.
     *
     * @return true if so
     */
    public boolean isArmed() {
        return armedBy != ArmedBy.NOTHING;
    }

    /**
     * Whether an instruction has armed the monitor and no store has been seen.
     *
     * @param by the instruction
     * @return true if so
     */
    public boolean isArmed(ArmedBy by) {
        return armedBy == by;
    }

    /**
     * Says what ends the wait besides a store.
     *
     * @param time time in ticks of the time-stamp counter before offsets, or {@link #NEVER}
     * @param ofSystem whether that time is the operating system's limit, whose passing sets CF
     * @param maskedInterrupt whether an interrupt ends the wait even if it is masked
     */
    public void waits(long time, boolean ofSystem, boolean maskedInterrupt) {
        until = time;
        limitedBySystem = ofSystem;
        endsByMaskedInterrupt = maskedInterrupt;
    }

    /**
     * When the wait ends at the latest.
     *
     * @return time in ticks of the time-stamp counter before offsets, or {@link #NEVER}
     */
    public long until() {
        return until;
    }

    /**
     * Whether the wait's limit is the operating system's.
     *
     * @return true if its passing sets CF
     */
    public boolean isLimitedBySystem() {
        return limitedBySystem;
    }

    /**
     * Whether an interrupt ends the wait even if it is masked.
     *
     * @return true if so
     */
    public boolean endsByMaskedInterrupt() {
        return endsByMaskedInterrupt;
    }

    @Override
    public long pfn() {
        return line >>> 12;
    }

    @Override
    public void written(long hpa, int sizeBytes) {
        if (hpa < line + LINE_BYTES && hpa + sizeBytes > line) {
            disarm();
            wake.run();
        }
    }
}
