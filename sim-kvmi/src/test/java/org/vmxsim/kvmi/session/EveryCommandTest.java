package org.vmxsim.kvmi.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.kvmi.WireFormat;
import org.vmxsim.kvmi.wire.Bytes;

/**
 * Every command of libkvmi's interface in both formats, with the sizes that the library sends and accepts, given while
 * a vCPU waits in a pause; and what the guest feels of those that change something.
 */
class EveryCommandTest {
    private static final int OK = 8;
    private static final int REGISTERS = 8 + 472;
    private static final int ROUNDS = 4;

    private Stack stack;
    private Messages messages;
    private byte[] pause;

    private void start(WireFormat format) {
        stack = new Stack(format, 1, ROUNDS);
        messages = new Messages(stack.isV7(), new Random(1));
        stack.connect();
        if (stack.isV7()) {
            answer(7, Bytes.vcpu(0).u8(1).zeros(7), OK);
        } else {
            answer(2, Bytes.of().u16(0).zeros(6), OK);
        }
        stack.turn(1);
        pause = stack.waiting.get(0);
        assertThat(messages.kind(pause)).isEqualTo(WorkerModel.PAUSE);
    }

    private byte[] say(int id, Bytes payload) {
        return stack.say(Bytes.message(id, stack.nextSequence(), payload.array())).stream()
                .filter(message -> Stack.id(message) == id)
                .findFirst()
                .orElseThrow(() -> new AssertionError("no answer to " + id));
    }

    /** An answer without an error and with as many bytes of payload, 8 of error included. */
    private byte[] answer(int id, Bytes payload, int size) {
        byte[] answer = say(id, payload);
        assertThat(Stack.view(answer).getInt(8)).as("error of %d", id).isZero();
        assertThat(answer).as("answer to %d", id).hasSize(8 + size);
        return answer;
    }

    private void fails(int error, int id, Bytes payload) {
        byte[] answer = say(id, payload);
        assertThat(Stack.view(answer).getInt(8)).as("error of %d", id).isEqualTo(error);
        assertThat(answer).as("answer to %d", id).hasSize(8 + OK);
    }

    private void resume() {
        stack.waiting.clear();
        stack.say(messages.reply(pause, 0, Bytes.of()));
    }

    private void runToEnd() {
        resume();
        while (!stack.haveEnded()) {
            assertThat(stack.waiting).isEmpty();
            stack.turn(1000);
        }
    }

    private static Bytes vcpu() {
        return Bytes.vcpu(0);
    }

    private static Bytes flag(int bit) {
        return vcpu().u8(bit).zeros(7);
    }

    private static Bytes page(int gpa, int access) {
        return Bytes.of().u16(0).u16(1).u32(0).u64(gpa).u8(access).zeros(7);
    }

    @Test
    void theBranchAsks() {
        start(WireFormat.BRANCH_V7);
        answer(2, Bytes.of(), 24);
        answer(3, Bytes.of().u16(63).zeros(6), OK);
        answer(4, Bytes.of().u16(1).zeros(6), OK);
        assertThat(Stack.view(answer(5, Bytes.of(), 24)).getInt(16)).isEqualTo(1);
        assertThat(Stack.view(answer(6, vcpu(), 16)).getLong(16)).isEqualTo(stack.kvm.tscHz());
        answer(13, vcpu().u16(2).zeros(6).u32(0x174).u32(0xc0000080), REGISTERS + 32);
        byte[] leaf = answer(15, vcpu().u32(0).u32(0), 24);
        assertThat(Stack.view(leaf).getInt(20)).as("Genu").isEqualTo(0x756e6547);
        answer(16, vcpu(), 8 + 4096);
        answer(17, Bytes.of().u64(0x10000).u64(4096), 8 + 4096);
        answer(22, Bytes.of(), 40);
        assertThat(Stack.view(answer(23, vcpu().u64(0x1000), 16)).get(16))
                .as("write-back")
                .isEqualTo((byte) 6);
        assertThat(Stack.view(answer(29, Bytes.of(), 16)).getLong(16)).isEqualTo(256);
        answer(31, Bytes.of(), 16);
        assertThat(Stack.view(answer(34, vcpu(), 16)).getShort(16)).isZero();
        assertThat(Stack.view(answer(35, vcpu().u64(0x12345), 16)).getLong(16)).isEqualTo(0x12345);
        answer(37, vcpu().u8(0).zeros(7), 16);
        assertThat(Stack.view(answer(39, Bytes.of().u64(3), 24)).getLong(24)).isEqualTo(256);
        runToEnd();
        stack.finish();
    }

