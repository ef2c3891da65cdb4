package org.vmxsim.kvmi.wire.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vmxsim.kvmi.wire.Bytes.hex;
import static org.vmxsim.kvmi.wire.Bytes.message;
import static org.vmxsim.kvmi.wire.Bytes.of;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.vmxsim.kvmi.message.Action;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.CommandKind;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventContext;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.message.VmCommand;

class BranchV7CodecTest {
    private final Codec codec = new BranchV7Codec();

    @Test
    void theFirstExchangeOfLibkvmiIsAsObserved() {
        byte[] asked = hex("0200 0000 01000000");

        assertThat(codec.decode(asked)).isEqualTo(new Decoded.Request(2, 1, new VmCommand.GetVersion()));
        Answer answer = new Answer.Version(Set.of(), Set.of(), Set.of(Answer.Feature.SPP, Answer.Feature.VE));
        assertThat(codec.encodeAnswer(2, 1, answer))
                .isEqualTo(hex("0200 1800 01000000 00000000 00000000 01000000 00000000 01000001 00000000"));
    }

    @Test
    void theFeaturesStandInTheOrderOfTheHeader() {
        assertThat(features(Answer.Feature.SPP)).isEqualTo(hex("01 00 00 00 00 00 00 00"));
        assertThat(features(Answer.Feature.VMFUNC)).isEqualTo(hex("00 01 00 00 00 00 00 00"));
        assertThat(features(Answer.Feature.EPTP)).isEqualTo(hex("00 00 01 00 00 00 00 00"));
        assertThat(features(Answer.Feature.VE)).isEqualTo(hex("00 00 00 01 00 00 00 00"));
        assertThat(features(Answer.Feature.SINGLESTEP)).isEqualTo(hex("00 00 00 00 01 00 00 00"));
    }

    private byte[] features(Answer.Feature feature) {
        byte[] whole = codec.encodeAnswer(2, 1, new Answer.Version(Set.of(), Set.of(), Set.of(feature)));
        return Arrays.copyOfRange(whole, 24, 32);
    }

    @Test
    void aPauseAndItsFrameAreAsHookguestWritesThem() {
        assertThat(codec.decode(hex("1b00 0800 03000000 0001000000000000")))
                .isEqualTo(new Decoded.Request(27, 3, new VmCommand.ControlCmdResponse(false, true, false)));
        assertThat(codec.decode(hex("0700 1000 04000000 0100000000000000 0100000000000000")))
                .isEqualTo(new Decoded.Request(7, 4, new VcpuCommand.PauseVcpu(1, true)));
        assertThat(codec.decode(hex("1500 1800 05000000 0000 0100 00000000 0030000000000000 05 00000000000000")))
                .isEqualTo(new Decoded.Request(
                        21, 5, new VmCommand.SetPageAccess(0, List.of(new VmCommand.PageAccess(0x3000, 5)))));
    }

    @Test
    void anErrorIsItsNegativeNumberAndNothingElse() {
        assertThat(codec.encodeAnswer(0x1234, 0x01020304, new Answer.Failed(KvmiError.ENOSYS)))
                .isEqualTo(hex("3412 0800 04030201 18fcffff 00000000"));
        assertThat(codec.encodeAnswer(21, 7, new Answer.Failed(KvmiError.EINVAL)))
                .isEqualTo(hex("1500 0800 07000000 eaffffff 00000000"));
        assertThat(codec.encodeAnswer(21, 7, Answer.DONE)).isEqualTo(hex("1500 0800 07000000 00000000 00000000"));
    }

    @Test
    void everyErrorHasLinuxsNumberButENOSYS() {
        assertThat(Arrays.stream(KvmiError.values()).map(KvmiError::number))
                .containsExactly(1, 2, 7, 11, 12, 14, 16, 22, 95, 114, 1000);
    }

    @Test
    void theNumbersWithoutACommandAreENOSYS() {
        for (int id = 1; id < 70; id++) {
            boolean known = BranchV7Samples.COMMANDS.contains(id);
            assertThat(codec.kindOf(id) != null).as("command %d", id).isEqualTo(known);
            if (!known) {
                assertThat(codec.decode(message(id, 9, new byte[3])))
                        .isEqualTo(new Decoded.Refused(id, 9, KvmiError.ENOSYS));
            }
        }
        assertThat(codec.decode(message(65535, 9, new byte[0])))
                .isEqualTo(new Decoded.Refused(65535, 9, KvmiError.ENOSYS));
    }

