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
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.core.paging.Radix;
import org.vmxsim.spp.SppOptions;
import org.vmxsim.vmx.ept.EptCapabilities;
import org.vmxsim.vmx.ept.EptWalk;
import org.vmxsim.vmx.walk.WalkMachine;

/**
 * Cost of one EPT walk. Question: what does a level cost, and how much does the answer to the processor add? Random
 * pages; the tables lie in flat memory.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class EptWalkBenchmark {
    private static final int RIGHTS = AccessContext.R | AccessContext.W | AccessContext.X | AccessContext.XU;
    private static final int ORDER = 1 << 13;
    /** Indices of all levels differ from one another, so that the entries do not all lie in the same cache set. */
    private static final long BASE = 0x0a8c_4000_0000L;

    /** Level of the entries that map the pages: 1 for 4 KiB, 2 for 2 MiB, 3 for 1 GiB. */
    @Param({"1", "2", "3"})
    public int leaf;

    /** Pages in use. */
    @Param({"512"})
    public int pages;

    private WalkMachine machine;
    private long[] order;
    private int next;

    @Setup
    public void build() {
        machine = new WalkMachine(PhysicalMemory.flat(1 << 30), EptCapabilities.ALL, SppOptions.DEFAULT, Radix.PML4);
        for (long page = 0; page < pages; page++) {
            machine.ept().map(BASE + (page << Radix.shift(leaf)), 0, RIGHTS, leaf);
        }
        Random random = new Random(1);
        order = random.ints(ORDER, 0, pages)
                .mapToLong(page -> BASE + ((long) page << Radix.shift(leaf)))
                .toArray();
        AccessContext context = machine.context();
        context.access = AccessContext.READ;
        context.glaValid = true;
        context.sizeBytes = 8;
    }

    private long nextGpa() {
        return order[next++ & ORDER - 1];
    }

    @Benchmark
    public long baseline() {
        return nextGpa();
    }

    @Benchmark
    public long walk() {
        EptWalk walk = machine.translator().walk();
        machine.translator().walker().walk(machine.controls(), nextGpa(), walk);
        return walk.entry;
    }

    @Benchmark
    public long translate() {
        AccessContext context = machine.context();
        context.gpa = nextGpa();
        machine.translator().translate(context);
        return context.hpa;
    }
}
