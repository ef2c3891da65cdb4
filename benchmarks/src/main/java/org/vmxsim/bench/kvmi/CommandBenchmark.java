package org.vmxsim.bench.kvmi;

import java.io.IOException;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.vmxsim.kvmi.KvmiConnection;
import org.vmxsim.kvmi.WireFormat;
import org.vmxsim.kvmi.wire.SocketConfig;
import org.vmxsim.kvmi.wire.SocketPeer;

/**
 * Commands. Question: how long does a tool behind a socket wait for an answer, while the guest runs (commands are
 * looked at after each quantum) and while it waits for a reply? Base line: {@link SocketFloorBenchmark} with the same
 * sizes.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class CommandBenchmark {
    private static final int GET_GUEST_INFO = 5;
    private static final int PAUSE_VCPU = 7;
    private static final int READ_PHYSICAL = 17;
    private static final int PAGE_BYTES = 4096;
    private static final long BUDGET = 1_000_000;

    /** What the guest does meanwhile. */
    @Param({"true", "false"})
    public boolean guestRuns;

    private RawTool tool;
    private Thread machine;
    private volatile boolean over;

    /** For the harness. */
    public CommandBenchmark() {}

    /**
     * Starts the guest on a thread of its own.
     *
     * @throws IOException if there can be no socket
     */
    @Setup(Level.Trial)
    public void build() throws IOException {
        over = false;
        tool = new RawTool();
        machine = RawTool.start("machine", this::simulate);
        tool.shakeHands();
        if (!guestRuns) {
            tool.command(PAUSE_VCPU, 16).putLong(0).putLong(1);
            tool.ask();
            tool.receive();
        }
    }

    private void simulate() {
        IntrospectedGuest guest = new IntrospectedGuest();
        WireFormat format = WireFormat.BRANCH_V7;
        SocketConfig config = SocketConfig.of(tool.path(), 8184);
        SocketPeer peer = SocketPeer.connecting(config, format.handshake(new UUID(1, 2), "bench", 0));
        KvmiConnection connection = KvmiConnection.to(guest.introspection, format.codec(), peer);
        while (!over) {
            if (guest.introspection.isReady(guest.vcpu)) {
                guest.introspection.run(guest.vcpu, BUDGET);
            } else {
                guest.introspection.idle();
            }
        }
        connection.close();
    }

    /**
     * GET_GUEST_INFO.
     *
     * @return size of the answer
     * @throws IOException if the socket breaks
     */
    @Benchmark
    public int guestInfo() throws IOException {
        tool.command(GET_GUEST_INFO, 0);
        return tool.ask();
    }

    /**
     * READ_PHYSICAL of a page.
     *
     * @return size of the answer
     * @throws IOException if the socket breaks
     */
    @Benchmark
    public int readPage() throws IOException {
        tool.command(READ_PHYSICAL, 16).putLong(PAGE_BYTES).putLong(PAGE_BYTES);
        return tool.ask();
    }

    /**
     * Ends the guest.
     *
     * @throws Exception if it does not end
     */
    @TearDown(Level.Trial)
    public void end() throws Exception {
        over = true;
        machine.join();
        tool.close();
    }
}
