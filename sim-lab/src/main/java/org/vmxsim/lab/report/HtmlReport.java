package org.vmxsim.lab.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** {@code report.html}: one page with tables and plots, without scripts, readable offline. */
final class HtmlReport {
    private static final int MOST_PAGES = 256;
    private static final int MOST_DENIED = 200;

    private final StringBuilder out = new StringBuilder();
    private final RunReport report;

    private HtmlReport(RunReport report) {
        this.report = report;
    }

    static String of(RunReport report) {
        HtmlReport page = new HtmlReport(report);
        page.head();
        page.causes();
        page.exits();
        page.regions();
        page.walks();
        page.structures();
        page.denied();
        page.pages();
        page.configuration();
        return page.out.append("</body></html>\n").toString();
    }

    private void head() {
        String title = Svg.escape(report.title());
        out.append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>")
                .append(title);
        out.append(" - vmxsim</title><meta name=\"viewport\" content=\"width=device-width\"><style>")
                .append(style());
        out.append("</style></head><body>\n<h1>").append(title).append("</h1>\n<p class=\"verdict\">");
        out.append(Svg.escape(report.end().detail())).append("</p>\n<table>");
        RunReport.Totals totals = report.totals();
        row("instructions", Svg.format("%,d", totals.instructions()));
        row("cycles", Svg.format("%,d", totals.cycles()));
        row("cycles per instruction", Svg.format("%.3f", totals.cyclesPerInstruction()));
        row("denied writes", Svg.format("%,d", report.denied().size()));
        RunReport.Memory memory = report.memory();
        row("bytes of EPT tables", Svg.format("%,d", memory.eptTableBytes()));
        row("bytes of the SPPT", Svg.format("%,d", memory.spptTableBytes()));
        row("bytes of sub-page bitmaps", Svg.format("%,d", memory.bitmapBytes()));
        out.append("</table>\n");
    }

