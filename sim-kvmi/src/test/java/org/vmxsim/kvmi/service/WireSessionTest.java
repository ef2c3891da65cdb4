package org.vmxsim.kvmi.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.kvmi.KvmiConnection;
import org.vmxsim.kvmi.WireFormat;
import org.vmxsim.kvmi.policy.IntrospectionConfig;
import org.vmxsim.kvmi.wire.Bytes;
import org.vmxsim.kvmi.wire.MinimalTool;
import org.vmxsim.kvmi.wire.SocketConfig;
import org.vmxsim.kvmi.wire.SocketPeer;
import org.vmxsim.mmu.Scheduler;
import org.vmxsim.mmu.VcpuExit;

/** Whole sessions of a tool that shares no code with the machine, by a socket. Numbers are those of the tables. */
@Timeout(60)
class WireSessionTest {
    private static final int CONTINUE_V7 = 0;
    private static final int RETRY_V7 = 1;
    private static final int CRASH_V7 = 2;
    private static final int CONTINUE_V4 = 1;
    /** mov eax, 0x5000; mov cr3, eax; mov [0x6000], eax; mov ebx, 7; hlt. */
    private static final int[] GUEST = {
        0xb8, 0, 0x50, 0, 0, 0x0f, 0x22, 0xd8, 0xa3, 0, 0x60, 0, 0, 0xbb, 7, 0, 0, 0, 0xf4
    };

    /** What a tool does on its own thread. */
    @FunctionalInterface
    private interface Script {
        void play(MinimalTool tool) throws IOException;
    }

    @TempDir
    Path folder;

    private EventRig rig;
    private MinimalTool tool;
    private KvmiConnection connection;

    @AfterEach
    void close() throws IOException {
        connection.close();
        tool.close();
    }

    private void connect(WireFormat format) throws IOException {
        rig = new EventRig(IntrospectionConfig.open(format.dialect()));
        Path path = folder.resolve("s");
        tool = format == WireFormat.BRANCH_V7 ? MinimalTool.ofBranchV7(path) : MinimalTool.ofV4(path);
        SocketConfig config = SocketConfig.of(path, format.codec().maxPayloadBytes());
        SocketPeer peer = SocketPeer.connecting(config, format.handshake(new UUID(1, 2), "guest", 3));
        connection = KvmiConnection.to(rig.introspection, format.codec(), peer);
    }

