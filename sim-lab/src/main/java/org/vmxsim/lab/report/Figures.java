package org.vmxsim.lab.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The scalar figures of a report by name: the one list behind {@code stats.txt} and the documentation of the names. */
public final class Figures {
    /**
     * One figure.
     *
     * @param name dotted name
     * @param value number as text
     * @param meaning one line, with the unit
     */
    public record Figure(String name, String value, String meaning) {}

    private final List<Figure> figures = new ArrayList<>();

    private Figures() {}

    /**
     * The figures of a report.
     *
     * @param report what a run did
     * @return all figures, in a fixed order
     */
    public static List<Figure> of(RunReport report) {
        Figures all = new Figures();
        RunReport.Totals totals = report.totals();
        all.add("instructions", totals.instructions(), "retired guest instructions");
        all.add("instructions.modelled", totals.modelledInstructions(), "of these by the cycle engine");
        all.add("cycles", totals.cycles(), "core cycles");
        all.add("cpi", totals.cyclesPerInstruction(), "cycles per instruction");
        all.add("exit.code", report.end().exitCode(), "value that the guest wrote to port 0xf4, -1 if none");
        for (RunReport.Cause cause : report.causes()) {
            all.add("cycles." + key(cause.name()), cause.cycles(), "cycles: " + cause.name());
        }
        for (RunReport.ExitCount exit : report.exits()) {
            all.add("exits." + key(exit.reason()) + ".count", exit.count(), "VM exits: " + exit.reason());
            all.add("exits." + key(exit.reason()) + ".cycles", exit.cycles(), "cycles from exit to entry");
        }
        all.add("walks.references", report.walks().references(), "table entries read by the walkers");
        long[] lengths = report.walks().lengths();
        for (int n = 0; n < lengths.length; n++) {
            if (lengths[n] != 0) {
                all.add("walks.length." + n, lengths[n], "walks that read " + n + " table entries");
            }
        }
        for (RunReport.Structure structure : report.structures()) {
            all.add(key(structure.name()) + ".hits", structure.hits(), "look-ups of " + structure.name() + " that hit");
            all.add(key(structure.name()) + ".misses", structure.misses(), "look-ups that missed");
            all.add(key(structure.name()) + ".hitRatio", structure.hitRatio(), "hits / look-ups");
        }
        all.add("spp.denied", report.denied().size(), "stores that sub-page protection denied");
        all.add("spp.pages", report.protectedPages().size(), "pages with sub-page protection at the end");
        all.memory(report.memory());
        return all.figures;
    }

    private void memory(RunReport.Memory memory) {
        add("memory.mapped4k", memory.mapped4k(), "4-KiB pages that EPT maps at the end");
        add("memory.mapped2m", memory.mapped2m(), "2-MiB pages that EPT maps at the end");
        add("memory.mapped1g", memory.mapped1g(), "1-GiB pages that EPT maps at the end");
        add("memory.eptTableBytes", memory.eptTableBytes(), "bytes of EPT paging structures");
        add("memory.spptTableBytes", memory.spptTableBytes(), "bytes of the sub-page permission table");
        add("memory.bitmapBytes", memory.bitmapBytes(), "bytes of the hypervisor's sub-page bitmaps");
    }

    private void add(String name, long value, String meaning) {
        figures.add(new Figure(name, Long.toString(value), meaning));
    }

    private void add(String name, double value, String meaning) {
        figures.add(new Figure(name, String.format(Locale.ROOT, "%.6f", value), meaning));
    }

    static String key(String name) {
        return name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "_").replaceAll("^_|_$", "");
    }
}
