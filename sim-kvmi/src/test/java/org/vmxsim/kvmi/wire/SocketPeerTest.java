package org.vmxsim.kvmi.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vmxsim.kvmi.wire.Bytes.message;
import static org.vmxsim.kvmi.wire.Bytes.of;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class SocketPeerTest {
    private static final UUID ID = new UUID(1, 2);
    private static final Handshake HANDSHAKE = Handshake.named(ID, "guest", 3);
    private static final byte[] GET_VERSION = message(2, 1, new byte[0]);

    @TempDir
    Path folder;

    private MinimalTool tool;
    private SocketPeer peer;

    @AfterEach
    void close() throws IOException {
        if (peer != null) {
            peer.close();
        }
        if (tool != null) {
            tool.close();
        }
    }

    private Path path() {
        return folder.resolve("s");
    }

    private SocketConfig config(int queued, int stallMillis, int idleMillis) {
        return new SocketConfig(path(), 8184, queued, 5, 10_000, stallMillis, idleMillis);
    }

    private void connect(SocketConfig config) throws IOException {
        tool = MinimalTool.ofBranchV7(path());
        peer = SocketPeer.connecting(config, HANDSHAKE);
        tool.accept();
        assertThat(next()).isInstanceOf(Inbound.Connected.class);
    }

    private Inbound next() {
        return peer.await(TimeUnit.SECONDS.toNanos(30));
    }

    private byte[] nextMessage() {
        return ((Inbound.Message) next()).bytes();
    }

    private String nextEnd() {
        return ((Inbound.Disconnected) next()).reason();
    }

    @Test
    void theMachineWaitsForAToolThatListensLater() throws Exception {
        peer = SocketPeer.connecting(config(4, 1000, 0), HANDSHAKE);
        assertThat(peer.await(50_000_000)).isNull();
        tool = MinimalTool.ofBranchV7(path());
        assertThat(tool.greet()).isEqualTo(HANDSHAKE.greeting());
        assertThat(peer.poll()).isNull();
        tool.sendRaw(of().u32(24).zeros(20).array());

        assertThat(next()).isEqualTo(new Inbound.Connected());
    }

    @Test
    void messagesComeWholeHoweverTheyAreCut() throws Exception {
        connect(config(4, 10_000, 0));
        byte[] write = message(18, 7, of().u64(0).u64(5).zeros(5).array());
        for (byte b : write) {
            tool.sendRaw(new byte[] {b});
        }
        tool.sendRaw(of().raw(GET_VERSION).raw(write).raw(GET_VERSION).array());

        assertThat(nextMessage()).isEqualTo(write);
        assertThat(nextMessage()).isEqualTo(GET_VERSION);
        assertThat(nextMessage()).isEqualTo(write);
        assertThat(nextMessage()).isEqualTo(GET_VERSION);
        assertThat(peer.poll()).isNull();
    }

    @Test
    void aMessageRightBehindTheHandshakeIsNotLost() throws Exception {
        tool = MinimalTool.ofBranchV7(path());
        peer = SocketPeer.connecting(config(4, 1000, 0), HANDSHAKE);
        tool.greet();
        tool.sendRaw(of().u32(28).zeros(24).raw(GET_VERSION).array());

        assertThat(next()).isInstanceOf(Inbound.Connected.class);
        assertThat(nextMessage()).isEqualTo(GET_VERSION);
    }

    @Test
    void whatTheMachineSendsArrives() throws Exception {
        connect(config(4, 1000, 0));
        byte[] payload = new byte[560];
        Arrays.fill(payload, (byte) 9);
        peer.send(message(1, 42, payload));

        MinimalTool.Message event = tool.event();
        assertThat(event.sequence()).isEqualTo(42);
        assertThat(event.payload()).isEqualTo(payload);
    }

    @Test
    void aBadAnswerToTheGreetingIsRefusedAndTheMachineComesBack() throws Exception {
        tool = MinimalTool.ofBranchV7(path());
        peer = SocketPeer.connecting(config(4, 1000, 0), HANDSHAKE.withCookie(new byte[] {1}));
        for (byte[] answer : new byte[][] {
            of().u32(23).zeros(19).array(),
            of().u32(65537).zeros(65533).array(),
            of().u32(-1).array(),
            of().u32(24).zeros(20).array(),
            of().u32(28).zeros(24).array()
        }) {
            tool.greet();
            try {
                tool.sendRaw(answer);
            } catch (IOException e) {
                // The machine may hang up before it has read everything.
                assertThat(answer).hasSize(65537);
            }
            assertThat(tool.isClosed()).isTrue();
            tool.hangUp();
        }
        assertThat(peer.poll()).isNull();
    }

    @Test
    void anAnswerToTheGreetingThatDoesNotComeEndsTheConnection() throws Exception {
        tool = MinimalTool.ofBranchV7(path());
        peer = SocketPeer.connecting(new SocketConfig(path(), 8184, 4, 5, 30, 1000, 0), HANDSHAKE);
        tool.greet();
        tool.sendRaw(of().u32(24).zeros(19).array());

        assertThat(tool.isClosed()).isTrue();
        assertThat(peer.poll()).isNull();
    }

    @Test
    void theFirstFormOfTheHandshake() throws Exception {
        tool = MinimalTool.ofV4(path());
        peer = SocketPeer.connecting(config(4, 1000, 0), Handshake.echo(ID));
        tool.accept();
        assertThat(next()).isInstanceOf(Inbound.Connected.class);
        tool.hangUp();
        assertThat(nextEnd()).isEqualTo("the tool closed the connection");
        tool.accept(of().u32(20).zeros(16).array());
        assertThat(tool.isClosed()).isTrue();
        assertThat(peer.poll()).isNull();
    }

    @Test
    void aMessageOfMoreThanTheFormatAllowsEndsTheConnection() throws Exception {
        connect(config(4, 1000, 0));
        tool.sendRaw(GET_VERSION);
        tool.sendRaw(message(18, 1, new byte[8184]));
        tool.sendRaw(of().u16(18).u16(8185).u32(1).array());

        assertThat(nextMessage()).isEqualTo(GET_VERSION);
        assertThat(nextMessage()).hasSize(8192);
        assertThat(nextEnd()).isEqualTo("a message with a payload of 8185 bytes");
        assertThat(tool.isClosed()).isTrue();
    }

    @Test
    void aFullQueueStopsTheToolAndLosesNothing() throws Exception {
        connect(config(3, 30_000, 0));
        int count = 2000;
        Thread talker = new Thread(() -> {
            try {
                for (int i = 0; i < count; i++) {
                    tool.sendRaw(message(18, i, new byte[2000]));
                }
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        talker.start();
        for (int i = 0; i < count; i++) {
            assertThat(nextMessage()[4] & 0xff).isEqualTo(i & 0xff);
        }
        talker.join();
        assertThat(peer.poll()).isNull();
    }

    @Test
    void theEndOfAConnectionComesAfterItsMessagesAndTheNextOneFollows() throws Exception {
        connect(config(8, 1000, 0));
        tool.sendRaw(of().raw(GET_VERSION).raw(GET_VERSION).array());
        tool.hangUp();

        assertThat(nextMessage()).isEqualTo(GET_VERSION);
        assertThat(nextMessage()).isEqualTo(GET_VERSION);
        peer.send(message(2, 77, new byte[8]));
        assertThat(nextEnd()).isEqualTo("the tool closed the connection");
        tool.accept();
        tool.sendRaw(GET_VERSION);
        // Another tool is there already, but this answer is not for it.
        peer.send(message(2, 78, new byte[8]));
        assertThat(next()).isEqualTo(new Inbound.Connected());
        peer.send(message(2, 79, new byte[8]));
        assertThat(tool.receive().sequence()).isEqualTo(79);
        assertThat(nextMessage()).isEqualTo(GET_VERSION);
    }

    @Test
    void aDisconnectedToolIsForgottenWithWhatItSaid() throws Exception {
        connect(config(2, 1000, 0));
        for (int i = 0; i < 5; i++) {
            tool.sendRaw(GET_VERSION);
        }
        assertThat(nextMessage()).isEqualTo(GET_VERSION);
        peer.disconnect("enough");

        assertThat(nextEnd()).isEqualTo("enough");
        assertThat(tool.isClosed()).isTrue();
        tool.hangUp();
        tool.accept();
        assertThat(next()).isEqualTo(new Inbound.Connected());
        assertThat(peer.poll()).isNull();
    }

    @Test
    void aToolThatNeverStopsTalkingIsDisconnectedToo() throws Exception {
        connect(config(2, 10_000, 0));
        Thread talker = new Thread(() -> {
            try {
                while (true) {
                    tool.sendRaw(message(18, 0, new byte[8000]));
                }
            } catch (IOException e) {
                // Disconnected.
            }
        });
        talker.start();
        assertThat(nextMessage()).hasSize(8008);
        peer.disconnect("enough");
        talker.join();
        Inbound last = next();
        while (last instanceof Inbound.Message) {
            last = next();
        }
        assertThat(last).isEqualTo(new Inbound.Disconnected("enough"));
    }

    @Test
    void aToolThatStallsInAMessageIsDisconnected() throws Exception {
        connect(config(2, 30, 0));
        tool.sendRaw(new byte[] {2, 0, 0});

        assertThat(nextEnd()).contains("too long").contains("rest of a message");
    }

    @Test
    void aToolThatSaysNothingStaysUnlessAnIdleTimeIsSet() throws Exception {
        connect(config(2, 30, 0));
        assertThat(peer.await(100_000_000)).isNull();
        peer.close();
        tool.close();
        connect(config(2, 1000, 30));
        assertThat(nextEnd()).contains("too long").contains("next message");
    }

    @Test
    void aToolThatDoesNotReadIsDisconnected() throws Exception {
        connect(config(2, 50, 0));
        for (int i = 0; i < 2000 && peer.poll() == null; i++) {
            peer.send(message(1, i, new byte[8000]));
        }
        Inbound end = peer.poll();
        assertThat(end == null || end instanceof Inbound.Connected || end instanceof Inbound.Disconnected)
                .isTrue();
        tool.hangUp();
        tool.accept();
        Inbound next = end instanceof Inbound.Connected ? end : next();
        while (!(next instanceof Inbound.Connected)) {
            next = next();
        }
        peer.send(message(1, 9, new byte[1]));
        assertThat(tool.event().sequence()).isEqualTo(9);
    }

    /** Both sides have far more to say than the socket holds, and the tool speaks first. */
    @Test
    void aToolThatSendsEverythingBeforeItReadsIsHeard() throws Exception {
        connect(config(1000, 30_000, 0));
        int count = 500;
        Thread machine = new Thread(() -> {
            for (int i = 0; i < count; i++) {
                peer.send(message(2, nextMessage()[4] & 0xff, new byte[8000]));
            }
        });
        machine.start();
        for (int i = 0; i < count; i++) {
            tool.sendRaw(message(18, i, new byte[4000]));
        }
        for (int i = 0; i < count; i++) {
            assertThat(tool.receive().sequence()).isEqualTo(i & 0xff);
        }
        machine.join();
    }

    @Test
    void whatAToolSaidBeforeItLeftCountsEvenIfItsAnswersGoNowhere() throws Exception {
        connect(config(300, 1000, 0));
        for (int i = 0; i < 200; i++) {
            tool.sendRaw(GET_VERSION);
        }
        tool.hangUp();
        for (int i = 0; i < 200; i++) {
            assertThat(nextMessage()).isEqualTo(GET_VERSION);
            peer.send(message(2, i, new byte[24]));
        }
        assertThat(next()).isInstanceOf(Inbound.Disconnected.class);
    }

    @Test
    void closingEndsTheThreadInEveryState() throws Exception {
        peer = SocketPeer.connecting(config(2, 1000, 0), HANDSHAKE);
        assertThat(threads()).isEqualTo(1);
        peer.close();
        assertThat(threads()).isZero();

        tool = MinimalTool.ofBranchV7(path());
        peer = SocketPeer.connecting(config(2, 1000, 0), HANDSHAKE);
        tool.greet();
        peer.close();
        assertThat(threads()).isZero();
        tool.close();

        connect(config(2, 1000, 0));
        for (int i = 0; i < 10; i++) {
            tool.sendRaw(GET_VERSION);
        }
        peer.close();
        peer.close();
        assertThat(threads()).isZero();
        assertThat(tool.isClosed()).isTrue();
        peer.send(GET_VERSION);
        peer.disconnect("again");
    }

    @Test
    void whatCannotBeConfiguredIsTheCallersMistake() {
        assertThat(SocketConfig.of(Path.of("/" + "x".repeat(106)), 8184).retryMillis())
                .isEqualTo(1000);
        assertThatThrownBy(() -> SocketConfig.of(Path.of("/" + "x".repeat(107)), 8184))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("107");
        assertThatThrownBy(() -> config(0, 1, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> config(1, 0, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> config(1, 1, -1)).isInstanceOf(IllegalArgumentException.class);
    }

    private static long threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("kvmi-peer"))
                .count();
    }
}
