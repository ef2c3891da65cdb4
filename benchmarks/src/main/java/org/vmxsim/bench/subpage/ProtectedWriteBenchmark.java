package org.vmxsim.bench.subpage;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.vmxsim.mmu.SkipOutcome;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.vmx.Engine;

/**
 * Writes of a guest to protected pages. Questions: what does a write cost that its sub-page allows, where permissions
 * may be cached and where each write walks, against a write to a page without protection; and what does a denied write
 * cost up to the caller, and with the skip, against another exit to the caller, an OUT? Four instructions are one write
 * and its loop; the cycle engine models caches too, so compare within one engine.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class ProtectedWriteBenchmark {
    private static final int PAGES = 512;
    private static final int ROUNDS = 10;

    /** The engine. */
    @Param({"FUNCTIONAL", "CYCLE"})
    public Engine engine;

    private SubPageGuest open;
    private SubPageGuest cached;
    private SubPageGuest walking;
    private SubPageGuest closed;
    private SubPageGuest port;

    /** For the harness. */
    public ProtectedWriteBenchmark() {}

    /** Brings each guest to where it repeats itself. */
    @Setup
    public void build() {
        open = storing(true, SubPageGuest.FULL);
        cached = storing(true, SubPageGuest.HALF);
        walking = storing(false, SubPageGuest.HALF);
        closed = guest(true);
        closed.protect(1, SubPageGuest.HALF);
        closed.storeOne(128);
        port = guest(true);
        port.outOne();
    }

    private SubPageGuest guest(boolean cacheVectors) {
        return new SubPageGuest(SppProfile.FIXED, engine, cacheVectors, 16 << 20);
    }

    private SubPageGuest storing(boolean cacheVectors, int bitmap) {
        SubPageGuest guest = guest(cacheVectors);
        guest.protect(PAGES, bitmap);
        guest.storeLoop(PAGES, 4096, 0);
        guest.vcpu.run(10L * PAGES);
        return guest;
    }

    private static VcpuExit round(SubPageGuest guest) {
        return guest.vcpu.run((4L * PAGES + 2) * ROUNDS);
    }

    /**
     * Writes to pages without protection.
     *
     * @return the end of the budget
     */
    @Benchmark
    @OperationsPerInvocation(PAGES * ROUNDS)
    public VcpuExit unprotectedWrite() {
        return round(open);
    }

    /**
     * Allowed writes, permissions cached.
     *
     * @return the end of the budget
     */
    @Benchmark
    @OperationsPerInvocation(PAGES * ROUNDS)
    public VcpuExit allowedWrite() {
        return round(cached);
    }

    /**
     * Allowed writes, each of which walks the SPPT.
     *
     * @return the end of the budget
     */
    @Benchmark
    @OperationsPerInvocation(PAGES * ROUNDS)
    public VcpuExit allowedWriteWithoutCache() {
        return round(walking);
    }

    /**
     * A denied write, to the caller.
     *
     * @return the exit
     */
    @Benchmark
    public VcpuExit deniedWrite() {
        return closed.vcpu.run(100);
    }

    /**
     * A denied write that the caller has skipped.
     *
     * @return what became of it
     */
    @Benchmark
    public SkipOutcome deniedWriteAndSkip() {
        VcpuExit exit = closed.vcpu.run(100);
        if (!(exit instanceof VcpuExit.Spp)) {
            throw new AssertionError("the write must be denied: " + exit);
        }
        return closed.vcpu.skip();
    }

    /**
     * An OUT, to the caller.
     *
     * @return the exit
     */
    @Benchmark
    public VcpuExit portExit() {
        return port.vcpu.run(100);
    }
}
