package org.vmxsim.kvmi.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vmxsim.kvmi.wire.Bytes.message;
import static org.vmxsim.kvmi.wire.Bytes.of;
import static org.vmxsim.kvmi.wire.Bytes.vcpu;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.vmxsim.kvmi.message.Action;
import org.vmxsim.kvmi.message.CommandKind;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventContext;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventMsrs;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.message.GeneralRegisters;
import org.vmxsim.kvmi.message.SystemRegisters;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.wire.codec.BranchV7Codec;
import org.vmxsim.kvmi.wire.codec.V4Codec;

class ConversationTest {
    private static final EventContext ON_VCPU_1 =
            new EventContext(1, 8, 0, GeneralRegisters.ZERO, SystemRegisters.ZERO, EventMsrs.ZERO);
    private static final byte[] PAUSE_0 = message(7, 10, vcpu(0).u8(1).zeros(7).array());
    private static final byte[] PAUSE_9 = message(7, 11, vcpu(9).u8(1).zeros(7).array());

    private final ScriptedPeer peer = new ScriptedPeer();
    private final RecordingService service = new RecordingService();
    private final Conversation conversation = new Conversation(new BranchV7Codec(), peer, service);

    private void connect() {
        peer.come(new Inbound.Connected());
        conversation.pump();
    }

    private void say(byte[]... messages) {
        for (byte[] message : messages) {
            peer.come(new Inbound.Message(message));
        }
        conversation.pump();
    }

    private static byte[] responses(int sequence, int enable, int now, int flags) {
        return message(27, sequence, of().u8(enable).u8(now).u16(flags).zeros(4).array());
    }

    private static byte[] answer(int id, int sequence, int error) {
        return message(id, sequence, of().u32(error).u32(0).array());
    }

    /** A tool asks faster than it is answered: the guest runs all the same, and nothing is lost. */
    @Test
    void aToolThatNeverStopsAskingDoesNotKeepTheGuestFromRunning() {
        connect();
        for (int i = 0; i < 2 * Conversation.MOST_AT_ONCE; i++) {
            peer.come(new Inbound.Message(PAUSE_0));
        }
        conversation.pump();
        assertThat(peer.sent).hasSize(Conversation.MOST_AT_ONCE);
        conversation.pump();
        assertThat(peer.sent).hasSize(2 * Conversation.MOST_AT_ONCE);
    }

    @Test
    void aCommandIsDoneAndAnsweredWithItsNumbers() {
        connect();
        say(PAUSE_0, PAUSE_9, message(99, 12, new byte[0]));

        assertThat(service.log)
                .containsExactly(
                        "connected",
                        new VcpuCommand.PauseVcpu(0, true).toString(),
                        new VcpuCommand.PauseVcpu(9, true).toString());
        assertThat(peer.sent).containsExactly(answer(7, 10, 0), answer(7, 11, -22), answer(99, 12, -1000));
    }

    @Test
    void aForbiddenCommandIsEPERMWhateverItsBytes() {
        connect();
        service.forbidden.add(CommandKind.PAUSE_VCPU);
        say(PAUSE_0, message(7, 11, new byte[0]));

        assertThat(service.log).containsExactly("connected");
        assertThat(peer.sent).containsExactly(answer(7, 10, -1), answer(7, 11, -1));
    }

    @Test
    void ofABatchOnlyTheLastIsAnswered() {
        connect();
        say(responses(1, 0, 1, 0), PAUSE_0, PAUSE_9, responses(2, 1, 1, 0), PAUSE_0);

        assertThat(service.log).hasSize(4);
        assertThat(peer.sent).containsExactly(answer(27, 2, 0), answer(7, 10, 0));
    }

    @Test
    void aSwitchThatIsNotNowTakesEffectAfterItsOwnAnswer() {
        connect();
        say(responses(1, 0, 0, 0), PAUSE_0, responses(2, 1, 0, 0), PAUSE_0);

        assertThat(peer.sent).containsExactly(answer(27, 1, 0), answer(7, 10, 0));
    }

    @Test
    void suppressedFailuresBecomeEventsIfAsked() {
        connect();
        say(responses(1, 0, 1, 1), PAUSE_0, PAUSE_9);

        byte[] event = of().u16(544)
                .u16(0)
                .u8(12)
                .zeros(539)
                .u32(-22)
                .u32(11)
                .u16(7)
                .zeros(6)
                .array();
        assertThat(peer.sent).containsExactly(message(1, 1, event));
        assertThat(conversation.event(5, new Event.Pause(ON_VCPU_1))).isTrue();
        assertThat(peer.sent.get(1)[4]).isEqualTo((byte) 2);
    }

    @Test
    void theFlagOfErrorsIsForgottenWithTheNextSwitch() {
        connect();
        say(responses(1, 0, 1, 1), responses(2, 0, 1, 0), PAUSE_9);

        assertThat(peer.sent).isEmpty();
        assertThat(conversation.isOpen()).isTrue();
    }

    @Test
    void askingForEventsOfErrorsThatAreNotAllowedEndsTheConnection() {
        connect();
        service.forbiddenEvents.add(EventKind.CMD_ERROR);
        say(responses(1, 0, 1, 1));

        assertThat(peer.disconnected).hasSize(1);
    }

