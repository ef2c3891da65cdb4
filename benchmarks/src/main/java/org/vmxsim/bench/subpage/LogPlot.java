package org.vmxsim.bench.subpage;

import java.util.List;
import java.util.Locale;

/** Curves over logarithmic axes, as an SVG file with two panels side by side. */
final class LogPlot {
    private static final int WIDTH = 440;
    private static final int HEIGHT = 330;
    private static final int LEFT = 62;
    private static final int RIGHT = 36;
    private static final int TOP = 34;
    private static final int BOTTOM = 60;

    /** A curve; each point is x and y, both positive. */
    record Curve(String name, String colour, List<double[]> points) {}

    /** Curves over the same axes. */
    record Panel(String title, String xTitle, List<Curve> curves) {}

    private final StringBuilder svg = new StringBuilder();

    private LogPlot() {}

    static String of(Panel left, Panel right) {
        LogPlot plot = new LogPlot();
        plot.add(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\""
                        + " font-size=\"11\">%n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>%n",
                2 * WIDTH, HEIGHT);
        plot.panel(left, 0);
        plot.panel(right, WIDTH);
        return plot.svg.append("</svg>\n").toString();
    }

    private void add(String form, Object... values) {
        svg.append(String.format(Locale.ROOT, form, values));
    }

    private void panel(Panel panel, int shift) {
        double[] x = decades(panel, 0);
        double[] y = decades(panel, 1);
        add(
                "<g transform=\"translate(%d 0)\">%n<text x=\"%d\" y=\"18\" font-size=\"13\">%s</text>%n",
                shift, LEFT, panel.title);
        for (int decade = (int) x[0]; decade <= x[1]; decade++) {
            double at = x(decade, x);
            add("<path d=\"M%.1f %d V%d\" stroke=\"#dddddd\"/>%n", at, TOP, HEIGHT - BOTTOM);
            add(
                    "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>%n",
                    at, HEIGHT - BOTTOM + 15, power(decade));
        }
        for (int decade = (int) y[0]; decade <= y[1]; decade++) {
            double at = y(decade, y);
            add("<path d=\"M%d %.1f H%d\" stroke=\"#dddddd\"/>%n", LEFT, at, WIDTH - RIGHT);
            add("<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>%n", LEFT - 6, at + 4, power(decade));
        }
        add(
                "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>%n",
                WIDTH - RIGHT, HEIGHT - BOTTOM + 30, panel.xTitle);
        int key = LEFT;
        for (Curve curve : panel.curves) {
            curve(curve, x, y);
            add("<path d=\"M%d %d h16\" stroke=\"%s\" stroke-width=\"3\"/>%n", key, HEIGHT - 14, curve.colour);
            add("<text x=\"%d\" y=\"%d\">%s</text>%n", key + 20, HEIGHT - 10, curve.name);
            key += 40 + 7 * curve.name.length();
        }
        add("</g>%n");
    }

    private void curve(Curve curve, double[] x, double[] y) {
        StringBuilder points = new StringBuilder();
        for (double[] point : curve.points) {
            double atX = x(Math.log10(point[0]), x);
            double atY = y(Math.log10(point[1]), y);
            points.append(String.format(Locale.ROOT, "%.1f,%.1f ", atX, atY));
            add(
                    "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"><title>%s: %,.0f</title></circle>%n",
                    atX, atY, curve.colour, curve.name, point[1]);
        }
        add(
                "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>%n",
                points.toString().strip(), curve.colour);
    }

    /** The whole decades around all values of one axis. */
    private static double[] decades(Panel panel, int axis) {
        double least = Double.MAX_VALUE;
        double most = 0;
        for (Curve curve : panel.curves) {
            for (double[] point : curve.points) {
                least = Math.min(least, point[axis]);
                most = Math.max(most, point[axis]);
            }
        }
        double low = Math.floor(Math.log10(least));
        return new double[] {low, Math.max(low + 1, Math.ceil(Math.log10(most)))};
    }

    private static double x(double decade, double[] range) {
        return LEFT + (WIDTH - LEFT - RIGHT) * (decade - range[0]) / (range[1] - range[0]);
    }

    private static double y(double decade, double[] range) {
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (decade - range[0]) / (range[1] - range[0]);
    }

    private static String power(int decade) {
        return String.format(Locale.ROOT, "%,.0f", Math.pow(10, decade));
    }
}
