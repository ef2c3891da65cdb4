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
import org.vmxsim.spp.SppOutcome;
import org.vmxsim.spp.SppWalk;
import org.vmxsim.spp.SppWalker;
import org.vmxsim.vmx.ept.EptCapabilities;
import org.vmxsim.vmx.walk.WalkMachine;

/**
 * Cost of the SPPT. Question: what does a sub-page protected write cost, as a walk of the SPPT alone and as a whole
 * access with the EPT walk before it, and what does a denied write cost?
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class SpptWalkBenchmark {
    private static final int ORDER = 1 << 13;
    private static final long BASE = 0x12_3460_0000L;

    /** Pages in use. */
    @Param({"512", "8192"})
    public int pages;

    private final SppWalk walk = new SppWalk();
    private WalkMachine machine;
    private SppWalker walker;
    private long[] order;
    private int next;

    @Setup
    public void build() {
        PhysicalMemory ram = PhysicalMemory.flat(1 << 30);
        machine = new WalkMachine(ram, EptCapabilities.ALL, SppOptions.DEFAULT, Radix.PML4);
        walker = machine.translator().walker().subPages();
        for (long page = 0; page < pages; page++) {
            long gpa = BASE + (page << 12);
            machine.map(gpa, 0, AccessContext.R | AccessContext.X).protect(gpa, 0x5555_5555);
        }
        order = new Random(1)
                .ints(ORDER, 0, pages)
                .mapToLong(page -> BASE + ((long) page << 12))
                .toArray();
        AccessContext context = machine.context();
        context.access = AccessContext.WRITE;
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
    public SppOutcome walk() {
        return walker.walk(machine.controls().spptp, nextGpa(), 8, walk);
    }

    @Benchmark
    public int allowedWrite() {
        machine.context().gpa = nextGpa();
        return machine.translator().translate(machine.context());
    }

    /** Every access is denied and records an EPT violation. */
    @Benchmark
    public int deniedWrite() {
        machine.context().gpa = nextGpa() + 128;
        return machine.translator().translate(machine.context());
    }
}
