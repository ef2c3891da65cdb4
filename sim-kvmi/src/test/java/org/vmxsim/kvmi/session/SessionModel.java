package org.vmxsim.kvmi.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.vmxsim.kvmi.WireFormat;
import org.vmxsim.kvmi.session.WorkerModel.Point;
import org.vmxsim.kvmi.wire.Bytes;

/** A stack, a tool that plays by the rules, and what both must agree on. */
final class SessionModel {
    private static final int EINVAL = -22;
    private static final int ENOENT = -2;
    private static final int EBUSY = -16;
    private static final int STAR = 0xc0000081;
    /** Events that are watched, by their numbers in the later format: CPUID is not in RFC v4. */
    private static final List<Integer> EVENTS = List.of(1, 2, 4, 5, 6, 8, 13);

    private static final List<Integer> RIGHTS = List.of(0, 1, 3, 4, 5, 7, 7);

    private final Stack stack;
    private final Messages messages;
    private final List<WorkerModel> workers = new ArrayList<>();
    /** By vCPU; RFC v4 has one mask, under 0. */
    private final Map<Integer, Set<Integer>> events = new HashMap<>();

    private final Map<Integer, Set<Integer>> registers = new HashMap<>();
    private final Map<Integer, Integer> rights = new HashMap<>();
    private boolean open;

    SessionModel(WireFormat format, int vcpus, int rounds) {
        stack = new Stack(format, vcpus, rounds);
        messages = new Messages(stack.isV7(), new Random(1));
        for (int i = 0; i < vcpus; i++) {
            workers.add(new WorkerModel(stack, i));
        }
    }

    /** One step of a session, chosen by a number and its arguments. */
    void step(int choice, int argument, int other) {
        if (!open) {
            connectOrTurn(choice, argument);
            return;
        }
        int vcpu = argument % (workers.size() + (other % 16 == 0 ? 1 : 0));
        switch (choice) {
            case 0, 1 -> watch(vcpu, EVENTS.get(other % EVENTS.size()), argument % 3 != 0);
            case 2 -> register(vcpu, List.of(0, 3, 4, 3, 4, 2).get(other % 6), argument % 3 != 0);
            case 3 -> msr(vcpu, List.of(STAR, STAR, 0xc0000082, 0x2000).get(other % 4), argument % 3 != 0);
            case 4, 5 -> protect(argument % workers.size(), other % 2, RIGHTS.get(other % RIGHTS.size()));
            case 6 -> pause(vcpu);
            case 7 -> read(argument, other);
            case 8 -> compare(vcpu);
            case 9 -> {
                if (other % 4 == 0) {
                    hangUp();
                } else {
                    inject(vcpu);
                }
            }
            case 10, 11, 12, 13 -> reply(other);
            default -> turn(1 + argument % 60);
        }
    }

    private void connectOrTurn(int choice, int argument) {
        if (choice < 8) {
            stack.connect();
            open = true;
        } else {
            turn(1 + argument % 60);
        }
    }

    private int error(int id, Bytes payload) {
        byte[] answer = ask(id, payload);
        return Stack.view(answer).getInt(8);
    }

    private byte[] ask(int id, Bytes payload) {
        int sequence = stack.nextSequence();
        List<byte[]> sent = stack.say(Bytes.message(id, sequence, payload.array()));
        observe();
        byte[] answer = sent.stream()
                .filter(message -> Stack.id(message) == id)
                .findFirst()
                .orElseThrow(() -> new AssertionError("no answer to " + id));
        assertThat(Stack.view(answer).getInt(4)).isEqualTo(sequence);
        return answer;
    }

    private boolean exists(int vcpu) {
        return vcpu < workers.size();
    }

    private int key(int vcpu) {
        return stack.isV7() ? vcpu : 0;
    }

    private Set<Integer> events(int vcpu) {
        return events.computeIfAbsent(key(vcpu), k -> new HashSet<>());
    }

    private Set<Integer> registers(int vcpu) {
        return registers.computeIfAbsent(key(vcpu), k -> new HashSet<>());
    }

    private static void set(Set<Integer> set, int member, boolean on) {
        if (on) {
            set.add(member);
        } else {
            set.remove(member);
        }
    }

    private void watch(int vcpu, int event, boolean on) {
        if (stack.isV7()) {
            if (exists(vcpu)) {
                set(events(vcpu), event, on);
            }
            int error = error(9, Bytes.vcpu(vcpu).u16(event).u8(on ? 1 : 0).zeros(5));
            assertThat(error).isEqualTo(exists(vcpu) ? 0 : EINVAL);
            return;
        }
        boolean known = event != 13;
        Set<Integer> wanted = new HashSet<>(events(0));
        set(wanted, event, on);
        int mask = wanted.stream().mapToInt(number -> 1 << number).sum();
        if (exists(vcpu) && known) {
            set(events(0), event, on);
        }
        int error = error(17, Bytes.of().u16(vcpu).u16(0).u32(mask));
        assertThat(error).isEqualTo(exists(vcpu) && (known || !on) ? 0 : EINVAL);
    }

    private void register(int vcpu, int cr, boolean on) {
        boolean good = exists(vcpu) && cr != 2;
        if (good) {
            set(registers(vcpu), cr, on);
        }
        assertThat(control(10, 18, vcpu, cr, on)).isEqualTo(good ? 0 : EINVAL);
    }

    private void msr(int vcpu, int msr, boolean on) {
        boolean good = exists(vcpu) && msr != 0x2000;
        if (good) {
            set(registers(vcpu), msr, on);
        }
        assertThat(control(11, 19, vcpu, msr, on)).isEqualTo(good ? 0 : EINVAL);
    }

