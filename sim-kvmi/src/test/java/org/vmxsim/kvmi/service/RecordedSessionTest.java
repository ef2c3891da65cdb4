package org.vmxsim.kvmi.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.kvmi.KvmiConnection;
import org.vmxsim.kvmi.WireFormat;
import org.vmxsim.kvmi.policy.IntrospectionConfig;
import org.vmxsim.kvmi.wire.Bytes;
import org.vmxsim.kvmi.wire.Inbound;
import org.vmxsim.kvmi.wire.InputRecording;
import org.vmxsim.kvmi.wire.MinimalTool;
import org.vmxsim.kvmi.wire.Peer;
import org.vmxsim.kvmi.wire.ReplayedPeer;
import org.vmxsim.kvmi.wire.SocketConfig;
import org.vmxsim.kvmi.wire.SocketPeer;
import org.vmxsim.mmu.Scheduler;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.vmx.MachineConfig;

/** The same guest, schedule and input give the same run, whenever a tool outside happened to say what it said. */
@Timeout(120)
class RecordedSessionTest {
    private static final int ROUNDS = 30;

    /** What a run leaves behind. */
    private record Trace(List<String> state, List<byte[]> sent) {}

    /** A peer whose output is kept. */
    private record Kept(Peer peer, Consumer<byte[]> to) implements Peer {
        @Override
        public Inbound poll() {
            return peer.poll();
        }

        @Override
        public Inbound await(long nanos) {
            return peer.await(nanos);
        }

        @Override
        public void send(byte[] message) {
            to.accept(message);
            peer.send(message);
        }

        @Override
        public void disconnect(String reason) {
            peer.disconnect(reason);
        }

        @Override
        public void close() {
            peer.close();
        }
    }

    @TempDir
    Path folder;

    private int slices;

    private static EventRig guest(boolean cycles) {
        MachineConfig machine = cycles ? EventRig.cycles() : MachineConfig.DEFAULT;
        IntrospectionConfig config = IntrospectionConfig.open(WireFormat.BRANCH_V7.dialect());
        EventRig rig = new EventRig(config.timed(50, 0, 700), machine, 2);
        // L: inc ebx; mov [0x6000], ebx; mov eax, [0x5000]; mov cr3, eax; jmp L. The tool changes what is at 0x5000.
        int[] loop = {0x43, 0x89, 0x1d, 0, 0x60, 0, 0, 0xa1, 0, 0x50, 0, 0, 0x0f, 0x22, 0xd8, 0xeb, 0xef};
        for (Vcpu vcpu : rig.vm.vcpus()) {
            rig.code(vcpu, EventRig.CODE, loop);
        }
        return rig;
    }

    /** Runs until the tool has played its part, or as long as the run before. */
    private Trace run(EventRig rig, Peer peer, List<byte[]> sent, CompletableFuture<Void> playing) {
        try (KvmiConnection connection = KvmiConnection.to(rig.introspection, WireFormat.BRANCH_V7.codec(), peer)) {
            while (!connection.isOpen()) {
                rig.introspection.idle();
            }
            Scheduler scheduler = Scheduler.random(70, 5).runner(rig.introspection);
            rig.vm.vcpus().forEach(scheduler::add);
            int end = playing == null ? slices : Integer.MAX_VALUE;
            for (slices = 0; slices < end && (playing == null || !playing.isDone()); slices++) {
                assertThat(scheduler.run(500).exit()).isNull();
            }
        }
        List<String> state = new ArrayList<>();
        for (Vcpu vcpu : rig.vm.vcpus()) {
            state.add("%s rip=%x cr3=%x retired=%d cycles=%d"
                    .formatted(
                            Arrays.toString(vcpu.state().gpr),
                            vcpu.rip(),
                            vcpu.state().cr3,
                            vcpu.processor().retired,
                            vcpu.processor().cycles == null
                                    ? 0
                                    : vcpu.processor().cycles.cycles()));
        }
        return new Trace(state, sent);
    }

    /** Changes the guest's data and page rights at moments of its own. */
    private static void play(MinimalTool tool) throws IOException {
        tool.accept();
        for (int vcpu = 0; vcpu < 2; vcpu++) {
            tool.ask(9, Bytes.vcpu(vcpu).u16(1).u8(1).zeros(5));
            tool.ask(9, Bytes.vcpu(vcpu).u16(6).u8(1).zeros(5));
            tool.ask(10, Bytes.vcpu(vcpu).u8(1).zeros(3).u32(3));
        }
        for (int round = 1; round <= ROUNDS; round++) {
            int rights = round % 2 == 0 ? 7 : 5;
            tool.ask(21, Bytes.of().u16(0).u16(1).u32(0).u64(0x6000).u8(rights).zeros(7));
            tool.ask(18, Bytes.of().u64(0x5000).u64(4).u32(round << 12));
            // Each vCPU loads the new value at least, unless it waits for a reply already.
            answer(tool);
            answer(tool);
        }
        tool.hangUp();
    }

    private static void answer(MinimalTool tool) throws IOException {
        MinimalTool.Message event = tool.event();
        boolean fault = event.view().get(4) == 6;
        tool.reply(
                event,
                0,
                fault ? Bytes.of().zeros(272) : Bytes.of().u64(event.view().getLong(544 + 16)));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aRecordedSessionGivesTheSameRunAgain(boolean cycles) throws Exception {
        Path path = folder.resolve("s");
        ByteArrayOutputStream log = new ByteArrayOutputStream();
        Trace first;
        try (MinimalTool tool = MinimalTool.ofBranchV7(path)) {
            CompletableFuture<Void> playing = CompletableFuture.runAsync(() -> {
                try {
                    play(tool);
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            });
            SocketConfig config =
                    SocketConfig.of(path, WireFormat.BRANCH_V7.codec().maxPayloadBytes());
            Peer socket = SocketPeer.connecting(config, WireFormat.BRANCH_V7.handshake(new UUID(1, 2), "guest", 3));
            List<byte[]> sent = new ArrayList<>();
            first = run(guest(cycles), new InputRecording(new Kept(socket, sent::add), log), sent, playing);
            playing.get();
        }
        List<byte[]> sent = new ArrayList<>();
        ReplayedPeer replay = new ReplayedPeer(new ByteArrayInputStream(log.toByteArray()), sent::add);
        Trace second = run(guest(cycles), replay, sent, null);

        assertThat(first.sent()).hasSizeGreaterThan(4 * ROUNDS);
        assertThat(second.state()).isEqualTo(first.state());
        assertThat(second.sent()).usingElementComparator(Arrays::compare).isEqualTo(first.sent());
    }
}
