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
import org.vmxsim.kvmi.message.Command;
import org.vmxsim.kvmi.message.CommandKind;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.message.VmCommand;

class V4CodecTest {
    private final Codec repaired = new V4Codec();
    private final Codec posted = new V4Codec(V4Quirk.all());

    @Test
    void theObservedMessagesOfTheOldLibraryAreRead() {
        assertThat(repaired.decode(hex("0100 0000 01000000")))
                .isEqualTo(new Decoded.Request(1, 1, new VmCommand.GetVersion()));
        assertThat(repaired.decode(hex("1100 0800 02000000 0000 0000 56040000")))
                .isEqualTo(new Decoded.Request(
                        17,
                        2,
                        new VcpuCommand.SetEventMask(
                                0,
                                Set.of(
                                        EventKind.CR,
                                        EventKind.MSR,
                                        EventKind.BREAKPOINT,
                                        EventKind.PAGE_FAULT,
                                        EventKind.PAUSE_VCPU))));
    }

    @Test
    void theVersionShowsWhatIsAllowedUnlessAsPosted() {
        Answer all = new Answer.Version(
                EnumSet.allOf(CommandKind.class), EnumSet.allOf(EventKind.class), Set.of(Answer.Feature.SPP));
        // Bits 0-2, 5, 6, 9-14, 16-18, 24, 25: the number less one.
        assertThat(repaired.encodeAnswer(1, 1, all))
                .isEqualTo(hex("0100 1800 01000000 00000000 00000000 01000000 677e0703 fe070000 00000000"));
        assertThat(posted.encodeAnswer(1, 1, all))
                .isEqualTo(hex("0100 1800 01000000 00000000 00000000 01000000 00000000 00000000 00000000"));
        Answer some = new Answer.Version(Set.of(CommandKind.GET_VERSION), Set.of(EventKind.CPUID), Set.of());
        assertThat(repaired.encodeAnswer(1, 1, some))
                .isEqualTo(hex("0100 1800 01000000 00000000 00000000 01000000 01000000 00000000 00000000"));
    }

    @Test
    void theGuestHasVcpusAndASpeed() {
        assertThat(repaired.encodeAnswer(3, 1, new Answer.GuestInfo(2, 0x1122334455L)))
                .isEqualTo(hex("0300 1800 01000000 00000000 00000000 0200 000000000000 5544332211000000"));
        assertThat(repaired.decode(message(3, 1, of().u16(1).zeros(6).array())))
                .isEqualTo(new Decoded.Refused(3, 1, KvmiError.EINVAL));
    }

    @Test
    void theNumbersWithoutACommandAreENOSYSOrEndTheConnection() {
        for (int id = 0; id < 70; id++) {
            if (id != 24 && !V4Samples.COMMANDS.contains(id)) {
                assertThat(repaired.decode(message(id, 9, new byte[3])))
                        .isEqualTo(new Decoded.Refused(id, 9, KvmiError.ENOSYS));
                assertThat(posted.decode(message(id, 9, new byte[3]))).isInstanceOf(Decoded.Broken.class);
            }
        }
        assertThat(repaired.commands()).hasSize(16);
        assertThat(repaired.maxPayloadBytes()).isEqualTo(65535);
    }

    @Test
    void paddingIsEINVALOrOverlooked() {
        Random random = new Random(1);
        for (int id : V4Samples.COMMANDS) {
            Sample sample = V4Samples.command(id, random);
            for (int at : sample.payload().padding()) {
                byte[] message = sample.message(9);
                message[8 + at] = 1;
                assertThat(repaired.decode(message))
                        .as("command %d, byte %d", id, at)
                        .isEqualTo(new Decoded.Refused(id, 9, KvmiError.EINVAL));
                assertThat(posted.decode(message))
                        .usingRecursiveComparison()
                        .isEqualTo(new Decoded.Request(id, 9, (Command) sample.meaning()));
            }
        }
    }

    @Test
    void anyWrongSizeEndsTheConnection() {
        Random random = new Random(2);
        for (int id : V4Samples.COMMANDS) {
            byte[] payload = V4Samples.command(id, random).payload().array();
            assertThat(repaired.decode(message(id, 9, Arrays.copyOf(payload, payload.length + 1))))
                    .as("command %d", id)
                    .isInstanceOf(Decoded.Broken.class);
            if (payload.length > 0) {
                assertThat(repaired.decode(message(id, 9, Arrays.copyOf(payload, 7))))
                        .as("command %d", id)
                        .isInstanceOf(Decoded.Broken.class);
            }
        }
    }