    private static String style() {
        try (InputStream in = HtmlReport.class.getResourceAsStream("report.css")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void row(String name, String number) {
        out.append("<tr><td>")
                .append(name)
                .append("</td><td class=\"n\">")
                .append(number)
                .append("</td></tr>");
    }

    private void section(String title) {
        out.append("<h2>").append(title).append("</h2>\n");
    }

    private void causes() {
        section("Cycles by cause");
        if (report.causes().isEmpty()) {
            out.append("<p>A functional run: one instruction is one tick, nothing is attributed.</p>\n");
            return;
        }
        List<Svg.Bar> bars = new ArrayList<>();
        for (RunReport.Cause cause : report.causes()) {
            double percent = report.totals().cycles() == 0
                    ? 0
                    : 100.0 * cause.cycles() / report.totals().cycles();
            bars.add(new Svg.Bar(cause.name(), cause.cycles(), Svg.format("%,d  (%.1f %%)", cause.cycles(), percent)));
        }
        out.append(Svg.bars("Cycles by cause", bars)).append('\n');
    }

    private void exits() {
        section("VM exits");
        out.append("<table><tr><th>reason</th><th class=\"n\">number</th><th class=\"n\">count</th>");
        out.append("<th class=\"n\">cycles</th></tr>");
        report.exits()
                .forEach(exit -> out.append(Svg.format(
                        "<tr><td>%s</td><td class=\"n\">%d</td><td class=\"n\">%,d</td><td class=\"n\">%,d</td></tr>",
                        Svg.escape(exit.reason()), exit.number(), exit.count(), exit.cycles())));
        out.append("</table>\n<h3>Exits over time</h3>\n");
        List<RunReport.Sample> samples = report.timeline();
        if (samples.size() < 2) {
            out.append("<p>The run was too short for samples.</p>\n");
            return;
        }
        List<Svg.Line> lines = List.of(
                line("all", samples, RunReport.Sample::exits),
                line("EPT violation", samples, RunReport.Sample::eptViolations),
                line("hypercall", samples, RunReport.Sample::hypercalls),
                line("SPP event", samples, RunReport.Sample::sppEvents));
        out.append(Svg.lines(
                "Exits in each step",
                lines,
                "0",
                Svg.format("%,d instructions", samples.get(samples.size() - 1).instructions())));
        out.append('\n');
    }

    private void regions() {
        if (report.regions().isEmpty()) {
            return;
        }
        section("Between the guest's markers");
        out.append("<table><tr><th>from</th><th class=\"n\">instructions</th><th class=\"n\">cycles</th>");
        out.append("<th>exits</th></tr>");
        for (RunReport.Region region : report.regions()) {
            List<String> exits = new ArrayList<>();
            region.exits().forEach(exit -> exits.add(Svg.format("%s %,d", exit.reason(), exit.count())));
            out.append(Svg.format(
                    "<tr><td>%s</td><td class=\"n\">%,d</td><td class=\"n\">%,d</td><td>%s</td></tr>",
                    region.beginning(), region.instructions(), region.cycles(), Svg.escape(String.join(", ", exits))));
        }
        out.append("</table>\n");
    }

    private static Svg.Line line(
            String label, List<RunReport.Sample> samples, java.util.function.ToLongFunction<RunReport.Sample> count) {
        List<Double> steps = new ArrayList<>();
        long before = 0;
        for (RunReport.Sample sample : samples) {
            steps.add((double) (count.applyAsLong(sample) - before));
            before = count.applyAsLong(sample);
        }
        return new Svg.Line(label, steps);
    }

    private void walks() {
        section("Page walks");
        out.append("<h3>Length of walks</h3>\n");
        out.append(Svg.histogram("Walks by length", report.walks().lengths(), "table entries read in a walk"));
        out.append("\n<h3>Where the references go</h3>\n");
        List<String> rows = new ArrayList<>();
        List<long[]> counts = new ArrayList<>();
        for (int guest = 5; guest >= 0; guest--) {
            long[] ept = report.walks().eptReferences()[guest];
            long own = guest == 0 ? 0 : report.walks().guestReferences()[guest][guest];
            long[] cells = {ept[5], ept[4], ept[3], ept[2], ept[1], own};
            if (guest < 5 || java.util.Arrays.stream(cells).sum() > 0) {
                rows.add(guest == 0 ? "final address" : "guest level " + guest);
                counts.add(cells);
            }
        }
        out.append(Svg.heatMap(
                "References by guest level and EPT level",
                rows,
                List.of("EPT 5", "EPT 4", "EPT 3", "EPT 2", "EPT 1", "guest entry"),
                counts.toArray(new long[0][])));
        long[] spp = report.walks().sppReferences();
        out.append(Svg.format(
                "\n<p>SPPT entries read: level 4 %,d, level 3 %,d, level 2 %,d, vectors %,d.</p>\n",
                spp[4], spp[3], spp[2], spp[1]));
    }

    private void structures() {
        section("Hit ratios");
        List<Svg.Bar> bars = new ArrayList<>();
        for (RunReport.Structure structure : report.structures()) {
            if (structure.hits() + structure.misses() > 0) {
                bars.add(new Svg.Bar(
                        structure.name(),
                        structure.hitRatio(),
                        Svg.format(
                                "%.2f %% of %,d", 100 * structure.hitRatio(), structure.hits() + structure.misses())));
            }
        }
        out.append(bars.isEmpty() ? "<p>A functional run models no structures.</p>" : Svg.bars("Hit ratios", bars));
        out.append('\n');
    }

    private void denied() {
        section("Denied writes");
        if (report.denied().isEmpty()) {
            out.append("<p>None.</p>\n");
            return;
        }
        out.append("<table><tr><th class=\"n\">instruction</th><th>code</th><th>data</th>"
                + "<th>gpa</th><th>action</th></tr>");
        report.denied().stream()
                .limit(MOST_DENIED)
                .forEach(write -> out.append(Svg.format(
                        "<tr><td class=\"n\">%,d</td><td><code>%s</code></td><td><code>%s</code></td>"
                                + "<td><code>0x%x</code></td><td>%s</td></tr>",
                        write.instruction(),
                        Svg.escape(write.code()),
                        Svg.escape(write.data()),
                        write.gpa(),
                        Svg.escape(write.action()))));
        out.append("</table>\n");
        if (report.denied().size() > MOST_DENIED) {
            out.append(Svg.format(
                    "<p>And %,d more in stats.json.</p>\n", report.denied().size() - MOST_DENIED));
        }
    }

    private void pages() {
        section("Protected pages");
        List<RunReport.ProtectedPage> pages = report.protectedPages();
        if (pages.isEmpty()) {
            out.append("<p>None.</p>\n");
            return;
        }
        out.append(
                "<p>A row is a page, a square one of its 32 sub-pages of 128 bytes: green may be written, grey may not;"
                        + " the stronger the green, the more writes landed there; red: a write was denied.</p>\n");
        int shown = Math.min(pages.size(), MOST_PAGES);
        StringBuilder svg = Svg.open("Sub-pages of the protected pages", shown * 14 + 6);
        for (int i = 0; i < shown; i++) {
            page(svg, pages.get(i), 4 + i * 14);
        }
        out.append(svg).append(Svg.END).append('\n');
        if (pages.size() > shown) {
            out.append(Svg.format("<p>The first %d of %,d pages; all are in stats.json.</p>\n", shown, pages.size()));
        }
    }

    private static void page(StringBuilder svg, RunReport.ProtectedPage page, int y) {
        svg.append(Svg.format("<text class=\"label\" x=\"118\" y=\"%d\">0x%x</text>", y + 10, page.gpa()));
        for (int i = 0; i < 32; i++) {
            boolean open = (page.writable() >>> i & 1) != 0;
            String kind = page.denied()[i] > 0 ? "hit" : open ? "open" : "shut";
            double strength = !open || page.denied()[i] > 0
                    ? 1
                    : 0.2 + 0.8 * Math.min(1, Math.log1p(page.allowed()[i]) / Math.log1p(10_000));
            svg.append(Svg.format(
                    "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"16\" height=\"11\" fill-opacity=\"%.2f\">",
                    kind, 126 + i * 18, y, strength));
            svg.append(Svg.format(
                    "<title>0x%x: %,d writes, %,d denied</title></rect>",
                    page.gpa() + 128L * i, page.allowed()[i], page.denied()[i]));
        }
    }

    private void configuration() {
        section("Effective configuration");
        out.append("<details><summary>config.json</summary><pre>").append(Svg.escape(report.configuration()));
        out.append("</pre></details>\n");
    }
}
