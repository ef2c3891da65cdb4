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
import org.vmxsim.core.cache.CacheHierarchy;
import org.vmxsim.core.time.CycleModel;
import org.vmxsim.core.time.TimingPreset;

/**
 * Cost of one reference to the modelled caches. Question: what does simulating a hit in each level, and a miss in all,
 * cost by how much memory is in use, in order and at random?
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class CacheHierarchyBenchmark {
    private static final int ORDER = 1 << 16;

    /** Preset whose caches are used. */
    @Param({"golden-cove"})
    public String preset;

    /** Memory in use: fits L1D, L2, L3, none. */
    @Param({"16384", "1048576", "8388608", "268435456"})
    public int footprintBytes;

    private CycleModel model;
    private CacheHierarchy caches;
    private long[] addresses;
    private int next;

    @Setup
    public void build() {
        model = new CycleModel(TimingPreset.named(preset));
        caches = model.caches();
        addresses = new Random(1)
                .ints(ORDER, 0, footprintBytes / 64)
                .mapToLong(line -> (long) line * 64)
                .toArray();
        for (long hpa = 0; hpa < footprintBytes; hpa += 64) {
            caches.reference(hpa, false);
        }
    }

    @Benchmark
    public long baseline() {
        return addresses[next++ & ORDER - 1];
    }

    @Benchmark
    public int atRandom() {
        return caches.reference(addresses[next++ & ORDER - 1], false);
    }

    @Benchmark
    public int inOrder() {
        next = next + 8 & footprintBytes - 1;
        return caches.reference(next, false);
    }

    @Benchmark
    public long storeCharged() {
        model.store(addresses[next++ & ORDER - 1], 8);
        return model.cycles();
    }
}
