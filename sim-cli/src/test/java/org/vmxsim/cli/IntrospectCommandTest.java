package org.vmxsim.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A tool listens, {@code vmxsim introspect} connects: whatever the tool does, the guest comes to its own end. */
@Timeout(60)
class IntrospectCommandTest {
    private static final int GREETING_BYTES = 96;
    private static final int ANSWER_BYTES = 24;
    private static final String NO_SECRET = "";

    private final ByteArrayOutputStream outBytes = new ByteArrayOutputStream();
    private final PrintStream out = System.out;

    @TempDir
    private Path folder;

    private ServerSocketChannel tool;

    @BeforeEach
    void listen() throws IOException {
        System.setOut(new PrintStream(outBytes, true, StandardCharsets.UTF_8));
        tool = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        tool.bind(UnixDomainSocketAddress.of(folder.resolve("s")));
    }

    @AfterEach
    void release() throws IOException {
        System.setOut(out);
        tool.close();
    }

    private int introspect(String... more) {
        List<String> words = List.of(
                "introspect",
                "builtin:watched",
                "-g",
                "rounds=2",
                "-g",
                "spin=4",
                "--kvmi",
                "unix:" + folder.resolve("s"));
        return Main.execute(Stream.concat(words.stream(), Stream.of(more)).toArray(String[]::new));
    }

    /** Accepts a connection and answers the greeting as somebody who knows a secret. */
    private SocketChannel greeted(String secret) throws Exception {
        SocketChannel machine = tool.accept();
        ByteBuffer greeting = ByteBuffer.allocate(GREETING_BYTES);
        while (greeting.hasRemaining() && machine.read(greeting) >= 0) {}
        ByteBuffer answer = ByteBuffer.allocate(ANSWER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        answer.putInt(ANSWER_BYTES);
        if (!secret.isEmpty()) {
            answer.put(MessageDigest.getInstance("SHA-1").digest(secret.getBytes(StandardCharsets.UTF_8)));
        }
        machine.write(answer.rewind());
        return machine;
    }

    private interface Play {
        void play() throws Exception;
    }

    private static CompletableFuture<Void> meanwhile(Play play) {
        return CompletableFuture.runAsync(() -> {
            try {
                play.play();
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
    }

    private void assertGuestIsDone() {
        assertThat(outBytes.toString(StandardCharsets.UTF_8)).contains("watched: rounds=2 cr3=2");
    }

    @Test
    void aToolThatHangsUpAtOnceIsAwaitedAgain() throws Exception {
        CompletableFuture<Void> played = meanwhile(() -> {
            tool.accept().close();
            greeted(NO_SECRET).close();
        });

        assertThat(introspect()).isZero();
        assertGuestIsDone();
        played.get(10, TimeUnit.SECONDS);
    }

    @Test
    void aToolThatDoesNotKnowTheSecretIsNotLetIn() throws Exception {
        CompletableFuture<Integer> ignored = new CompletableFuture<>();
        CompletableFuture<Void> played = meanwhile(() -> {
            try (SocketChannel stranger = greeted("guess")) {
                ignored.complete(stranger.read(ByteBuffer.allocate(1)));
            }
            greeted("word").close();
        });

        assertThat(introspect("--secret", "word")).isZero();
        assertThat(ignored.get(10, TimeUnit.SECONDS))
                .as("bytes for the stranger")
                .isEqualTo(-1);
        assertGuestIsDone();
        played.get(10, TimeUnit.SECONDS);
    }

    @Test
    void aToolThatSendsGarbageIsSentAway() throws Exception {
        CompletableFuture<Void> played = meanwhile(() -> {
            try (SocketChannel machine = greeted(NO_SECRET)) {
                machine.write(ByteBuffer.wrap(new byte[] {-1, -1, -1, -1, -1, -1, -1, -1}));
                assertThat(machine.read(ByteBuffer.allocate(1))).isEqualTo(-1);
            }
        });

        assertThat(introspect("-q")).isZero();
        played.get(10, TimeUnit.SECONDS);
    }

    @Test
    void aGuestDoesNotWaitForAToolIfToldSo() {
        assertThat(introspect("--no-wait", "--fidelity", "cycle")).isZero();
        assertGuestIsDone();
    }

    @Test
    void theLogHasWhatTheHypervisorSaw() throws Exception {
        Path log = folder.resolve("log");

        assertThat(introspect("--no-wait", "--log", log.toString())).isZero();
        assertThat(Files.readAllLines(log)).isNotEmpty();
    }

    @Test
    void aLogThatIsCutShortIsNoSuccess() {
        assumeTrue(Files.exists(Path.of("/dev/full")), "a device that is always full");

        assertThat(introspect("--no-wait", "--log", "/dev/full")).isEqualTo(1);
        assertThat(outBytes.toString(StandardCharsets.UTF_8))
                .contains("exit code 0", "The log /dev/full could not be written");
    }
}
