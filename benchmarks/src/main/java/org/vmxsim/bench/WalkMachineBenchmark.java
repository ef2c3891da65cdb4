package org.vmxsim.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.vmx.ept.EptCapabilities;
import org.vmxsim.vmx.ept.EptOutcome;
import org.vmxsim.vmx.walk.WalkMachine;

/**
 * Cost of a machine without a processor. Question: what does a property test pay to make one, map and protect a page
 * and write to it once?
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class WalkMachineBenchmark {
    @Benchmark
    public WalkMachine make() {
        return WalkMachine.of(EptCapabilities.ALL);
    }

    @Benchmark
    public EptOutcome makeMapProtectAndWrite() {
        return WalkMachine.of(EptCapabilities.ALL)
                .map(0x40_0000, 0x8000, AccessContext.R)
                .protect(0x40_0000, 1)
                .access(0x40_0000, AccessContext.WRITE);
    }
}