    @Test
    void theBranchChangesAndNothingStays() {
        start(WireFormat.BRANCH_V7);
        answer(8, Bytes.of().u16(0).u8(1).zeros(5), OK);
        answer(9, vcpu().u16(1).u8(1).zeros(5), OK);
        answer(10, vcpu().u8(1).zeros(3).u32(4), OK);
        answer(11, vcpu().u8(1).zeros(3).u32(0xc0000081), OK);
        answer(9, vcpu().u16(1).u8(0).zeros(5), OK);
        answer(18, Bytes.of().u64(0x80000).u64(3).u8(1).u8(2).u8(3), OK);
        assertThat((int) stack.vm.memory().readLong(0x80000)).isEqualTo(0x030201);
        answer(21, page(0x80000, 5), OK);
        answer(24, Bytes.of().u8(1).zeros(7), OK);
        answer(26, Bytes.of().u16(0).u16(1).u32(0).u64(0x81000).u32(0xff).zeros(4), OK);
        answer(28, vcpu().u64(0x82000).u8(0).zeros(7), OK);
        answer(30, Bytes.of().u16(0).u8(1).zeros(5).u64(0x83000), OK);
        answer(33, vcpu(), OK);
        int view = Stack.view(answer(43, Bytes.of(), 16)).getShort(16);
        assertThat(view).isPositive();
        answer(36, vcpu().u16(view).u8(1).zeros(5), OK);
        answer(32, vcpu().u16(view).zeros(6), OK);
        assertThat(Stack.view(answer(34, vcpu(), 16)).getShort(16)).isEqualTo((short) view);
        answer(32, vcpu().u16(0).zeros(6), OK);
        answer(44, Bytes.of().u16(view).zeros(6), OK);
        answer(41, vcpu().u64(0x300), OK);
        answer(42, vcpu().u64(0x300), OK);
        answer(63, flag(1), OK);
        answer(63, flag(0), OK);
        answer(19, vcpu().u8(6).zeros(3).u32(0).u64(0), OK);
        fails(-22, 10, vcpu().u8(1).zeros(3).u32(2));
        fails(-22, 7, Bytes.vcpu(1).u8(0).zeros(7));
        fails(-2, 17, Bytes.of().u64(1L << 30).u64(8));
        fails(-1000, 50, Bytes.of());
        runToEnd();
        stack.hangUp();
        stack.finish();
        stack.checkRestored();
    }

    /** The guest's input is another page's content: the sum that it ends with says so. */
    @Test
    void aChangedFrameIsWhatTheGuestReads() {
        start(WireFormat.BRANCH_V7);
        int input = stack.workers.get(0).input();
        stack.vm.memory().load(0x90000, new byte[] {1, 0, 0, 0});
        answer(60, vcpu().u16(0).zeros(6).u64(input >>> 12).u64(0x90), OK);
        runToEnd();
        int value = 7919;
        for (int i = 0; i < ROUNDS; i++) {
            value = value * 1103515245 + 12345 + 1;
        }
        assertThat(stack.workers.get(0).result(stack.vcpu(0))).isEqualTo(value);
    }

    @Test
    void registersAndExtendedStateSetInAnEventCountFromTheReplyOn() {
        start(WireFormat.BRANCH_V7);
        stack.vm.memory().load(0x9000, new byte[] {(byte) 0xf4});
        Bytes registers = vcpu();
        for (int i = 0; i < 16; i++) {
            registers.u64(i);
        }
        answer(14, registers.u64(0x9000).u64(2), OK);
        byte[] region = answer(16, vcpu(), 8 + 4096);
        answer(38, vcpu().raw(Arrays.copyOfRange(region, 16, region.length)), OK);
        assertThat(stack.vcpu(0).rip()).isEqualTo(0x10000);
        runToEnd();
        assertThat(stack.vcpu(0).rip()).isEqualTo(0x9001);
        assertThat(stack.vcpu(0).gpr(CpuState.RBX))
                .as("second in struct kvm_regs")
                .isEqualTo(1);
    }

    /** Answers go off and on again: of three commands only the last has one. */
    @Test
    void aBatchHasOneAnswer() {
        start(WireFormat.BRANCH_V7);
        byte[] off = Bytes.message(27, 50, Bytes.of().u8(0).u8(1).zeros(6).array());
        assertThat(stack.say(off)).isEmpty();
        assertThat(stack.say(Bytes.message(21, 51, page(0x80000, 5).array()))).isEmpty();
        List<byte[]> on =
                stack.say(Bytes.message(27, 52, Bytes.of().u8(1).u8(1).zeros(6).array()));
        assertThat(on).hasSize(1);
        assertThat(Stack.view(on.get(0)).getInt(4)).isEqualTo(52);
        assertThat(stack.vm.views().permissions(0, 0x80)).isEqualTo(5);
    }

    @Test
    void theFirstFormatAsksAndChanges() {
        start(WireFormat.V4);
        assertThat(Stack.view(answer(1, Bytes.of(), 24)).getInt(16)).isEqualTo(1);
        byte[] info = answer(3, Bytes.of().zeros(8), 24);
        assertThat(Stack.view(info).getShort(16)).isEqualTo((short) 1);
        assertThat(Stack.view(info).getLong(24)).isEqualTo(stack.kvm.tscHz());
        answer(25, v4().zeros(6).u32(0).u32(0), 24);
        answer(26, v4().zeros(6), 8 + 4096);
        answer(13, Bytes.of().u64(0x10000).u64(16), 8 + 16);
        answer(14, Bytes.of().u64(0x80000).u64(2).u16(0x1234), OK);
        answer(11, v4().u16(1).u16(0).u16(0).u64(0x80000).u8(5).zeros(7), OK);
        byte[] access = answer(10, v4().u16(2).u16(0).u16(0).u64(0x80000).u64(0x81000), 8 + 2);
        assertThat(access[16]).isEqualTo((byte) 5);
        assertThat(access[17]).isEqualTo((byte) 7);
        answer(17, v4().u16(0).u32(0x456), OK);
        answer(18, v4().u8(1).u8(0).u32(3), OK);
        answer(19, v4().u8(1).u8(0).u32(0xc0000081), OK);
        answer(17, v4().u16(0).u32(0), OK);
        answer(12, v4().u8(6).u8(0).u16(0).u16(0).u64(0), OK);
        answer(6, v4().u16(1).zeros(4).u32(0x174), REGISTERS + 16);
        answer(15, Bytes.of(), 40);
        fails(-16, 2, v4().zeros(6));
        fails(-22, 18, v4().u8(1).u8(0).u32(8));
        fails(-1000, 16, Bytes.of());
        runToEnd();
        stack.hangUp();
        stack.finish();
        stack.checkRestored();
    }

    private static Bytes v4() {
        return Bytes.of().u16(0);
    }
}
