package org.vmxsim.bench.subpage;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.mmu.trace.VcpuStatistics;
import org.vmxsim.vmx.Engine;
import org.vmxsim.vmx.exit.ExitReason;

/**
 * The first write to a protected page of a 2-MiB region. Question: what does it cost, with the EPT violation that maps
 * the page and the SPP miss that fills the region's 512 vectors? Base line: the same write to a page without
 * protection, which only has to be mapped. One page in each of 31 regions; a new virtual machine for each invocation,
 * the setup checks the exits.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class FirstWriteBenchmark {
    private static final int REGIONS = 31;
    private static final int REGION_BYTES = 2 << 20;

    /** Which posting of the series. */
    @Param({"V4", "V12", "FIXED"})
    public SppProfile profile;

    private SubPageGuest guarded;
    private SubPageGuest open;

    /** For the harness. */
    public FirstWriteBenchmark() {}

    /** Fresh virtual machines in which nothing but the code is mapped. */
    @Setup(Level.Invocation)
    public void build() {
        guarded = guest();
        for (int region = 0; region < REGIONS; region++) {
            long gfn = SubPageGuest.FIRST_GPA + (long) region * REGION_BYTES >>> 12;
            SubPageGuest.expect(guarded.vm.setSubPages(gfn, new int[] {SubPageGuest.HALF}));
        }
        open = guest();
    }

    private SubPageGuest guest() {
        SubPageGuest guest = new SubPageGuest(profile, Engine.FUNCTIONAL, true, 64 << 20);
        guest.storeLoop(REGIONS, REGION_BYTES, 0);
        guest.vcpu.run(1);
        return guest;
    }

    /** Checks once that each first write takes one EPT violation, and one SPP miss where vectors are made late. */
    @Setup(Level.Trial)
    public void check() {
        build();
        VcpuStatistics.Snapshot before = guarded.vcpu.statistics().snapshot();
        firstProtectedWrite();
        VcpuStatistics.Snapshot taken = guarded.vcpu.statistics().snapshot().minus(before);
        long violations = taken.exits(ExitReason.EPT_VIOLATION);
        long misses = taken.exits(ExitReason.SPP_RELATED_EVENT);
        // v4 makes the vectors when a page is set, the others when the processor misses them.
        if (violations != REGIONS || misses != (profile == SppProfile.V4 ? 0 : REGIONS)) {
            throw new AssertionError("need the exits of " + REGIONS + " first writes, got violations=" + violations
                    + " misses=" + misses);
        }
    }

    /**
     * First writes to protected pages.
     *
     * @return the end of the budget
     */
    @Benchmark
    @OperationsPerInvocation(REGIONS)
    public VcpuExit firstProtectedWrite() {
        return guarded.vcpu.run((4 + 2) * REGIONS); // four instructions and at most two exits a page
    }

    /**
     * First writes to pages without protection.
     *
     * @return the end of the budget
     */
    @Benchmark
    @OperationsPerInvocation(REGIONS)
    public VcpuExit firstWrite() {
        return open.vcpu.run((4 + 1) * REGIONS); // four instructions and one exit a page
    }
}
