package org.vmxsim.bench;

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
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.vmx.Engine;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;

/**
 * Clearing and copying memory. Question: how many bytes a nanosecond (GB/s) do REP STOS and REP MOVS make of 64 MiB,
 * and a loop that stores a byte and counts? 4-KiB pages, identity; an operation is a byte.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class RepeatedStringBenchmark {
    private static final int BYTES = 64 << 20;
    private static final int LOOP_BYTES = 1 << 20;
    private static final int LOOP_INSTRUCTIONS = 4;
    private static final long TABLES = 0x1000;
    private static final long CODE = 0x20_0000;
    private static final long SOURCE = 0x400_0000;
    private static final long DESTINATION = 0x1000_0000;
    private static final int PAGES = 1 << 17;

    /** REP STOSB, STOSD, STOSQ, MOVSB, MOVSQ by their bytes, in hexadecimal. */
    @Param({"f3aa", "f3ab", "f348ab", "f3a4", "f348a5"})
    public String instruction;

    /** Whether the RAM is committed up front. */
    @Param({"true", "false"})
    public boolean flat;

    private Processor cpu;
    private int sizeBytes;

    /** For the harness. */
    public RepeatedStringBenchmark() {}

    /** A machine in 64-bit mode. */
    @Setup
    public void build() {
        Machine machine = Machine.of(
                MachineConfig.DEFAULT.withMemory(512 << 20).withFlatMemory(flat).withEngine(Engine.FUNCTIONAL));
        PhysicalMemory memory = machine.memory();
        cpu = machine.cpu();
        memory.writeLong(TABLES, TABLES + 0x1000 | 3);
        memory.writeLong(TABLES + 0x1000, TABLES + 0x2000 | 3);
        for (long page = 0; page < PAGES; page++) {
            memory.writeLong(TABLES + 0x3000 + 8 * page, page << 12 | 3);
        }
        for (long table = 0; table < PAGES / 512; table++) {
            memory.writeLong(TABLES + 0x2000 + 8 * table, TABLES + 0x3000 + (table << 12) | 3);
        }
        byte[] bytes = new byte[instruction.length() / 2];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) Integer.parseInt(instruction.substring(2 * i, 2 * i + 2), 16);
        }
        memory.load(CODE, bytes);
        // MOV [RDI], AL; INC RDI; DEC RCX; JNZ
        memory.load(CODE + 0x100, new byte[] {
            (byte) 0x88, 0x07, 0x48, (byte) 0xff, (byte) 0xc7, 0x48, (byte) 0xff, (byte) 0xc9, 0x75, (byte) 0xf6
        });
        boolean wide = (bytes[bytes.length - 1] & 1) != 0;
        sizeBytes = wide ? bytes.length > 2 ? 8 : 4 : 1;
        enterLongMode();
    }

    private void enterLongMode() {
        cpu.cr0 = 0x8000_0031L;
        cpu.cr3 = TABLES;
        cpu.cr4 = 0x20;
        cpu.efer = 0x500;
        cpu.segments[CpuState.CS].set(8, 0, -1, 0xa09b);
        for (int segment : new int[] {CpuState.ES, CpuState.SS, CpuState.DS}) {
            cpu.segments[segment].set(16, 0, -1, 0xc093);
        }
        cpu.rflagsSystem = 2;
        cpu.modeChanged();
    }

    private long run(long rip, long iterations, long instructions) {
        cpu.rip = rip;
        cpu.gpr[CpuState.RCX] = iterations;
        cpu.gpr[CpuState.RSI] = SOURCE;
        cpu.gpr[CpuState.RDI] = DESTINATION;
        if (cpu.run(instructions) != StopReason.BUDGET || cpu.gpr[CpuState.RCX] != 0) {
            throw new AssertionError("the program must end: rcx=" + cpu.gpr[CpuState.RCX]);
        }
        return cpu.retired;
    }

    /**
     * One repeated instruction.
     *
     * @return something that depends on it
     */
    @Benchmark
    @OperationsPerInvocation(BYTES)
    public long block() {
        return run(CODE, BYTES / sizeBytes, BYTES / sizeBytes);
    }

    /**
     * The loop, whatever the instruction.
     *
     * @return something that depends on it
     */
    @Benchmark
    @OperationsPerInvocation(LOOP_BYTES)
    public long loop() {
        return run(CODE + 0x100, LOOP_BYTES, (long) LOOP_INSTRUCTIONS * LOOP_BYTES);
    }
}
