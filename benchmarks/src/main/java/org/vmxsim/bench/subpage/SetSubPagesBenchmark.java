package org.vmxsim.bench.subpage;

import java.util.Arrays;
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
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.mmu.spp.SubPages;
import org.vmxsim.vmx.Engine;

/**
 * The call that sets permissions. Question: how long does it take for 1 to 512 pages that the guest uses, in each
 * profile, alone and with the guest writing to each page afterwards (v12 drops mappings, which the guest pays for)?
 * Base line: reading as many bitmaps. v4 takes at most 64 pages a call: as many calls as it needs are made.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class SetSubPagesBenchmark {
    private static final long GFN = SubPageGuest.FIRST_GPA >>> 12;

    /** Pages of a set. */
    @Param({"1", "8", "64", "512"})
    public int pages;

    /** Which posting of the series. */
    @Param({"V4", "V12", "FIXED"})
    public SppProfile profile;

    private SubPageGuest guest;
    private int[][][] calls;
    private int turn;

    /** For the harness. */
    public SetSubPagesBenchmark() {}

    /** Maps, protects and uses the pages, so that tables and vectors exist. */
    @Setup
    public void build() {
        guest = new SubPageGuest(profile, Engine.FUNCTIONAL, true, 16 << 20);
        guest.protect(pages, SubPageGuest.HALF);
        guest.storeLoop(pages, 4096, 0);
        guest.vcpu.run(10L * pages);
        int most = Math.min(pages, profile.maxPages());
        calls = new int[2][pages / most][most];
        for (int[] call : calls[0]) {
            Arrays.fill(call, SubPageGuest.HALF);
        }
        for (int[] call : calls[1]) {
            Arrays.fill(call, ~SubPageGuest.HALF);
        }
    }

    /**
     * Sets every bitmap to another value than it has.
     *
     * @return the answer to the last call
     */
    @Benchmark
    public KvmResult set() {
        turn ^= 1;
        KvmResult result = null;
        long gfn = GFN;
        for (int[] bitmaps : calls[turn]) {
            result = guest.vm.setSubPages(gfn, bitmaps);
            gfn += bitmaps.length;
        }
        return result;
    }

    /**
     * Sets every bitmap twice, so that the guest's writes are allowed again, and lets the guest write to each page.
     *
     * @return the end of the budget
     */
    @Benchmark
    public VcpuExit setAndUse() {
        set();
        set();
        return guest.vcpu.run(7L * pages);
    }

    /**
     * Reads every bitmap.
     *
     * @return the answer to the last call
     */
    @Benchmark
    public SubPages get() {
        SubPages result = null;
        long gfn = GFN;
        for (int[] bitmaps : calls[0]) {
            result = guest.vm.getSubPages(gfn, bitmaps.length);
            gfn += bitmaps.length;
        }
        return result;
    }
}