    @Test
    void theFormatHasAllCommandsButThatOfTheFirstOne() {
        assertThat(codec.commands()).isEqualTo(EnumSet.complementOf(EnumSet.of(CommandKind.GET_PAGE_ACCESS)));
        assertThat(codec.events()).isEqualTo(EnumSet.allOf(EventKind.class));
        assertThat(codec.maxPayloadBytes()).isEqualTo(8184);
    }

    @Test
    void paddingIsEINVALAndInTheVcpuHeaderItEndsTheConnection() {
        Random random = new Random(1);
        for (int id : BranchV7Samples.COMMANDS) {
            Sample sample = BranchV7Samples.command(id, random);
            for (int at : sample.payload().padding()) {
                assertThat(codec.decode(spoilt(sample, at)))
                        .as("command %d, byte %d", id, at)
                        .isEqualTo(new Decoded.Refused(id, 9, KvmiError.EINVAL));
            }
            for (int at : sample.payload().closingPadding()) {
                assertThat(codec.decode(spoilt(sample, at)))
                        .as("command %d, byte %d", id, at)
                        .isInstanceOf(Decoded.Broken.class);
            }
        }
    }

    private static byte[] spoilt(Sample sample, int at) {
        byte[] message = sample.message(9);
        message[8 + at] = 1;
        return message;
    }

    @Test
    void aStructureOfTheWrongSizeEndsTheConnectionAndAnArrayOfTheWrongSizeIsEINVAL() {
        Random random = new Random(2);
        for (int id : BranchV7Samples.COMMANDS) {
            byte[] payload = BranchV7Samples.command(id, random).payload().array();
            Decoded longer = codec.decode(message(id, 9, Arrays.copyOf(payload, payload.length + 1)));
            if (List.of(13, 21, 26).contains(id)) {
                assertThat(longer).as("command %d", id).isEqualTo(new Decoded.Refused(id, 9, KvmiError.EINVAL));
            } else if (id == 38) {
                assertThat(longer).isInstanceOf(Decoded.Request.class);
            } else {
                assertThat(longer).as("command %d", id).isInstanceOf(Decoded.Broken.class);
            }
            if (payload.length > 0) {
                assertThat(codec.decode(message(id, 9, Arrays.copyOf(payload, 7))))
                        .as("command %d", id)
                        .isInstanceOf(Decoded.Broken.class);
            }
        }
    }

    @Test
    void aWriteWithFewerBytesThanItSaysEndsTheConnection() {
        byte[] payload = of().u64(0x1000).u64(5).zeros(4).array();

        assertThat(codec.decode(message(18, 1, payload))).isInstanceOf(Decoded.Broken.class);
        payload = of().u64(0x1000).u64(-1).zeros(4).array();
        assertThat(codec.decode(message(18, 1, payload))).isInstanceOf(Decoded.Broken.class);
    }

    @Test
    void aCommandOrEventWithoutANameIsEINVAL() {
        KvmiError e = KvmiError.EINVAL;
        assertThat(codec.decode(message(3, 1, of().u16(12).zeros(6).array()))).isEqualTo(new Decoded.Refused(3, 1, e));
        assertThat(codec.decode(message(3, 1, of().u16(0).zeros(6).array()))).isEqualTo(new Decoded.Refused(3, 1, e));
        assertThat(codec.decode(message(4, 1, of().u16(14).zeros(6).array()))).isEqualTo(new Decoded.Refused(4, 1, e));
        assertThat(codec.decode(message(8, 1, of().u16(65535).zeros(6).array())))
                .isEqualTo(new Decoded.Refused(8, 1, e));
        assertThat(codec.decode(message(9, 1, of().zeros(8).u16(14).zeros(6).array())))
                .isEqualTo(new Decoded.Refused(9, 1, e));
        assertThat(codec.decode(message(30, 1, of().u16(0).u8(2).zeros(5).u64(0).array())))
                .isEqualTo(new Decoded.Refused(30, 1, e));
    }

