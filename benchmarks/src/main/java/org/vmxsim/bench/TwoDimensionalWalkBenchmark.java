package org.vmxsim.bench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.core.paging.LinearTranslation;
import org.vmxsim.core.paging.Radix;
import org.vmxsim.spp.SppOptions;
import org.vmxsim.vmx.ept.EptCapabilities;
import org.vmxsim.vmx.walk.Frames;
import org.vmxsim.vmx.walk.GuestTables;
import org.vmxsim.vmx.walk.TwoDimensionalWalk;
import org.vmxsim.vmx.walk.WalkMachine;

/**
 * Cost of a two-dimensional walk of 24 references (4-KiB guest pages upon 4-KiB EPT pages, nothing cached). Question:
 * what does it cost with tables in flat and in sparse memory, for few pages and for many? Tables and pages lie in
 * frames chosen at random. The heap is kept below 4 GiB, where the JVM need not decode references: with sparse memory
 * each reference of a walk loads the reference to a chunk first, and a larger heap makes that walk half as slow again.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 3, jvmArgsAppend = "-Xmx2g")
public class TwoDimensionalWalkBenchmark {
    private static final int RIGHTS = AccessContext.R | AccessContext.W | AccessContext.X | AccessContext.XU;
    private static final int ORDER = 1 << 13;
    /** Indices of all levels differ from one another, so that the entries do not all lie in the same cache set. */
    private static final long LINEAR = 0x2b4c_6560_0000L;

    private static final long GUEST_TABLES = 0x1_4a20_0000L;
    private static final long GUEST_PAGES = 0x36_9320_0000L;

    /** Physical memory: flat (one array) or sparse (chunks). */
    @Param({"flat", "sparse"})
    public String memory;

    /** Pages in use. */
    @Param({"512", "8192"})
    public int pages;

    private final Map<Long, Long> frames = new HashMap<>();
    private WalkMachine machine;
    private TwoDimensionalWalk walk;
    private List<Long> free;
    private long[] order;
    private int next;

    @Setup
    public void build() {
        Random random = new Random(1);
        PhysicalMemory ram = memory.equals("flat") ? PhysicalMemory.flat(1 << 30) : PhysicalMemory.sparse(1 << 30);
        machine = new WalkMachine(ram, EptCapabilities.ALL, SppOptions.DEFAULT, Radix.PML4);
        free = new ArrayList<>();
        for (long frame = 0; frame < 3 * pages + 256; frame++) {
            free.add(0x1000_0000 + (frame << 12));
        }
        Collections.shuffle(free, random);
        Frames guestFrames = new Frames(GUEST_TABLES, 1 << 24);
        GuestTables guest = new GuestTables(ram, guestFrames, this::hostAddress, Radix.PML4);
        for (long page = 0; page < pages; page++) {
            hostAddress(GUEST_PAGES + (page << 12));
            guest.map(LINEAR + (page << 12), GUEST_PAGES + (page << 12), GuestTables.ALL, Radix.PT);
        }
        walk = new TwoDimensionalWalk(machine, guest);
        order = random.ints(ORDER, 0, pages)
                .mapToLong(page -> LINEAR + ((long) page << 12))
                .toArray();
    }

    private long hostAddress(long gpa) {
        long frame = frames.computeIfAbsent(gpa >>> 12, gfn -> {
            long hpa = free.remove(free.size() - 1);
            machine.map(gfn << 12, hpa, RIGHTS);
            return hpa;
        });
        return frame | gpa & 0xfff;
    }

    private long nextLinear() {
        return order[next++ & ORDER - 1];
    }

    @Benchmark
    public long baseline() {
        return nextLinear();
    }

    @Benchmark
    public long read() {
        if (walk.walk(nextLinear(), 8, AccessContext.READ) != LinearTranslation.OK) {
            throw new AssertionError(machine.translator().outcome());
        }
        return walk.result().hpa;
    }
}
