package org.vmxsim.bench;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
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
import org.vmxsim.vmx.Engine;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;

/**
 * Whole guests. Question: how many million guest instructions a second does each engine execute on the speed guest
 * (guests/bench), on the bare machine and under its own EPT? An operation is a guest instruction, so the score in
 * operations a microsecond is MIPS.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(2)
public class GuestBenchmark {
    private static final int INSTRUCTIONS = 1_000_000;
    private static final int BOOT_INSTRUCTIONS = 40_000_000;

    /** The engine. */
    @Param({"FUNCTIONAL", "CYCLE"})
    public Engine engine;

    /** Test of the speed guest with a count that is never reached. */
    @Param({
        "int 4000000000",
        "mix 4000000",
        "chase 4000000000 16384",
        "store 4000000000 16384",
        "e.chase 4000000000 16384",
        "h.chase 4000000000 16384",
        "vmcall 4000000000"
    })
    public String test;

    private Machine machine;

    /** For the harness. */
    public GuestBenchmark() {}

    /**
     * Boots the guest and lets it come to its kernel.
     *
     * @throws IOException if the image cannot be read
     */
    @Setup(Level.Trial)
    public void boot() throws IOException {
        machine = Machine.of(
                MachineConfig.DEFAULT.withCpu("max").withFlatMemory(true).withEngine(engine));
        try (InputStream image = GuestBenchmark.class.getResourceAsStream("bench.elf")) {
            machine.boot(image.readAllBytes(), "bench " + test, List.of());
        }
        machine.run(BOOT_INSTRUCTIONS);
        if (!machine.serialOutput().contains("READY") || machine.exitCode().isPresent()) {
            throw new AssertionError("the speed guest must be in its kernel: " + machine.serialOutput());
        }
    }

    /**
     * Executes guest instructions.
     *
     * @return how many are retired, so that nothing is dead
     */
    @Benchmark
    @OperationsPerInvocation(INSTRUCTIONS)
    public long instructions() {
        machine.run(INSTRUCTIONS);
        return machine.cpu().retired;
    }
}
