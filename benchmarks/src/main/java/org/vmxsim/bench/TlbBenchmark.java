package org.vmxsim.bench;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.vmxsim.core.time.CycleModel;
import org.vmxsim.core.time.TimingPreset;
import org.vmxsim.core.tlb.Tlb;
import org.vmxsim.core.tlb.Translations;

/**
 * Cost of one look-up in a modelled TLB. Question: what do the first level and the second cost by how many pages are in
 * use, and what does an invalidation of one page cost?
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class TlbBenchmark {
    private static final int ORDER = 1 << 12;

    /** Preset whose structures are used. */
    @Param({"golden-cove"})
    public String preset;

    /** Pages in use: 1 hits the way used last, 64 fit the first level, 1024 the second. */
    @Param({"1", "64", "1024"})
    public int pages;

    private Translations translations;
    private Tlb first;
    private Tlb second;
    private long[] addresses;
    private int next;

    @Setup
    public void build() {
        translations = new Translations();
        translations.structures(new CycleModel(TimingPreset.named(preset)).structures());
        translations.select(1, 2, 0x1000, 0, 0);
        first = translations.structures().loadTlb;
        second = translations.structures().secondTlb;
        for (long page = 0; page < pages; page++) {
            first.insert(page << 12, 12, 12, false, page << 12, 0);
            second.insert(page << 12, 12, 12, false, page << 12, 0);
        }
        addresses = new Random(1)
                .ints(ORDER, 0, pages)
                .mapToLong(page -> (long) page << 12)
                .toArray();
    }

    private long nextAddress() {
        return addresses[next++ & ORDER - 1];
    }

    @Benchmark
    public long baseline() {
        return nextAddress();
    }

    @Benchmark
    public boolean firstLevel() {
        return first.lookup(nextAddress());
    }

    @Benchmark
    public boolean secondLevel() {
        return second.lookup(nextAddress());
    }

    @Benchmark
    public void invalidatePageAndRefill() {
        long address = nextAddress();
        translations.invlpg(address);
        first.insert(address, 12, 12, false, address, 0);
        second.insert(address, 12, 12, false, address, 0);
    }
}
