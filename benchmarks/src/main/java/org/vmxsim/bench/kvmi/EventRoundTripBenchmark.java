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
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.vmxsim.kvmi.KvmiConnection;
import org.vmxsim.kvmi.WireFormat;
import org.vmxsim.kvmi.message.Action;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.Command;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.service.Session;
import org.vmxsim.kvmi.service.Tool;
import org.vmxsim.kvmi.wire.SocketConfig;
import org.vmxsim.kvmi.wire.SocketPeer;

/**
 * Events. Question: how long does a guest's write of CR3 take that a tool hears of and replies to, VM exit, event,
 * reply and VM entry together, with the tool in the same process, and behind a socket? Base line of the second:
 * {@link SocketFloorBenchmark}.
 */
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class EventRoundTripBenchmark {
    /** For the harness. */
    public EventRoundTripBenchmark() {}

    /** A tool in the same process. */
    @State(Scope.Thread)
    public static class InProcess implements Tool {
        private IntrospectedGuest guest;
        private Session session;

        /** For the harness. */
        public InProcess() {}

        /** Starts the guest under the tool's eyes. */
        @Setup(Level.Trial)
        public void build() {
            guest = new IntrospectedGuest();
            session = guest.introspection.open(this);
            done(new VcpuCommand.ControlEvents(0, EventKind.CR, true));
            done(new VcpuCommand.ControlCr(0, 3, true));
        }

        private void done(Command command) {
            Answer answer = session.command(command);
            if (!Answer.DONE.equals(answer)) {
                throw new IllegalStateException("the answer is " + answer);
            }
        }

        @Override
        public void event(int sequence, Event event) {
            session.reply(sequence, new EventReply.NewValue(Action.CONTINUE, ((Event.Cr) event).newValue()));
        }

        @Override
        public void closed(String reason) {
            throw new IllegalStateException("closed: " + reason);
        }
    }

    /** A tool behind a socket, with a thread of its own. */
    @State(Scope.Thread)
    public static class BySocket {
        private IntrospectedGuest guest;
        private RawTool tool;
        private KvmiConnection connection;
        private Thread thread;

        /** For the harness. */
        public BySocket() {}

        /**
         * Starts the guest under the tool's eyes.
         *
         * @throws IOException if there can be no socket
         */
        @Setup(Level.Trial)
        public void build() throws IOException {
            guest = new IntrospectedGuest();
            tool = new RawTool();
            WireFormat format = WireFormat.BRANCH_V7;
            SocketPeer peer = SocketPeer.connecting(
                    SocketConfig.of(tool.path(), 8184), format.handshake(new UUID(1, 2), "bench", 0));
            connection = KvmiConnection.to(guest.introspection, format.codec(), peer);
            thread = RawTool.start("tool", () -> {
                try {
                    tool.shakeHands();
                    tool.watchCr3();
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
                tool.echo();
            });
            guest.oneEvent();
        }

        /**
         * Ends the tool.
         *
         * @throws Exception if it does not end
         */
        @TearDown(Level.Trial)
        public void end() throws Exception {
            connection.close();
            thread.join();
            tool.close();
        }
    }

    /**
     * One event, tool in the same process: three instructions.
     *
     * @param tool the tool
     * @return instructions so far
     */
    @Benchmark
    public long inProcess(InProcess tool) {
        tool.guest.introspection.run(tool.guest.vcpu, 3);
        return tool.guest.vcpu.processor().retired;
    }

    /**
     * One event, tool behind a socket.
     *
     * @param socket the tool
     * @return instructions so far
     */
    @Benchmark
    public long bySocket(BySocket socket) {
        return socket.guest.oneEvent();
    }
}
