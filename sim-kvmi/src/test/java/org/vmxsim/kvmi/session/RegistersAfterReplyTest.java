package org.vmxsim.kvmi.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.kvmi.WireFormat;
import org.vmxsim.kvmi.wire.Bytes;
import org.vmxsim.kvmi.wire.Inbound;

/** RFC v4 lets a tool set registers outside an event, by its document. */
class RegistersAfterReplyTest {
    private static final int SPIN = 0x9000;

    /** The reply and the registers come at once, before the guest runs: the write is finished, then they count. */
    @Test
    void theExitThatWasRepliedToIsFinishedBeforeRegistersAreSet() {
        Stack stack = new Stack(WireFormat.V4, 1, 1);
        stack.vm.memory().load(SPIN, new byte[] {(byte) 0xeb, (byte) 0xfe});
        stack.connect();
        assertOk(stack, Bytes.message(17, 1, Bytes.of().zeros(4).u32(2).array()));
        assertOk(
                stack, Bytes.message(18, 2, Bytes.of().u16(0).u8(1).u8(0).u32(3).array()));
        stack.turn(1000);
        byte[] event = stack.waiting.get(0);
        Messages messages = new Messages(false, new Random(1));
        long newValue = Stack.view(event).getLong(8 + 528 + 16);
        assertThat(newValue).isNotZero();

        stack.peer.come(new Inbound.Message(messages.reply(event, 0, messages.neutral(event))));
        Bytes registers = Bytes.of().u16(0).zeros(6).zeros(16 * 8).u64(SPIN).u64(2);
        assertOk(stack, Bytes.message(7, 3, registers.array()));
        stack.turn(20);
        CpuState state = stack.vcpu(0).state();
        assertThat(state.cr3).isEqualTo(newValue);
        assertThat(state.rip).isEqualTo(SPIN);
        assertThat(state.gpr[CpuState.RDI]).isZero();
    }

    private static void assertOk(Stack stack, byte[] command) {
        byte[] answer = stack.say(command).get(0);
        assertThat(Stack.view(answer).getInt(8)).isZero();
    }
}
