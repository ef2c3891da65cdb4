package org.vmxsim.lab.report;

import java.util.ArrayList;
import java.util.List;

/** Samples at equal steps of retired instructions: when there are many, every second one goes and the step doubles. */
public final class Timeline {
    private static final int MOST_SAMPLES = 256;
    private static final long FIRST_STEP = 100_000;

    private final List<RunReport.Sample> samples = new ArrayList<>();
    private long step = FIRST_STEP;

    /** No samples. */
    public Timeline() {}

    /**
     * The step for now.
     *
     * @return instructions from one sample to the next
     */
    public long step() {
        return step;
    }

    /**
     * Adds a sample.
     *
     * @param sample the counters a step after the sample before
     */
    public void add(RunReport.Sample sample) {
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

    /**
     * What is kept.
     *
     * @return fewer than 256 samples, in order
     */
    public List<RunReport.Sample> samples() {
        return samples;
    }
}
