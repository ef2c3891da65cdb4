package org.vmxsim.kvmi.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.kvmi.WireFormat;
import org.vmxsim.kvmi.wire.Bytes;
import org.vmxsim.kvmi.wire.MinimalTool;
import org.vmxsim.kvmi.wire.SocketConfig;
import org.vmxsim.kvmi.wire.SocketPeer;

/**
 * The sessions that living tools were seen to have, message by message: libkvmi's example hookguest and LibVMI's start
 * and end, by a socket, with a tool that shares no code with the machine.
 */
@Timeout(120)
class ToolSessionTest {
    private static final int ROUNDS = 10;
    private static final int CR = 1;
    private static final int MSR = 2;
    private static final int PAGE_FAULT = 6;
    private static final int PAUSE = 10;
    private static final int SINGLESTEP = 11;
    private static final int COMMON = 544;
    private static final int CONTINUE = 0;
    private static final int RETRY = 1;
    private static final int STAR = 0xc0000081;

    /** What a tool does on its own thread. */
    @FunctionalInterface
    private interface Script {
        void play() throws IOException;
    }

    @TempDir
    Path folder;

    private Stack stack;
    private MinimalTool tool;
    /** What the tool saw. */
    private final List<String> seen = new ArrayList<>();

    @AfterEach
    void close() throws IOException {
        stack.connection.close();
        tool.close();
    }

