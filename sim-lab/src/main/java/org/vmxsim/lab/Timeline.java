package org.vmxsim.lab;

import java.util.ArrayList;
import java.util.List;
import org.vmxsim.lab.report.RunReport;

/** Samples at equal steps of retired instructions: when there are many, every second one goes and the step doubles. */
final class Timeline {
    private static final int MOST_SAMPLES = 256;
    private static final long FIRST_STEP = 100_000;

    private final List<RunReport.Sample> samples = new ArrayList<>();
    private long step = FIRST_STEP;

    /** Instructions from one sample to the next, for now. */
    long step() {
        return step;
    }

    void add(RunReport.Sample sample) {
        samples.add(sample);
        if (samples.size() == MOST_SAMPLES) {
            List<RunReport.Sample> kept = new ArrayList<>();
            for (int i = 1; i < MOST_SAMPLES; i += 2) {
                kept.add(samples.get(i));
            }
            samples.clear();
            samples.addAll(kept);
            step *= 2;
        }
    }

    List<RunReport.Sample> samples() {
        return samples;
    }
}
