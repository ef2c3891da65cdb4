package org.vmxsim.kvmi.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.guest.EventQueue;

/**
 * What a tool must hear of one {@link Worker}, by a list of the program's addresses. It follows the worker from
 * outside, by its registers: whatever lies behind it and was wanted must have been told, in the program's order and
 * once.
 */
final class WorkerModel {
    /** What can be told of an instruction; at one address in this order. */
    enum Point {
        STORE(12, 6),
        LOAD(14, 6),
        CR3(27, 1),
        CR4(36, 1),
        MSR(49, 2),
        CPUID(58, 13),
        BREAKPOINT(60, 4),
        DESCRIPTOR(61, 8),
        DESCRIPTOR_STORE(61, 6),
        HYPERCALL(77, 5),
        LAST_STORE(90, 6);

        /** From the start of the loop. */
        final int offset;
        /** Number of the event in the later format. */
        final int kind;

        Point(int offset, int kind) {
            this.offset = offset;
            this.kind = kind;
        }
    }

    /** Whether the tool wants to be told. */
    @FunctionalInterface
    interface Wanted {
        boolean is(int vcpu, Point point);
    }

    static final int PAUSE = 10;
    private static final int LOOP = 15;
    private static final int PUSHED = 40;
    private static final int POPPED = 80;
    private static final int DECREMENTED = 84;
    private static final int ROUND = 128;
    private static final int MULTIPLIER = 1103515245;
    private static final int HANDLERS = 0x3800;
    private static final int HANDLERS_END = 0x3900;

    private final Stack stack;
    private final Worker worker;
    private final int number;
    private final Set<Point> done = EnumSet.noneOf(Point.class);
    private int position;
    private byte[] event;
    int pauses;

    WorkerModel(Stack stack, int number) {
        this.stack = stack;
        this.number = number;
        this.worker = stack.workers.get(number);
    }

    boolean isWaiting() {
        return event != null;
    }

    /** Whether the worker stands at an instruction of which nothing has been told. */
    boolean isFresh() {
        return event == null && done.isEmpty();
    }

    /** The tool is gone: what it was asked about happens as if it had not been asked. */
    void forget() {
        if (event != null) {
            replied(false);
        }
        pauses = 0;
    }

    /** The tool has replied; what it wants to see again is told again. */
    void replied(boolean again) {
        Point told = told();
        if (again) {
            done.clear();
        } else if (told != null) {
            done.add(told);
        }
        if (told == Point.DESCRIPTOR_STORE && !again) {
            // Whoever has stored has executed the instruction, whether that was watched or not.
            done.add(Point.DESCRIPTOR);
        }
        event = null;
    }

    /** What the event that waits is about, or null for a pause. */
    private Point told() {
        int kind = kind(event);
        for (Point point : Point.values()) {
            if (kind == point.kind && position % ROUND == point.offset && !done.contains(point)) {
                return point;
            }
        }
        return null;
    }

    private int kind(byte[] message) {
        return new Messages(stack.isV7(), null).kind(message);
    }

    /** Compares what was told with where the worker is. */
    void observe(Wanted wanted) {
        byte[] waiting = stack.waiting.get(number);
        int now = position(waiting);
        assertThat(now)
                .as("vCPU %d goes forward, %x", number, stack.vcpu(number).rip())
                .isGreaterThanOrEqualTo(position);
        for (int at : passed(now)) {
            for (Point point : at == position ? left() : pointsAt(at)) {
                assertThat(wanted.is(number, point) && happens(at, point))
                        .as("vCPU %d at %d: %s is told", number, at, point)
                        .isFalse();
            }
        }
        if (now != position) {
            done.clear();
        }
        position = now;
        if (waiting == null && isDelivering(3)) {
            // Nobody saw the breakpoint when it began; that its delivery takes several exits does not begin it again.
            done.add(Point.BREAKPOINT);
        }
        if (waiting != null && event == null) {
            told(waiting, wanted);
        }
        if (waiting == null) {
            assertThat(event).as("vCPU %d goes on only after a reply", number).isNull();
        }
    }

    private boolean isDelivering(int vector) {
        EventQueue events = stack.vcpu(number).events();
        return events.hasEvent() && events.pending().vector() == vector;
    }

