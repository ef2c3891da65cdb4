package org.vmxsim.kvmi.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmxsim.kvmi.WireFormat;
import org.vmxsim.kvmi.wire.Bytes;

/**
 * A tool that says anything: well-formed commands with wild values, damaged ones, noise, replies that fit and replies
 * that do not, in the middle of a running guest. Nothing of it may end the machine, leave anything behind once the tool
 * is gone, or cost the guest a vCPU. {@code -Dvmxsim.messages=1000000} for more of them.
 */
class MalformedMessagesTest {
    private static final int MESSAGES = Integer.getInteger("vmxsim.messages", 20_000);
    private static final int VCPUS = 3;
    private static final int ROUNDS = 8;
    private static final int MESSAGES_A_MACHINE = 2_000;
    private static final int MESSAGES_A_TOOL = 100;
    /** EPT tables of pages that were used for the first time. */
    private static final long SLACK_BYTES = 64 << 10;

    private Random random;
    private Messages messages;
    private Stack stack;
    private long seed;
    private int said;

    @ParameterizedTest
    @EnumSource(WireFormat.class)
    void nothingIsLost(WireFormat format) {
        int count = MESSAGES / WireFormat.values().length;
        for (long machine = 0; said < count; machine++) {
            seed = format.ordinal() + 10 * machine;
            random = new Random(seed);
            messages = new Messages(format == WireFormat.BRANCH_V7, random);
            stack = new Stack(format, VCPUS, ROUNDS);
            stack.finish();
            stack.restart();
            try {
                life(Math.min(MESSAGES_A_MACHINE, count - said));
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError(format + ", seed " + seed + ", message " + said, e);
            }
        }
    }

    private void life(int count) {
        long free = 0;
        int end = said + count;
        for (int tool = 0; said < end && !stack.introspection.isCrashed(); tool++) {
            stack.connect();
            for (int i = 0; i < MESSAGES_A_TOOL && stack.connection.isOpen(); i++) {
                said++;
                stack.say(message());
                stack.turn(random.nextInt(4) * 20);
                stack.restartEnded();
            }
            if (stack.connection.isOpen()) {
                stack.hangUp();
            }
            if (!stack.introspection.isCrashed()) {
                stack.checkRestored();
                stack.restart();
                stack.finish();
                stack.restart();
                long left = stack.kvm.freeBytes();
                assertThat(tool == 0 || left >= free - SLACK_BYTES)
                        .as("%d free bytes, %d before", left, free)
                        .isTrue();
                free = tool == 0 ? left : free;
            }
        }
    }

    private byte[] message() {
        if (!stack.waiting.isEmpty() && random.nextInt(3) != 0) {
            return reply();
        }
        int id = messages.anyCommand();
        byte[] message =
                Bytes.message(id, stack.nextSequence(), messages.command(id).array());
        return random.nextInt(3) == 0 ? damaged(message) : message;
    }

    private byte[] reply() {
        Integer[] vcpus = stack.waiting.keySet().toArray(new Integer[0]);
        int vcpu = vcpus[random.nextInt(vcpus.length)];
        byte[] event = stack.waiting.get(vcpu);
        if (random.nextInt(10) != 0) {
            stack.waiting.remove(vcpu);
        }
        int action = random.nextInt(100) == 0 ? 2 : random.nextInt(8) == 0 ? 1 : 0;
        Bytes specific = messages.neutral(event);
        if (random.nextInt(6) == 0) {
            byte[] wild = messages.noise(specific.size());
            specific = Bytes.of().raw(wild);
        }
        byte[] reply = messages.reply(event, action, specific);
        return random.nextInt(20) == 0 ? damaged(reply) : reply;
    }

    /** The same with another number, other bytes or another length; its header tells the truth about its length. */
    private byte[] damaged(byte[] message) {
        byte[] payload = Arrays.copyOfRange(message, 8, message.length);
        int id = Stack.id(message);
        int sequence = Stack.view(message).getInt(4);
        switch (random.nextInt(6)) {
            case 0 -> id = random.nextInt(3) == 0 ? random.nextInt(65536) : random.nextInt(70);
            case 1 -> payload = Arrays.copyOf(payload, random.nextInt(payload.length + 1));
            case 2 -> payload = Arrays.copyOf(payload, payload.length + 1 + random.nextInt(40));
            case 3 -> payload = messages.noise(random.nextInt(300));
            case 4 -> sequence = random.nextInt();
            default -> {
                for (int i = random.nextInt(3); i >= 0 && payload.length > 0; i--) {
                    payload[random.nextInt(payload.length)] = (byte) random.nextInt(256);
                }
            }
        }
        return Bytes.message(id, sequence, payload);
    }
}