    @Test
    void anAnswerThatDoesNotFitIsENOMEM() {
        Answer.Memory fits = new Answer.Memory(new byte[8176]);
        assertThat(codec.encodeAnswer(17, 1, fits)).hasSize(8192);
        assertThat(codec.encodeAnswer(17, 1, new Answer.Memory(new byte[8177])))
                .isEqualTo(hex("1100 0800 01000000 f4ffffff 00000000"));
    }

    @Test
    void aReplyMustFitItsEvent() {
        byte[] fitting = of().u16(1).zeros(6).u8(1).u8(4).zeros(6).array();
        assertThat(codec.decodeReply(reply(fitting), EventKind.BREAKPOINT, 1)).isEqualTo(EventReply.of(Action.RETRY));
        assertThat(codec.decodeReply(reply(fitting), EventKind.BREAKPOINT, 2)).isNull();
        assertThat(codec.decodeReply(reply(fitting), EventKind.HYPERCALL, 1)).isNull();
        for (int at = 0; at < 16; at++) {
            byte[] spoilt = fitting.clone();
            spoilt[at] = (byte) 0x80;
            assertThat(codec.decodeReply(reply(spoilt), EventKind.BREAKPOINT, 1))
                    .as("byte %d", at)
                    .isNull();
        }
        byte[] noAction = fitting.clone();
        noAction[8] = 3;
        assertThat(codec.decodeReply(reply(noAction), EventKind.BREAKPOINT, 1)).isNull();
        byte[] shorter = Arrays.copyOf(fitting, 15);
        assertThat(codec.decodeReply(reply(shorter), EventKind.BREAKPOINT, 1)).isNull();
        byte[] longer = Arrays.copyOf(fitting, 17);
        assertThat(codec.decodeReply(reply(longer), EventKind.BREAKPOINT, 1)).isNull();
    }

    @Test
    void whatAReplyLeavesOutIsZero() {
        byte[] onCr = of().zeros(8).u8(0).u8(1).zeros(6).u32(0x12345678).array();
        assertThat(codec.decodeReply(reply(onCr), EventKind.CR, 0))
                .isEqualTo(new EventReply.NewValue(Action.CONTINUE, 0x12345678));
        byte[] onFault = of().zeros(8).u8(1).u8(6).zeros(6).u64(5).u32(3).array();
        assertThat(codec.decodeReply(reply(onFault), EventKind.PAGE_FAULT, 0))
                .usingRecursiveComparison()
                .isEqualTo(new EventReply.AfterFault(Action.RETRY, false, false, false, 5, new byte[3]));
    }

    @Test
    void aContextLongerThanItsFieldOrPaddingAfterAFaultEndsTheConnection() {
        byte[] tooLong =
                of().zeros(8).u8(0).u8(6).zeros(6).u64(0).u32(257).zeros(260).array();
        assertThat(codec.decodeReply(reply(tooLong), EventKind.PAGE_FAULT, 0)).isNull();
        byte[] negative =
                of().zeros(8).u8(0).u8(6).zeros(6).u64(0).u32(-1).zeros(260).array();
        assertThat(codec.decodeReply(reply(negative), EventKind.PAGE_FAULT, 0)).isNull();
        byte[] padded = of().zeros(8)
                .u8(0)
                .u8(6)
                .zeros(6)
                .u64(0)
                .u32(0)
                .u16(0)
                .u16(1)
                .zeros(256)
                .array();
        assertThat(codec.decodeReply(reply(padded), EventKind.PAGE_FAULT, 0)).isNull();
    }

    private static Decoded.Reply reply(byte[] payload) {
        return new Decoded.Reply(1, message(0, 1, payload));
    }

    @Test
    void theDescriptorTablesHaveTheirNumbers() {
        for (Event.DescriptorTableRegister register : Event.DescriptorTableRegister.values()) {
            byte[] event = codec.encodeEvent(1, new Event.Descriptor(EventContext.NONE, register, true, 0, 0));
            assertThat(event[8 + 544])
                    .isEqualTo((byte) List.of("", "IDTR", "GDTR", "LDTR", "TR").indexOf(register.name()));
        }
    }

    @Test
    void aMessageMustBeAsLongAsItSays() {
        assertThatThrownBy(() -> codec.decode(hex("0200 0100 01000000"))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> codec.decode(new byte[7])).isInstanceOf(IllegalArgumentException.class);
    }
}