    @Test
    void anArrayLeftOutEndsTheConnectionOrIsZeros() {
        byte[] registers = message(6, 1, of().u16(3).u16(2).zeros(4).array());
        byte[] rights = message(10, 1, of().u16(3).u16(2).u16(0).zeros(2).array());
        byte[] access = message(11, 1, of().u16(3).u16(65535).u16(0).zeros(2).array());
        byte[] write = message(14, 1, of().u64(0x1ffe).u64(2).array());
        for (byte[] message : List.of(registers, rights, access, write)) {
            assertThat(repaired.decode(message)).isInstanceOf(Decoded.Broken.class);
        }
        assertThat(posted.decode(registers))
                .usingRecursiveComparison()
                .isEqualTo(new Decoded.Request(6, 1, new VcpuCommand.GetRegisters(3, new int[2])));
        assertThat(posted.decode(rights))
                .usingRecursiveComparison()
                .isEqualTo(new Decoded.Request(10, 1, new VmCommand.GetPageAccess(3, 0, new long[2])));
        assertThat(((VmCommand.SetPageAccess) ((Decoded.Request) posted.decode(access)).command()).pages())
                .hasSize(65535)
                .containsOnly(new VmCommand.PageAccess(0, 0));
        assertThat(posted.decode(write))
                .usingRecursiveComparison()
                .isEqualTo(new Decoded.Request(14, 1, new VmCommand.WritePhysical(0x1ffe, new byte[2])));
    }

    @Test
    void aReadOfNothingOrAcrossPagesIsTheServicesErrorOrEndsTheConnection() {
        for (long[] range : new long[][] {{0x1000, 0}, {0x1fff, 2}, {0x1001, 4096}, {0x1000, -1}, {0x1000, 4097}}) {
            byte[] message = message(13, 1, of().u64(range[0]).u64(range[1]).array());
            assertThat(repaired.decode(message))
                    .isEqualTo(new Decoded.Request(13, 1, new VmCommand.ReadPhysical(range[0], range[1])));
            assertThat(posted.decode(message)).isInstanceOf(Decoded.Broken.class);
        }
        byte[] whole = message(13, 1, of().u64(0x1000).u64(4096).array());
        assertThat(posted.decode(whole)).isInstanceOf(Decoded.Request.class);
        byte[] empty = message(14, 1, of().u64(0x1000).u64(0).array());
        assertThat(repaired.decode(empty)).isInstanceOf(Decoded.Request.class);
        assertThat(posted.decode(empty)).isInstanceOf(Decoded.Broken.class);
    }

    @Test
    void anEventMaskWithAForeignBitIsEINVAL() {
        for (int bit = 0; bit < 32; bit++) {
            Decoded decoded =
                    repaired.decode(message(17, 1, of().zeros(4).u32(1 << bit).array()));
            if (bit >= 1 && bit <= 10) {
                assertThat(decoded).isInstanceOf(Decoded.Request.class);
            } else {
                assertThat(decoded).as("bit %d", bit).isEqualTo(new Decoded.Refused(17, 1, KvmiError.EINVAL));
            }
        }
    }

    @Test
    void aReplyHasExactlyTheSizeOfItsEvent() {
        byte[] plain = of().u32(2).u32(0).array();
        assertThat(repaired.decodeReply(reply(plain), EventKind.PAUSE_VCPU, 3)).isEqualTo(EventReply.of(Action.RETRY));
        assertThat(repaired.decodeReply(reply(plain), EventKind.CR, 3)).isNull();
        assertThat(repaired.decodeReply(reply(of().u32(1).u32(0).u64(1).u8(0).array()), EventKind.CR, 3))
                .isNull();
        assertThat(repaired.decodeReply(reply(of().u32(3).u32(0).array()), EventKind.TRAP, 3))
                .isNull();
        assertThat(repaired.decodeReply(reply(of().u32(0).u32(0).array()), EventKind.TRAP, 3))
                .isNull();
        byte[] padded = of().u32(4).u32(1).array();
        assertThat(repaired.decodeReply(reply(padded), EventKind.TRAP, 3)).isNull();
        assertThat(posted.decodeReply(reply(padded), EventKind.TRAP, 3)).isEqualTo(EventReply.of(Action.CRASH));
    }

    @Test
    void aContextLongerThanItsFieldIsOverlooked() {
        byte[] reply = of().u32(1).u32(0).u32(0).u32(257).zeros(256).array();
        assertThat(repaired.decodeReply(reply(reply), EventKind.PAGE_FAULT, 0))
                .usingRecursiveComparison()
                .isEqualTo(new EventReply.AfterFault(Action.CONTINUE));
    }

    private static Decoded.Reply reply(byte[] payload) {
        return new Decoded.Reply(1, message(24, 1, payload));
    }

    @Test
    void anAnswerThatDoesNotFitIsENOMEM() {
        assertThat(repaired.encodeAnswer(10, 1, new Answer.PageRights(new byte[65527])))
                .hasSize(8 + 65535);
        assertThat(repaired.encodeAnswer(10, 1, new Answer.PageRights(new byte[65528])))
                .isEqualTo(hex("0a00 0800 01000000 f4ffffff 00000000"));
    }

    @Test
    void anEventThatCameLaterIsTheCallersMistake() {
        assertThatThrownBy(() -> repaired.encodeEvent(1, new Event.Unhook()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("UNHOOK");
    }
}
