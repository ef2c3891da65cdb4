package org.vmxsim.lab.report;

import java.util.List;
import java.util.Locale;

/** Plots as inline SVG, without scripts, styled by the page they stand in. */
final class Svg {
    private static final int WIDTH = 720;
    private static final int LABEL = 190;
    private static final int ROW = 22;

    /** Ends what {@link #open} began. */
    static final String END = "</svg></div>";

    /** One bar: what it stands for, its length, and what is written behind it. */
    record Bar(String label, double value, String text) {}

    /** One line of a line plot. */
    record Line(String label, List<Double> values) {}

    private Svg() {}

    /** Horizontal bars, longest value = full width. */
    static String bars(String title, List<Bar> bars) {
        double most = bars.stream().mapToDouble(Bar::value).max().orElse(0);
        StringBuilder svg = open(title, bars.size() * ROW + 4);
        int y = 2;
        for (Bar bar : bars) {
            double width = most > 0 ? bar.value() / most * (WIDTH - LABEL - 170) : 0;
            svg.append(format(
                    "<text class=\"label\" x=\"%d\" y=\"%d\">%s</text>", LABEL - 8, y + 15, escape(bar.label())));
            svg.append(format(
                    "<rect class=\"bar\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"16\"/>", LABEL, y + 2, width));
            svg.append(format("<text x=\"%.1f\" y=\"%d\">%s</text>", LABEL + width + 6, y + 15, escape(bar.text())));
            y += ROW;
        }
        return svg.append(END).toString();
    }

    /** Vertical bars over the numbers 0, 1, 2, ... */
    static String histogram(String title, long[] counts, String unit) {
        int last = counts.length - 1;
        while (last > 0 && counts[last] == 0) {
            last--;
        }
        long most = 1;
        for (long count : counts) {
            most = Math.max(most, count);
        }
        double step = (WIDTH - 60.0) / (last + 1);
        StringBuilder svg = open(title, 200);
        for (int i = 0; i <= last; i++) {
            double height = 150.0 * counts[i] / most;
            double x = 50 + i * step;
            svg.append(format(
                    "<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\">",
                    x, 165 - height, Math.max(1, step - 2), height));
            svg.append(format("<title>%d %s: %,d</title></rect>", i, escape(unit), counts[i]));
            if (last < 12 || i % 5 == 0) {
                svg.append(format("<text class=\"tick\" x=\"%.1f\" y=\"180\">%d</text>", x + step / 2, i));
            }
        }
        svg.append(format("<text class=\"label\" x=\"46\" y=\"20\">%,d</text>", most));
        svg.append(format("<text class=\"tick\" x=\"%d\" y=\"196\">%s</text>", WIDTH / 2, escape(unit)));
        return svg.append(END).toString();
    }

    /** Lines over equal steps of one quantity; all lines share the vertical scale. */
    static String lines(String title, List<Line> lines, String from, String to) {
        double most = lines.stream()
                .flatMap(line -> line.values().stream())
                .mapToDouble(Double::doubleValue)
                .max()
                .orElse(0);
        StringBuilder svg = open(title, 230);
        for (int n = 0; n < lines.size(); n++) {
            List<Double> values = lines.get(n).values();
            StringBuilder points = new StringBuilder();
            for (int i = 0; i < values.size(); i++) {
                double x = 70 + (WIDTH - 90.0) * (values.size() < 2 ? 0 : i / (values.size() - 1.0));
                double y = 170 - (most > 0 ? 150 * values.get(i) / most : 0);
                points.append(format("%.1f,%.1f ", x, y));
            }
            svg.append(format(
                    "<polyline class=\"line line%d\" points=\"%s\"/>",
                    n % 6, points.toString().strip()));
            svg.append(format(
                    "<text class=\"key line%d\" x=\"%d\" y=\"220\">%s</text>",
                    n % 6, 70 + n * 130, escape(lines.get(n).label())));
        }
        svg.append(format("<text class=\"label\" x=\"64\" y=\"26\">%,.0f</text>", most));
        svg.append("<text class=\"label\" x=\"64\" y=\"174\">0</text>");
        svg.append(format("<text x=\"70\" y=\"192\">%s</text>", escape(from)));
        svg.append(format("<text class=\"label\" x=\"%d\" y=\"192\">%s</text>", WIDTH - 20, escape(to)));
        return svg.append(END).toString();
    }

    /**
     * A table of squares coloured by the logarithm of a count; rows and columns carry names. The strongest colour is
     * half of the full one, so that the numbers on it can be read.
     */
    static String heatMap(String title, List<String> rows, List<String> columns, long[][] counts) {
        long most = 1;
        for (long[] row : counts) {
            for (long count : row) {
                most = Math.max(most, count);
            }
        }
        StringBuilder svg = open(title, rows.size() * 30 + 30);
        for (int r = 0; r < rows.size(); r++) {
            svg.append(format(
                    "<text class=\"label\" x=\"%d\" y=\"%d\">%s</text>", LABEL - 8, r * 30 + 45, escape(rows.get(r))));
            for (int c = 0; c < columns.size(); c++) {
                double heat = counts[r][c] == 0 ? 0 : 0.1 + 0.4 * Math.log1p(counts[r][c]) / Math.log1p(most);
                svg.append(format(
                        "<rect class=\"heat\" x=\"%d\" y=\"%d\" width=\"84\" height=\"28\" fill-opacity=\"%.2f\"/>",
                        LABEL + c * 86, r * 30 + 26, heat));
                svg.append(format(
                        "<text class=\"tick\" x=\"%d\" y=\"%d\">%,d</text>",
                        LABEL + c * 86 + 42, r * 30 + 45, counts[r][c]));
            }
        }
        for (int c = 0; c < columns.size(); c++) {
            svg.append(format(
                    "<text class=\"tick\" x=\"%d\" y=\"18\">%s</text>", LABEL + c * 86 + 42, escape(columns.get(c))));
        }
        return svg.append(END).toString();
    }

    /** Begins a drawing; {@link #END} ends it. */
    static StringBuilder open(String title, int height) {
        return new StringBuilder(format(
                "<div class=\"plot\"><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\"><title>%s</title>",
                WIDTH, height, escape(title), escape(title)));
    }

    static String format(String form, Object... values) {
        return String.format(Locale.ROOT, form, values);
    }

    static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
