package org.vmxsim.bench.subpage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/**
 * The guard question on the key-value guest: memory and modelled cycles for N guarded buffers, by kind of guard. Prints
 * a table and writes a plot. Arguments: the largest N (a power of ten, default 1000000), the file of the plot (default
 * {@code guards.svg}). The numbers are the model's: the same on every machine.
 */
public final class GuardCosts {
    private static final long REQUESTS = 20_000;
    private static final int EPT_VIOLATION = 48;
    private static final int SPP_EVENT = 66;

    private GuardCosts() {}

    /**
     * Runs all kinds of guards.
     *
     * @param arguments largest number of buffers, file of the plot
     * @throws IOException if the plot cannot be written
     */
    public static void main(String[] arguments) throws IOException {
        long most = arguments.length > 0 ? Long.parseLong(arguments[0]) : 1_000_000;
        Path plot = Path.of(arguments.length > 1 ? arguments[1] : "guards.svg");
        List<GuardRun> runs = new ArrayList<>();
        System.out.println("| N | guards | buffers, MiB | guest tables, KiB | EPT, KiB | SPPT, KiB | bitmaps, KiB"
                + " | bytes a buffer | setup, cycles a buffer | cycles a request | EPT violations | SPP events |");
        System.out.println("|---|---|---|---|---|---|---|---|---|---|---|---|");
        for (long buffers = 100; buffers <= most; buffers *= 10) {
            for (GuardKind kind : GuardKind.values()) {
                GuardRun run = GuardRun.of(kind, buffers, REQUESTS);
                runs.add(run);
                print(run);
            }
        }
        Files.writeString(
                plot,
                LogPlot.of(
                        panel("bytes a buffer, tables and bitmaps included", runs, GuardRun::bytesPerBuffer),
                        panel("cycles a request (15 % writes), uncalibrated", runs, GuardRun::cyclesPerRequest)));
    }

    private static void print(GuardRun run) {
        System.out.printf(
                Locale.ROOT,
                "| %,d | %s | %,.2f | %,d | %,d | %,d | %,d | %,.0f%s | %,.0f | %,.0f | %,d | %,d |%n",
                run.buffers(),
                run.kind().title,
                run.bufferBytes() / 1048576.0,
                run.guestTableBytes() >> 10,
                run.memory().eptTableBytes() >> 10,
                run.memory().spptTableBytes() >> 10,
                run.memory().bitmapBytes() >> 10,
                run.bytesPerBuffer(),
                run.kind() == GuardKind.PAGES
                        ? String.format(Locale.ROOT, " (%,.0f)", run.bytesPerBufferWithGuardMemory())
                        : "",
                run.setupCyclesPerBuffer(),
                run.cyclesPerRequest(),
                run.exits(EPT_VIOLATION),
                run.exits(SPP_EVENT));
    }

    private static LogPlot.Panel panel(String title, List<GuardRun> runs, ToDoubleFunction<GuardRun> value) {
        List<LogPlot.Curve> curves = new ArrayList<>();
        for (GuardKind kind : GuardKind.values()) {
            List<double[]> points = new ArrayList<>();
            runs.stream()
                    .filter(run -> run.kind() == kind)
                    .forEach(run -> points.add(new double[] {run.buffers(), value.applyAsDouble(run)}));
            curves.add(new LogPlot.Curve(kind.title, kind.colour, points));
        }
        return new LogPlot.Panel(title, "buffers", curves);
    }
}
