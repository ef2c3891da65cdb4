package org.vmxsim.lab;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.vmxsim.lab.report.RunReport;

/** What a guest does between its markers: the counters at each, and their differences. */
final class Regions {
    private static final int MOST_REGIONS = 1000;

    private record Mark(int marker, long instructions, long cycles, List<RunReport.ExitCount> exits) {}

    private final Guest guest;
    private final List<RunReport.Region> regions = new ArrayList<>();
    private Mark last = new Mark(0, 0, 0, List.of());

    Regions(Guest guest) {
        this.guest = guest;
    }

    /** The guest passes a marker. A guest that never stops marking does not fill the report. */
    void begin(int marker) {
        if (regions.size() < MOST_REGIONS) {
            Mark now = new Mark(marker, guest.instructions(), guest.cycles(), guest.exits());
            regions.add(between(last, now));
            last = now;
        }
    }

    /** The regions of a run that has ended; none if there was no marker. */
    List<RunReport.Region> ended() {
        if (regions.isEmpty()) {
            return List.of();
        }
        List<RunReport.Region> all = new ArrayList<>(regions);
        all.add(between(last, new Mark(0, guest.instructions(), guest.cycles(), guest.exits())));
        return all;
    }

    private static RunReport.Region between(Mark from, Mark to) {
        List<RunReport.ExitCount> exits = new ArrayList<>();
        for (RunReport.ExitCount exit : to.exits) {
            RunReport.ExitCount before = from.exits.stream()
                    .filter(one -> one.number() == exit.number())
                    .findFirst()
                    .orElse(new RunReport.ExitCount(exit.reason(), exit.number(), 0, 0));
            if (exit.count() > before.count()) {
                exits.add(new RunReport.ExitCount(
                        exit.reason(), exit.number(), exit.count() - before.count(), exit.cycles() - before.cycles()));
            }
        }
        exits.sort(Comparator.comparingLong(RunReport.ExitCount::count).reversed());
        return new RunReport.Region(from.marker, to.instructions - from.instructions, to.cycles - from.cycles, exits);
    }
}