    private void told(byte[] message, Wanted wanted) {
        event = message;
        if (kind(message) == PAUSE) {
            assertThat(pauses--).as("pauses that were asked for").isPositive();
            return;
        }
        Point expected = left().stream()
                .filter(point -> wanted.is(number, point) && happens(position, point))
                .findFirst()
                .orElseThrow(() -> new AssertionError("nothing to tell at " + position + ", told " + kind(message)));
        assertThat(kind(message)).as("at %d", position).isEqualTo(expected.kind);
        check(message, expected);
    }

    private void check(byte[] message, Point point) {
        ByteBuffer at = Stack.view(message);
        int specific = 8 + (stack.isV7() ? 544 : 528);
        int round = position / ROUND;
        switch (point) {
            case CR3 -> assertThat(at.getLong(specific + 16)).isEqualTo(value(round) & 0x7000);
            case CR4 -> assertThat(at.getLong(specific + 16)).isEqualTo(round % 2 == 0 ? 4 : 0);
            case MSR -> assertThat(at.getLong(specific + 16)).isEqualTo(value(round) & 0xffffffffL);
            case STORE -> assertThat(at.getLong(specific + 8)).isEqualTo(worker.output());
            case LOAD -> assertThat(at.getLong(specific + 8)).isEqualTo(worker.input());
            case DESCRIPTOR_STORE -> assertThat(at.getLong(specific + 8)).isEqualTo(worker.output() + 0x20);
            case LAST_STORE -> assertThat(at.getLong(specific + 8)).isEqualTo(worker.output() + 8);
            case CPUID, BREAKPOINT, DESCRIPTOR, HYPERCALL ->
                assertThat(at.getShort(8 + (stack.isV7() ? 2 : 4))).isEqualTo((short) number);
        }
    }

    /** ESI behind the load of a round, from 0. */
    private int value(int round) {
        int value = 7919 * (number + 1);
        for (int i = 0; i <= round; i++) {
            value = value * MULTIPLIER + 12345 + 0x51ab37;
        }
        return value;
    }

    /** Whether a register gets another value than it has. */
    private boolean happens(int at, Point point) {
        int round = at / ROUND;
        return switch (point) {
            case CR3 -> (value(round) & 0x7000) != (round == 0 ? 0 : value(round - 1) & 0x7000);
            case MSR -> round > 0 ? value(round) != value(round - 1) : true;
            case LAST_STORE -> round == worker.rounds - 1;
            default -> true;
        };
    }

    private List<Point> left() {
        return pointsAt(position).stream()
                .filter(point -> !done.contains(point))
                .toList();
    }

    private static List<Point> pointsAt(int at) {
        return List.of(Point.values()).stream()
                .filter(point -> point.offset == at % ROUND)
                .toList();
    }

    /** Positions with points from where the worker was to before where it is. */
    private List<Integer> passed(int now) {
        List<Integer> passed = new ArrayList<>();
        for (int at = position; at < now; at++) {
            if (!pointsAt(at).isEmpty()) {
                passed.add(at);
            }
        }
        return passed;
    }

    /** Rounds and bytes that lie behind the worker. */
    private int position(byte[] waiting) {
        Vcpu vcpu = stack.vcpu(number);
        long rip = vcpu.rip();
        if (rip >= HANDLERS && rip < HANDLERS_END) {
            // Behind INT3, or at an instruction that faulted: the return address says so.
            boolean code = rip == 0x3810;
            rip = vcpu.memory().readLong(vcpu.gpr(CpuState.RSP) + (code ? 4 : 0)) & 0xffffffffL;
        }
        int offset = (int) rip - worker.code() - LOOP;
        if (offset < 0) {
            return 0;
        }
        // Behind VMCALL in RFC v4, at it later.
        boolean called = waiting != null && kind(waiting) == Point.HYPERCALL.kind && !stack.isV7();
        boolean saved = offset >= PUSHED && offset <= POPPED;
        int counter = (int) (saved ? vcpu.memory().readLong(worker.stack() + 0x1000 - 4) : vcpu.gpr(CpuState.RCX));
        int round = worker.rounds - counter - (offset >= DECREMENTED ? 1 : 0);
        return round * ROUND + (called ? Point.HYPERCALL.offset : offset);
    }
}
