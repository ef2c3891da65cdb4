package org.vmxsim.bench.kvmi;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
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

/**
 * The floor. Question: how long do two threads need to send each other messages of the sizes of an event and its reply,
 * or of a command and its answer, through an AF_UNIX socket with nothing behind it?
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class SocketFloorBenchmark {
    /** Bytes there and back, headers included: CR event, GET_GUEST_INFO, READ_PHYSICAL of a page. */
    @Param({"576 32", "8 32", "24 4112"})
    public String sizes;

    private RawTool tool;
    private SocketChannel channel;
    private ByteBuffer there;
    private ByteBuffer back;
    private Thread thread;

    /** For the harness. */
    public SocketFloorBenchmark() {}

    /**
     * Joins both ends.
     *
     * @throws IOException if there can be no socket
     */
    @Setup(Level.Trial)
    public void build() throws IOException {
        String[] bytes = sizes.split(" ");
        there = ByteBuffer.allocateDirect(Integer.parseInt(bytes[0]));
        back = ByteBuffer.allocateDirect(Integer.parseInt(bytes[1]));
        tool = new RawTool();
        thread = RawTool.start("tool", () -> {
            try {
                tool.accept();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            tool.pong(there.capacity(), back.capacity());
        });
        channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        channel.connect(UnixDomainSocketAddress.of(tool.path()));
    }

    /**
     * There and back.
     *
     * @return bytes that came back
     * @throws IOException if the socket breaks
     */
    @Benchmark
    public int pingPong() throws IOException {
        there.clear();
        while (there.hasRemaining()) {
            channel.write(there);
        }
        back.clear();
        while (back.hasRemaining()) {
            channel.read(back);
        }
        return back.position();
    }

    /**
     * Ends the other side.
     *
     * @throws Exception if it does not end
     */
    @TearDown(Level.Trial)
    public void end() throws Exception {
        channel.close();
        thread.join();
        tool.close();
    }
}