    @Test
    void withoutAnswersAQuestionAnUnknownOrAForbiddenCommandEndsTheConnection() {
        service.forbidden.add(CommandKind.PAUSE_VCPU);
        for (byte[] offence : List.of(message(29, 2, new byte[0]), message(99, 2, new byte[0]), PAUSE_0)) {
            connect();
            assertThat(conversation.isOpen()).isTrue();
            peer.sent.clear();
            peer.disconnected.clear();
            say(responses(1, 0, 1, 1), offence, PAUSE_9);

            assertThat(peer.disconnected).hasSize(1);
            assertThat(conversation.isOpen()).isFalse();
            assertThat(peer.sent).isEmpty();
        }
    }

    @Test
    void aNewToolStartsWithAnswersAndNumbersFromOne() {
        connect();
        conversation.event(1, new Event.Pause(ON_VCPU_1));
        say(responses(1, 0, 1, 0));
        peer.come(new Inbound.Disconnected("gone"));
        connect();
        peer.sent.clear();
        say(PAUSE_0);
        conversation.event(2, new Event.Pause(ON_VCPU_1));

        assertThat(peer.sent.get(0)).isEqualTo(answer(7, 10, 0));
        assertThat(peer.sent.get(1)[4]).isEqualTo((byte) 1);
        assertThat(service.log).contains("disconnected gone");
    }

    @Test
    void aReplyFindsItsEvent() {
        connect();
        assertThat(conversation.event(70, new Event.Cr(ON_VCPU_1, 3, 1, 2))).isTrue();
        assertThat(conversation.event(71, new Event.Unhook())).isTrue();
        assertThat(conversation.event(72, new Event.Pause(ON_VCPU_1))).isTrue();
        say(message(0, 3, vcpu(1).u8(1).u8(10).zeros(6).array()));
        say(message(0, 1, vcpu(1).u8(0).u8(1).zeros(6).u64(0x5000).array()));

        assertThat(service.log)
                .containsExactly(
                        "connected",
                        "72 " + EventReply.of(Action.RETRY),
                        "70 " + new EventReply.NewValue(Action.CONTINUE, 0x5000));
    }

    @Test
    void aReplyToNothingOrTwiceEndsTheConnection() {
        byte[] reply = message(0, 1, vcpu(1).u8(0).u8(10).zeros(6).array());
        connect();
        say(reply);
        assertThat(peer.disconnected).hasSize(1);
        connect();
        conversation.event(5, new Event.Pause(ON_VCPU_1));
        say(reply);
        assertThat(peer.disconnected).hasSize(1);
        say(reply);
        assertThat(peer.disconnected).hasSize(2);
        connect();
        conversation.event(5, new Event.Unhook());
        say(message(0, 1, vcpu(0).u8(0).u8(0).zeros(6).array()));
        assertThat(peer.disconnected).hasSize(3);
    }

    @Test
    void withoutAToolOrANumberForItAnEventIsNotTold() {
        assertThat(conversation.event(1, new Event.Pause(ON_VCPU_1))).isFalse();
        Conversation old = new Conversation(new V4Codec(), peer, service);
        peer.come(new Inbound.Connected());
        old.pump();
        assertThat(old.event(1, new Event.Singlestep(ON_VCPU_1, false))).isFalse();
        assertThat(old.event(1, new Event.Pause(ON_VCPU_1))).isTrue();
        assertThat(peer.sent).hasSize(1);
    }

    @Test
    void aRecordedConversationIsReplayedToTheByte() {
        Random random = new Random(4);
        ByteArrayOutputStream log = new ByteArrayOutputStream();
        ScriptedPeer live = new ScriptedPeer();
        RecordingService first = new RecordingService();
        InputRecording recording = new InputRecording(live, log);
        Conversation recorded = new Conversation(new BranchV7Codec(), recording, first);
        live.come(new Inbound.Connected());
        for (int step = 0; step < 300; step++) {
            switch (random.nextInt(6)) {
                case 0 -> live.come(new Inbound.Message(PAUSE_0));
                case 1 -> live.come(new Inbound.Message(PAUSE_9));
                case 2 -> live.come(new Inbound.Disconnected("gone " + step));
                case 3 -> live.come(new Inbound.Connected());
                default -> {
                    // Nothing comes in this step.
                }
            }
            run(recorded, first, step);
        }
        recorded.close();

        ScriptedPeer again = new ScriptedPeer();
        RecordingService second = new RecordingService();
        ReplayedPeer replay = new ReplayedPeer(new ByteArrayInputStream(log.toByteArray()), again.sent::add);
        Conversation replayed = new Conversation(new BranchV7Codec(), replay, second);
        for (int step = 0; step < 300; step++) {
            run(replayed, second, step);
        }
        assertThat(replay.isOver()).isTrue();
        replayed.close();
        assertThat(second.log).isEqualTo(first.log);
        assertThat(again.sent).usingElementComparator(Arrays::compare).isEqualTo(live.sent);
    }

    private static void run(Conversation conversation, RecordingService service, int step) {
        service.log.add("step " + step);
        if (step % 3 == 0) {
            conversation.pumpOne(0);
        } else {
            conversation.pump();
        }
        conversation.event(step, new Event.Hypercall(ON_VCPU_1));
    }

    @Test
    void closingClosesThePeer() {
        connect();
        conversation.close();

        assertThat(peer.closed).isTrue();
        assertThat(conversation.isOpen()).isFalse();
    }
}