    private int control(int v7, int v4, int vcpu, int register, boolean on) {
        int bit = on ? 1 : 0;
        return stack.isV7()
                ? error(v7, Bytes.vcpu(vcpu).u8(bit).zeros(3).u32(register))
                : error(v4, Bytes.of().u16(vcpu).u8(bit).u8(0).u32(register));
    }

    /** Only pages of data: those of the stack are written by deliveries, too. */
    private void protect(int vcpu, int page, int access) {
        Worker worker = stack.workers.get(vcpu);
        int gpa = page == 0 ? worker.output() : worker.input();
        rights.put(gpa, access);
        Bytes entry = Bytes.of().u64(gpa).u8(access).zeros(7);
        Bytes payload = stack.isV7()
                ? Bytes.of().u16(0).u16(1).u32(0)
                : Bytes.of().u16(0).u16(1).u16(0).u16(0);
        assertThat(error(stack.isV7() ? 21 : 11, payload.raw(entry.array()))).isZero();
    }

    private void pause(int vcpu) {
        boolean busy = exists(vcpu) && !stack.isV7() && isPausing(vcpu);
        if (exists(vcpu) && !busy) {
            workers.get(vcpu).pauses++;
        }
        int error = stack.isV7()
                ? error(7, Bytes.vcpu(vcpu).u8(0).zeros(7))
                : error(2, Bytes.of().u16(vcpu).zeros(6));
        assertThat(error).isEqualTo(!exists(vcpu) ? EINVAL : busy ? EBUSY : 0);
    }

    private boolean isPausing(int vcpu) {
        byte[] event = stack.waiting.get(vcpu);
        return workers.get(vcpu).pauses > 0 || event != null && messages.kind(event) == WorkerModel.PAUSE;
    }

    private void read(int argument, int other) {
        long gpa = (argument % 300) * 4096L + other % 4096;
        int size = 1 + argument % 200;
        int error = other % 4096 + size > 4096 ? EINVAL : gpa < Stack.MEMORY_BYTES ? 0 : stack.isV7() ? ENOENT : EINVAL;
        byte[] answer = ask(stack.isV7() ? 17 : 13, Bytes.of().u64(gpa).u64(size));
        assertThat(Stack.view(answer).getInt(8)).isEqualTo(error);
        if (error == 0) {
            assertThat(answer).hasSize(16 + size).endsWith(stack.vm.memory().read(gpa, size));
        }
    }

    /** RIP as the tool reads it, and as it is. */
    private void compare(int vcpu) {
        Bytes payload =
                stack.isV7() ? Bytes.vcpu(vcpu).zeros(8) : Bytes.of().u16(vcpu).zeros(6);
        byte[] answer = ask(stack.isV7() ? 13 : 6, payload);
        assertThat(Stack.view(answer).getInt(8)).isEqualTo(exists(vcpu) ? 0 : EINVAL);
        if (exists(vcpu)) {
            assertThat(Stack.view(answer).getLong(16 + 8 + 128))
                    .isEqualTo(stack.vcpu(vcpu).rip());
        }
    }

    /** An exception whose handler returns costs the guest nothing but time. */
    private void inject(int vcpu) {
        if (exists(vcpu) && !workers.get(vcpu).isFresh()) {
            return;
        }
        Bytes payload = stack.isV7()
                ? Bytes.vcpu(vcpu).u8(6).zeros(3).u32(0).u64(0)
                : Bytes.of().u16(vcpu).u8(6).u8(0).u16(0).u16(0).u64(0);
        int error = error(stack.isV7() ? 19 : 12, payload);
        assertThat(error).isIn(exists(vcpu) ? List.of(0, EBUSY) : List.of(EINVAL));
    }

    private void reply(int other) {
        for (int vcpu = 0; vcpu < workers.size(); vcpu++) {
            byte[] event = stack.waiting.get(vcpu);
            if (event != null && (other >> vcpu) % 2 == 0) {
                int kind = messages.kind(event);
                boolean again = other % 7 == 0 && kind != WorkerModel.PAUSE && kind != Point.HYPERCALL.kind;
                workers.get(vcpu).replied(again);
                stack.waiting.remove(vcpu);
                stack.say(messages.reply(event, again ? 1 : 0, messages.neutral(event)));
                observe();
            }
        }
    }

    private void turn(int budget) {
        stack.turn(budget);
        observe();
    }

    private void observe() {
        workers.forEach(worker -> worker.observe(this::wants));
    }

    private boolean wants(int vcpu, Point point) {
        Worker worker = stack.workers.get(vcpu);
        boolean enabled = open && events(vcpu).contains(point.kind);
        return enabled
                && switch (point) {
                    case CR3 -> registers(vcpu).contains(3);
                    case CR4 -> registers(vcpu).contains(4);
                    case MSR -> registers(vcpu).contains(STAR);
                    case STORE, DESCRIPTOR_STORE, LAST_STORE -> (rights.getOrDefault(worker.output(), 7) & 2) == 0;
                    case LOAD -> (rights.getOrDefault(worker.input(), 7) & 1) == 0;
                    case CPUID, BREAKPOINT, DESCRIPTOR, HYPERCALL -> true;
                };
    }

    private void hangUp() {
        stack.hangUp();
        open = false;
        events.clear();
        registers.clear();
        rights.clear();
        workers.forEach(WorkerModel::forget);
        observe();
        stack.checkRestored();
    }

    /** The tool goes, and the guest ends. */
    void end() {
        if (open) {
            hangUp();
        }
        stack.finish();
        stack.checkRestored();
    }
}