    /** The machine runs on this thread, the tool on another, until the guest has ended; then the machine closes. */
    private void play(Script script) throws Exception {
        Path path = folder.resolve("s");
        tool = MinimalTool.ofBranchV7(path);
        WireFormat format = WireFormat.BRANCH_V7;
        SocketPeer peer =
                SocketPeer.connecting(SocketConfig.of(path, 8184), format.handshake(new UUID(1, 2), "guest", 3));
        stack = new Stack(format, 2, ROUNDS, peer);
        for (int i = 0; i < 2; i++) {
            CpuState state = stack.vcpu(i).state();
            state.cr3 = stack.workers.get(0).output();
            stack.vcpu(i).setState(state);
        }
        CompletableFuture<Void> played = CompletableFuture.runAsync(() -> {
            try {
                tool.accept();
                script.play();
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
        // Nothing runs before the tool has both vCPUs stand still.
        while (!played.isDone() && bothReady()) {
            stack.introspection.idle();
        }
        while (stack.introspection.hasTool() && !stack.haveEnded()) {
            stack.turn(100);
            if (!bothReady()) {
                stack.introspection.idle();
            }
        }
        stack.connection.close();
        played.get(60, TimeUnit.SECONDS);
        stack.finish();
        stack.checkRestored();
    }

    private boolean bothReady() {
        return stack.introspection.isReady(stack.vcpu(0)) && stack.introspection.isReady(stack.vcpu(1));
    }

    private MinimalTool.Message ok(int id, Bytes payload) throws IOException {
        MinimalTool.Message answer = tool.ask(id, payload);
        assertThat(answer.error()).as("command %d", id).isZero();
        return answer;
    }

    private void events(int vcpu, int event, boolean on) throws IOException {
        ok(9, Bytes.vcpu(vcpu).u16(event).u8(on ? 1 : 0).zeros(5));
    }

    private void access(long gpa, int access) throws IOException {
        ok(21, Bytes.of().u16(0).u16(1).u32(0).u64(gpa).u8(access).zeros(7));
    }

    private static byte[] answers(int sequence, int enable) {
        return Bytes.message(27, sequence, Bytes.of().u8(enable).u8(1).zeros(6).array());
    }

    /** One write; nothing but the last message has an answer. */
    private void pauseAll() throws IOException {
        Bytes batch = Bytes.of().raw(answers(900, 0));
        for (int vcpu = 0; vcpu < 2; vcpu++) {
            batch.raw(
                    Bytes.message(7, 901 + vcpu, Bytes.vcpu(vcpu).u8(1).zeros(7).array()));
        }
        MinimalTool.Message answer = tool.exchange(batch.raw(answers(903, 1)).array());
        assertThat(answer.id()).isEqualTo(27);
        assertThat(answer.sequence()).isEqualTo(903);
        assertThat(answer.payload()).hasSize(8);
        assertThat(answer.error()).isZero();
    }

    private static int kind(MinimalTool.Message event) {
        return event.view().get(4);
    }

    private MinimalTool.Message paused() throws IOException {
        MinimalTool.Message event = tool.event();
        assertThat(kind(event)).isEqualTo(PAUSE);
        assertThat(event.payload()).hasSize(COMMON);
        assertThat(event.view().getShort(0)).isEqualTo((short) COMMON);
        return event;
    }

    @Test
    void hookguest() throws Exception {
        play(() -> {
            assertThat(ok(2, Bytes.of()).payload()).hasSize(24);
            assertThat(ok(5, Bytes.of()).view().getInt(8)).isEqualTo(2);
            pauseAll();
            assertThat(ok(29, Bytes.of()).view().getLong(8)).isEqualTo(Stack.MEMORY_BYTES >>> 12);
            MinimalTool.Message first = paused();
            long cr3 = first.view().getLong(160 + 240);
            for (int page = 0; page < 20; page++) {
                access(cr3 + 4096L * page, 5);
            }
            hook(first);
            hook(paused());
            tool.reply(first, CONTINUE, Bytes.of());
            tool.reply(second, CONTINUE, Bytes.of());
            answerEverything();
        });
        Set<String> expected = new TreeSet<>(expectedLines());
        assertThat(new TreeSet<>(seen)).isEqualTo(expected);
        assertThat(seen).hasSameSizeAs(expected);
    }

    private MinimalTool.Message second;

    private void hook(MinimalTool.Message pause) throws IOException {
        int vcpu = pause.view().getShort(2);
        second = pause;
        for (int event : new int[] {CR, MSR, PAGE_FAULT}) {
            events(vcpu, event, true);
        }
        if (vcpu == 0) {
            ok(10, Bytes.vcpu(vcpu).u8(1).zeros(3).u32(3));
        }
        ok(10, Bytes.vcpu(vcpu).u8(1).zeros(3).u32(4));
        ok(11, Bytes.vcpu(vcpu).u8(1).zeros(3).u32(STAR));
    }

    private void answerEverything() throws IOException {
        try {
            while (true) {
                answer(tool.event());
            }
        } catch (EOFException e) {
            // The machine has closed, as it does at its end.
        }
    }

    private void answer(MinimalTool.Message event) throws IOException {
        ByteBuffer at = event.view();
        int vcpu = at.getShort(2);
        long newValue = at.getLong(COMMON + 16);
        switch (kind(event)) {
            case CR -> seen.add("%d: CR%d = %x".formatted(vcpu, at.getShort(COMMON), newValue) + round(event));
            case MSR -> seen.add("%d: MSR %x = %x".formatted(vcpu, at.getInt(COMMON), newValue));
            case PAGE_FAULT -> {
                long gpa = at.getLong(COMMON + 8);
                seen.add("PF %x %d".formatted(gpa >>> 12, at.get(COMMON + 16)));
                access(gpa & -4096, 7);
                tool.reply(event, RETRY, Bytes.of().zeros(272));
                return;
            }
            default -> throw new AssertionError(kind(event));
        }
        tool.reply(event, CONTINUE, Bytes.of().u64(newValue));
    }

    /** Values that come again are told apart by ESI. */
    private static String round(MinimalTool.Message event) {
        return " esi %x".formatted(event.view().getLong(16 + 32));
    }

    /** What the guest does, from its program. */
    private List<String> expectedLines() {
        List<String> lines = new ArrayList<>();
        for (int vcpu = 0; vcpu < 2; vcpu++) {
            long before = stack.workers.get(0).output();
            for (int round = 0; round < ROUNDS; round++) {
                int esi = stack.workers.get(vcpu).valueIn(round);
                long cr3 = esi & 0x7000;
                String suffix = " esi %x".formatted(esi);
                if (vcpu == 0 && cr3 != before) {
                    lines.add("0: CR3 = %x".formatted(cr3) + suffix);
                }
                before = cr3;
                lines.add("%d: CR4 = %x".formatted(vcpu, round % 2 == 0 ? 4 : 0) + suffix);
                lines.add("%d: MSR c0000081 = %x".formatted(vcpu, esi));
            }
            lines.add("PF %x 2".formatted(stack.workers.get(vcpu).output() >>> 12));
            lines.add("PF %x 2".formatted(stack.workers.get(vcpu).stack() >>> 12));
        }
        return lines;
    }

    @Test
    void libVmiWithEventsStartsReadsStepsAndEnds() throws Exception {
        play(() -> {
            ok(2, Bytes.of());
            ok(5, Bytes.of());
            for (int vcpu = 0; vcpu < 2; vcpu++) {
                for (int event : new int[] {CR, MSR, PAGE_FAULT, SINGLESTEP}) {
                    events(vcpu, event, true);
                }
            }
            ok(29, Bytes.of());
            pauseAll();
            MinimalTool.Message[] pauses = {paused(), paused()};
            registersAndPage();
            for (int vcpu = 0; vcpu < 2; vcpu++) {
                ok(63, Bytes.vcpu(vcpu).u8(1).zeros(7));
            }
            for (MinimalTool.Message pause : pauses) {
                tool.reply(pause, CONTINUE, Bytes.of());
            }
            step(20);
            leave();
        });
    }

    private void registersAndPage() throws IOException {
        Bytes request = Bytes.vcpu(0).u16(7).zeros(6);
        for (int msr : new int[] {0x174, 0x175, 0x176, 0xc0000080, STAR, 0xc0000082, 0xc0000083}) {
            request.u32(msr);
        }
        assertThat(request.size()).isEqualTo(44);
        MinimalTool.Message answer = ok(13, request);
        assertThat(answer.payload()).hasSize(8 + 472 + 16 * 7);
        assertThat(answer.view().getInt(8)).as("mode").isEqualTo(4);
        assertThat(answer.view().getLong(8 + 8 + 128)).as("rip").isEqualTo(0x10000);
        assertThat(answer.view().getInt(8 + 464)).isEqualTo(7);
        assertThat(answer.view().getInt(8 + 472)).isEqualTo(0x174);
        MinimalTool.Message page = ok(17, Bytes.of().u64(0x10000).u64(4096));
        assertThat(page.payload()).hasSize(8 + 4096);
        assertThat(page.view().get(8)).as("mov ecx").isEqualTo((byte) 0xb9);
    }

    /** Each vCPU's steps come in the order of its instructions; the first instructions have five bytes each. */
    private void step(int count) throws IOException {
        long[] last = new long[2];
        for (int i = 0; i < count; i++) {
            MinimalTool.Message event = tool.event();
            int vcpu = event.view().getShort(2);
            long rip = event.view().getLong(16 + 128);
            assertThat(kind(event)).isEqualTo(SINGLESTEP);
            assertThat(event.view().get(COMMON)).as("failed").isZero();
            long start = 0x10000 + 0x1000 * vcpu;
            assertThat(rip).isEqualTo(last[vcpu] < start + 15 ? Math.max(last[vcpu], start) + 5 : rip);
            assertThat(rip).isGreaterThan(last[vcpu]);
            last[vcpu] = rip;
            tool.reply(event, CONTINUE, Bytes.of());
        }
    }

    /** What is on its way meanwhile is answered, as LibVMI does. */
    private void leave() throws IOException {
        pauseAll();
        List<MinimalTool.Message> pauses = new ArrayList<>();
        while (pauses.size() < 2) {
            MinimalTool.Message event = tool.event();
            if (kind(event) == PAUSE) {
                pauses.add(event);
            } else {
                tool.reply(event, CONTINUE, Bytes.of());
            }
        }
        for (int vcpu = 0; vcpu < 2; vcpu++) {
            ok(63, Bytes.vcpu(vcpu).u8(0).zeros(7));
            for (int event : new int[] {CR, MSR, PAGE_FAULT, SINGLESTEP}) {
                events(vcpu, event, false);
            }
        }
        for (MinimalTool.Message pause : pauses) {
            tool.reply(pause, CONTINUE, Bytes.of());
        }
        tool.hangUp();
    }
}
