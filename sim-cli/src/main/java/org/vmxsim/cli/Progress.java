package org.vmxsim.cli;

import java.io.PrintStream;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import org.vmxsim.lab.RunListener;
import org.vmxsim.lab.gdb.GdbAddress;
import org.vmxsim.lab.screen.TextScreen;

/** A line on standard error that says how far a run is, where a person watches; and the guest's console. */
final class Progress implements RunListener {
    private static final long STEP_NANOS = 250_000_000L;
    private static final long DRAWING_NANOS = 50_000_000L;

    private final PrintStream console;
    private final boolean shown;
    private final long start = System.nanoTime();
    private long next = start + STEP_NANOS;
    private boolean atLineStart = true;
    private final BooleanSupplier stop;
    private boolean drawn;
    private final boolean watchesScreen;
    private TextScreen last;
    private long nextDrawing;

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
        this(console, quiet, stop, false);
    }

    /**
     * Watches a run with its text screen.
     *
     * @param console where the guest's console goes, or null for nowhere
     * @param quiet no progress line even on a terminal
     * @param stop whether the run shall end
     * @param screen whether to show the text screen too
     */
    Progress(PrintStream console, boolean quiet, BooleanSupplier stop, boolean screen) {
        this.stop = stop;
        this.watchesScreen = screen;
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

    @Override
    public void waitsForDebugger(GdbAddress address) {
        System.err.println("vmxsim: waits for a debugger; in gdb: target remote " + address);
        System.err.flush();
    }

    @Override
    public boolean watchesScreen() {
        return watchesScreen;
    }

    @Override
    public void screen(TextScreen screen) {
        last = screen;
        long now = System.nanoTime();
        if (System.console() != null && now >= nextDrawing) {
            draw();
            nextDrawing = now + DRAWING_NANOS;
        }
    }

    private void draw() {
        if (nextDrawing == 0) {
            System.out.print("\033[2J");
        }
        System.out.print(last.drawing());
        System.out.flush();
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
        if (last != null) {
            if (System.console() != null) {
                draw();
            } else {
                System.out.print(last.text());
            }
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
