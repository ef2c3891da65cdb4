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

/**
 * Cost of one access to simulated physical memory. Question: what does RAM cost that is allocated when touched, against
 * flat RAM and against a plain array? Random addresses in 64 pages, so that the host's own cache misses stay out.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class MemoryBenchmark {
    private static final int ORDER = 1 << 12;

    /** How RAM is kept: flat, sparse in chunks, or sparse by page (what comes after the first 128 MiB). */
    @Param({"flat", "chunks", "pages"})
    public String kind;

    private PhysicalMemory memory;
    private long[] addresses;
    private int next;

    @Setup
    public void build() {
        memory = kind.equals("flat") ? PhysicalMemory.flat(1 << 28) : PhysicalMemory.sparse(1L << 40);
        long base = 0;
        if (kind.equals("pages")) {
            for (long chunk = 0; chunk < 1024; chunk++) {
                memory.writeByte(chunk << 17, 1);
            }
            base = 1L << 30;
        }
        Random random = new Random(1);
        addresses = new long[ORDER];
        for (int i = 0; i < ORDER; i++) {
            // every second page, so that pages do not become chunks
            addresses[i] = base + ((long) random.nextInt(64) << 13) + random.nextInt(4089);
            memory.writeLong(addresses[i], i);
        }
    }

    private long nextAddress() {
        return addresses[next++ & ORDER - 1];
    }

    @Benchmark
    public long baseline() {
        return nextAddress();
    }

    @Benchmark
    public long read8Bytes() {
        return memory.readLong(nextAddress());
    }

    @Benchmark
    public int read1Byte() {
        return memory.readByte(nextAddress());
    }

    @Benchmark
    public void write8Bytes() {
        memory.writeLong(nextAddress(), next);
    }

    @Benchmark
    public void store8BytesWithWriteTag() {
        memory.storeLong(nextAddress(), next);
    }
}
