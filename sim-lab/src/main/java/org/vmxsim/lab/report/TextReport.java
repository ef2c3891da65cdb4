package org.vmxsim.lab.report;

import java.util.List;
import java.util.Locale;

/** The short table for people, and {@code stats.txt}. */
public final class TextReport {
    private static final int MOST_DENIED = 12;

    private TextReport() {}

    /**
     * The short table.
     *
     * @param report what a run did
     * @return lines of text, ended by a newline
     */
    public static String table(RunReport report) {
        StringBuilder out = new StringBuilder();
        RunReport.Totals totals = report.totals();
        line(out, "%s: %s", report.title(), report.end().detail());
        line(out, "  instructions %,16d", totals.instructions());
        line(out, "  cycles       %,16d   CPI %.3f", totals.cycles(), totals.cyclesPerInstruction());
        if (!report.exits().isEmpty()) {
            line(out, "  VM exits                       count           cycles");
            report.exits().forEach(e -> line(out, "    %-24s %,9d %,16d", e.reason(), e.count(), e.cycles()));
        }
        if (!report.causes().isEmpty()) {
            line(out, "  cycles by cause");
            report.causes()
                    .forEach(c -> line(out, "    %-24s %,26d  %5.1f %%", c.name(), c.cycles(), percent(c, totals)));
        }
        walks(out, report);
        report.structures()
                .forEach(s -> line(
                        out,
                        "    %-24s %,14d look-ups, %6.2f %% hit",
                        s.name(),
                        s.hits() + s.misses(),
                        100 * s.hitRatio()));
        memory(out, report.memory());
        regions(out, report.regions());
        denied(out, report);
        return out.toString();
    }

    private static double percent(RunReport.Cause cause, RunReport.Totals totals) {
        return totals.cycles() == 0 ? 0 : 100.0 * cause.cycles() / totals.cycles();
    }

    private static void walks(StringBuilder out, RunReport report) {
        long[] lengths = report.walks().lengths();
        long walks = 0;
        for (long count : lengths) {
            walks += count;
        }
        line(out, "  page walks   %,16d", walks);
        line(out, "  table entries read by walks %,14d", report.walks().references());
        for (int n = 0; n < lengths.length; n++) {
            if (lengths[n] != 0) {
                line(out, "    %2d references %,28d", n, lengths[n]);
            }
        }
    }

    private static void memory(StringBuilder out, RunReport.Memory memory) {
        if (memory.eptTableBytes() != 0) {
            line(
                    out,
                    "  bytes: EPT tables %,d   SPPT %,d   bitmaps %,d",
                    memory.eptTableBytes(),
                    memory.spptTableBytes(),
                    memory.bitmapBytes());
        }
    }

    private static void regions(StringBuilder out, List<RunReport.Region> regions) {
        if (regions.isEmpty()) {
            return;
        }
        line(out, "  from the guest's         instructions           cycles         exits");
        for (RunReport.Region region : regions) {
            line(
                    out,
                    "    %-15s %,16d %,16d %,13d",
                    region.beginning(),
                    region.instructions(),
                    region.cycles(),
                    region.exits().stream()
                            .mapToLong(RunReport.ExitCount::count)
                            .sum());
        }
    }

    private static void denied(StringBuilder out, RunReport report) {
        line(
                out,
                "  denied writes %,15d   protected pages %,d",
                report.denied().size(),
                report.protectedPages().size());
        report.denied().stream().limit(MOST_DENIED).forEach(w -> {
            line(out, "    at %s (rip 0x%x, instruction %,d)", w.code(), w.rip(), w.instruction());
            line(out, "      to %s (gla 0x%x, gpa 0x%x): %s", w.data(), w.gla(), w.gpa(), w.action());
        });
        if (report.denied().size() > MOST_DENIED) {
            line(out, "    and %,d more, see stats.json", report.denied().size() - MOST_DENIED);
        }
    }

    /**
     * {@code stats.txt}: one figure a line, name, value, meaning.
     *
     * @param report what a run did
     * @return lines of text, ended by a newline
     */
    public static String figures(RunReport report) {
        StringBuilder out = new StringBuilder();
        Figures.of(report).forEach(f -> line(out, "%-44s %20s  # %s", f.name(), f.value(), f.meaning()));
        return out.toString();
    }

    private static void line(StringBuilder out, String form, Object... values) {
        out.append(String.format(Locale.ROOT, form, values)).append('\n');
    }
}