    /** The machine runs while the tool plays; it begins when the tool is there, and stands still until then. */
    private VcpuExit play(Script script) throws Exception {
        CompletableFuture<Void> played = CompletableFuture.runAsync(() -> {
            try {
                script.play(tool.accept());
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
        while (!connection.isOpen()) {
            rig.introspection.idle();
        }
        // A pause is the first thing that a tool asks for, so that nothing is missed.
        while (rig.introspection.isReady(rig.vcpu) && !played.isDone()) {
            rig.introspection.idle();
        }
        Scheduler scheduler = Scheduler.roundRobin(1000).add(rig.vcpu).runner(rig.introspection);
        VcpuExit exit = scheduler.run(EventRig.BUDGET).exit();
        while (!played.isDone()) {
            rig.introspection.idle();
        }
        played.get(10, TimeUnit.SECONDS);
        return exit;
    }

    private static void ok(MinimalTool.Message answer) {
        assertThat(answer.error()).isZero();
    }

    private static Bytes controlEvents(int event) {
        return Bytes.vcpu(0).u16(event).u8(1).zeros(5);
    }

    private static Bytes none() {
        return Bytes.of();
    }

    @Test
    void aToolOfTheBranchWatchesCr3AndAPage() throws Exception {
        connect(WireFormat.BRANCH_V7);
        rig.code(GUEST);
        VcpuExit exit = play(tool -> {
            ok(tool.ask(7, Bytes.vcpu(0).u8(1).zeros(7)));
            MinimalTool.Message pause = tool.event();
            assertThat(pause.view().get(4)).isEqualTo((byte) 10);
            ok(tool.ask(9, controlEvents(1)));
            ok(tool.ask(9, controlEvents(6)));
            ok(tool.ask(10, Bytes.vcpu(0).u8(1).zeros(3).u32(3)));
            ok(tool.ask(21, Bytes.of().u16(0).u16(1).u32(0).u64(0x6000).u8(5).zeros(7)));
            tool.reply(pause, CONTINUE_V7, none());

            MinimalTool.Message cr = tool.event();
            ByteBuffer at = cr.view();
            assertThat(at.get(4)).isEqualTo((byte) 1);
            assertThat(at.getLong(16 + 128)).as("rip").isEqualTo(0x1005);
            assertThat(at.getShort(544)).isEqualTo((short) 3);
            assertThat(at.getLong(544 + 8)).isZero();
            assertThat(at.getLong(544 + 16)).isEqualTo(0x5000);
            tool.reply(cr, CONTINUE_V7, Bytes.of().u64(0x7000));

            MinimalTool.Message fault = tool.event();
            at = fault.view();
            assertThat(at.get(4)).isEqualTo((byte) 6);
            assertThat(at.getLong(544)).isEqualTo(0x6000);
            assertThat(at.getLong(544 + 8)).isEqualTo(0x6000);
            assertThat(at.get(544 + 16)).isEqualTo((byte) 2);
            ok(tool.ask(21, Bytes.of().u16(0).u16(1).u32(0).u64(0x6000).u8(7).zeros(7)));
            tool.reply(fault, RETRY_V7, Bytes.of().zeros(272));
            tool.hangUp();
        });
        assertThat(exit).isEqualTo(new VcpuExit.Hlt());
        assertThat(rig.vcpu.state().cr3).isEqualTo(0x7000);
        assertThat(rig.readInt(0x6000)).isEqualTo(0x5000);
        assertThat(rig.get(CpuState.RBX)).isEqualTo(7);
    }

    @Test
    void aToolOfTheFirstFormatWatchesCr3() throws Exception {
        connect(WireFormat.V4);
        rig.code(GUEST);
        VcpuExit exit = play(tool -> {
            ok(tool.ask(2, Bytes.of().u16(0).zeros(6)));
            MinimalTool.Message pause = tool.event();
            assertThat(pause.view().getInt(0)).isEqualTo(0x400);
            ok(tool.ask(17, Bytes.of().u16(0).u16(0).u32(0x402)));
            ok(tool.ask(18, Bytes.of().u16(0).u8(1).u8(0).u32(3)));
            tool.reply(pause, CONTINUE_V4, none());

            MinimalTool.Message cr = tool.event();
            ByteBuffer at = cr.view();
            assertThat(at.getInt(0)).isEqualTo(2);
            assertThat(at.getShort(528)).isEqualTo((short) 3);
            assertThat(at.getLong(528 + 16)).isEqualTo(0x5000);
            tool.reply(cr, CONTINUE_V4, Bytes.of().u64(0x7000));
            tool.hangUp();
        });
        assertThat(exit).isEqualTo(new VcpuExit.Hlt());
        assertThat(rig.vcpu.state().cr3).isEqualTo(0x7000);
        assertThat(rig.get(CpuState.RBX)).isEqualTo(7);
    }

    @Test
    void aToolThatHangsUpWithoutAReplyLetsTheGuestGoOnAndAnotherMayCome() throws Exception {
        connect(WireFormat.BRANCH_V7);
        rig.code(GUEST);
        VcpuExit exit = play(tool -> {
            ok(tool.ask(7, Bytes.vcpu(0).u8(1).zeros(7)));
            ok(tool.ask(9, controlEvents(6)));
            ok(tool.ask(21, Bytes.of().u16(0).u16(1).u32(0).u64(0x6000).u8(5).zeros(7)));
            tool.reply(tool.event(), CONTINUE_V7, none());
            assertThat(tool.event().view().get(4)).isEqualTo((byte) 6);
            tool.hangUp();
        });
        assertThat(exit).isEqualTo(new VcpuExit.Hlt());
        assertThat(rig.readInt(0x6000)).isEqualTo(0x5000);
        assertThat(rig.vm.views().permissions(0, 6)).isEqualTo(7);
        while (connection.isOpen()) {
            rig.introspection.idle();
        }
        rig.code(GUEST);
        exit = play(tool -> {
            ok(tool.ask(7, Bytes.vcpu(0).u8(1).zeros(7)));
            tool.reply(tool.event(), CRASH_V7, none());
            assertThat(tool.isClosed()).isTrue();
        });
        assertThat(exit).isEqualTo(new VcpuExit.Shutdown());
        assertThat(rig.introspection.isCrashed()).isTrue();
    }

    @Test
    void aReplyToNoEventEndsTheSession() throws Exception {
        connect(WireFormat.BRANCH_V7);
        rig.code(GUEST);
        VcpuExit exit = play(tool -> {
            ok(tool.ask(7, Bytes.vcpu(0).u8(1).zeros(7)));
            MinimalTool.Message pause = tool.event();
            tool.reply(new MinimalTool.Message(1, pause.sequence() + 1, pause.payload()), CONTINUE_V7, none());
            assertThat(tool.isClosed()).isTrue();
        });
        assertThat(exit).isEqualTo(new VcpuExit.Hlt());
    }
}
