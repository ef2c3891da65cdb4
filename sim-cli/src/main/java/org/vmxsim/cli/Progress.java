package org.vmxsim.cli;

import java.io.PrintStream;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import org.vmxsim.lab.RunListener;

/** A line on standard error that says how far a run is, where a person watches; and the guest's console. */
final class Progress implements RunListener {
    private static final long STEP_NANOS = 250_000_000L;

    private final PrintStream console;
    private final boolean shown;
    private final long start = System.nanoTime();
    private long next = start + STEP_NANOS;
    private boolean atLineStart = true;
    private final BooleanSupplier stop;
    private boolean drawn;

    /**
     * Watches a run.
     *
     * @param console where the guest's console goes, or null for nowhere
     * @param quiet no progress line even on a terminal
     */
    Progress(PrintStream console, boolean quiet) {
        this(console, quiet, () -> false);
    }

    /**
     * Watches a run that may be ended early.
     *
     * @param console where the guest's console goes, or null for nowhere
     * @param quiet no progress line even on a terminal
     * @param stop whether the run shall end
     */
    Progress(PrintStream console, boolean quiet, BooleanSupplier stop) {
        this.stop = stop;
        this.console = console;
        this.shown = !quiet && System.console() != null;
    }

    @Override
    public void progress(long instructions, long limit) {
        long now = System.nanoTime();
        if (shown && now >= next) {
            double seconds = (now - start) / 1e9;
            System.err.printf(
                    Locale.ROOT,
                    "\r%,d instructions, %.1f s, %.1f MIPS ",
                    instructions,
                    seconds,
                    instructions / seconds / 1e6);
            System.err.flush();
            drawn = true;
            next = now + STEP_NANOS;
        }
    }

    @Override
    public void console(int octet) {
        if (console != null) {
            clear();
            console.write(octet);
            atLineStart = octet == '\n';
        }
    }

    @Override
    public boolean stop() {
        return stop.getAsBoolean();
    }

    /** Ends the progress line and an unfinished line of the console. */
    void end() {
        clear();
        if (console != null) {
            if (!atLineStart) {
                console.println();
            }
            console.flush();
        }
    }

    private void clear() {
        if (drawn) {
            System.err.print("\r\033[K");
            System.err.flush();
            drawn = false;
        }
    }
}
