package org.vmxsim.kvmi.wire.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vmxsim.kvmi.wire.Bytes.message;
import static org.vmxsim.kvmi.wire.Bytes.of;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.message.VmCommand;
import org.vmxsim.kvmi.wire.Bytes;

/** Both codecs against the tables typed in {@link BranchV7Samples} and {@link V4Samples}, and against nonsense. */
class CodecProperties {
    private final Codec branch = new BranchV7Codec();
    private final Codec repaired = new V4Codec();
    private final Codec posted = new V4Codec(V4Quirk.all());

    @Property(tries = 40)
    void everyCommandIsRead(@ForAll long seed) {
        Random r = new Random(seed);
        for (int id : BranchV7Samples.COMMANDS) {
            Sample sample = BranchV7Samples.command(id, r);
            assertRead(branch, sample, r.nextInt());
        }
        for (int id : V4Samples.COMMANDS) {
            Sample sample = V4Samples.command(id, r);
            int sequence = r.nextInt();
            assertRead(repaired, sample, sequence);
            assertRead(posted, sample, sequence);
        }
    }

    private static void assertRead(Codec codec, Sample sample, int sequence) {
        Decoded decoded = codec.decode(sample.message(sequence));
        assertThat(decoded).isInstanceOf(Decoded.Request.class);
        Decoded.Request request = (Decoded.Request) decoded;
        assertThat(request.id()).isEqualTo(sample.id());
        assertThat(request.sequence()).isEqualTo(sequence);
        assertThat(request.command()).usingRecursiveComparison().isEqualTo(sample.meaning());
        assertThat(request.command().kind()).isEqualTo(codec.kindOf(sample.id()));
    }

    @Property(tries = 40)
    void everyEventIsWritten(@ForAll long seed) {
        Random r = new Random(seed);
        for (int number = 0; number < 14; number++) {
            Sample sample = BranchV7Samples.event(number, r);
            assertThat(branch.encodeEvent(7, (Event) sample.meaning()))
                    .as("event %d", number)
                    .isEqualTo(sample.message(7));
        }
        for (int bit : V4Samples.EVENT_BITS) {
            Sample sample = V4Samples.event(bit, r);
            assertThat(repaired.encodeEvent(7, (Event) sample.meaning()))
                    .as("event 0x%x", bit)
                    .isEqualTo(sample.message(7));
        }
    }

    @Property(tries = 40)
    void everyReplyIsRead(@ForAll long seed) {
        Random r = new Random(seed);
        for (int number = 0; number < 14; number++) {
            EventKind kind = ((Event) BranchV7Samples.event(number, r).meaning()).kind();
            int vcpu = r.nextInt(65536);
            Sample sample = BranchV7Samples.reply(number, vcpu, r);
            assertThat(replied(branch, sample, kind, vcpu))
                    .usingRecursiveComparison()
                    .isEqualTo(sample.meaning());
        }
        for (int bit : V4Samples.EVENT_BITS) {
            Sample sample = V4Samples.reply(bit, r);
            assertThat(replied(repaired, sample, V4Samples.kind(bit), 0))
                    .usingRecursiveComparison()
                    .isEqualTo(sample.meaning());
        }
    }

    private static EventReply replied(Codec codec, Sample sample, EventKind kind, int vcpu) {
        return codec.decodeReply((Decoded.Reply) codec.decode(sample.message(5)), kind, vcpu);
    }

    @Property(tries = 40)
    void everyAnswerIsWritten(@ForAll long seed) {
        Random r = new Random(seed);
        for (Sample sample : answers(r)) {
            for (Codec codec : List.of(branch, repaired)) {
                assertThat(codec.encodeAnswer(sample.id(), 3, (Answer) sample.meaning()))
                        .isEqualTo(sample.message(3));
            }
        }
        int vcpus = r.nextInt(256);
        assertThat(branch.encodeAnswer(5, 3, new Answer.GuestInfo(vcpus, 9)))
                .isEqualTo(message(5, 3, of().zeros(8).u32(vcpus).zeros(12).array()));
        assertThat(branch.encodeAnswer(2, 3, new Answer.Version(Set.of(), Set.of(), Set.of())))
                .isEqualTo(message(2, 3, of().zeros(8).u32(1).zeros(12).array()));
    }

    private static List<Sample> answers(Random r) {
        long q = r.nextLong();
        long q2 = r.nextLong();
        int d = r.nextInt();
        int d2 = r.nextInt();
        int w = r.nextInt(65536);
        byte[] some = Sample.bytes(r, 4096);
        byte[] token = new byte[32];
        r.nextBytes(token);
        List<Sample> answers = new ArrayList<>();
        answers.add(new Sample(21, ok(), Answer.DONE));
        answers.add(new Sample(6, ok().u64(q), new Answer.VcpuInfo(q)));
        answers.add(registers(r));
        answers.add(new Sample(15, ok().u32(d).u32(d2).u32(w).u32(1), new Answer.CpuidLeaf(d, d2, w, 1)));
        answers.add(new Sample(16, ok().raw(some).zeros(4096 - some.length), new Answer.Xsave(some)));
        answers.add(new Sample(17, ok().raw(some), new Answer.Memory(some)));
        answers.add(new Sample(10, ok().raw(token), new Answer.PageRights(token)));
        answers.add(new Sample(22, ok().raw(token), new Answer.MapToken(token)));
        answers.add(new Sample(23, ok().u8(6).zeros(7), new Answer.MtrrType(6)));
        answers.add(new Sample(29, ok().u64(q), new Answer.Gfn(q)));
        answers.add(new Sample(34, ok().u16(w).zeros(6), new Answer.View(w)));
        answers.add(new Sample(35, ok().u64(-1), new Answer.Translation(Answer.Translation.UNMAPPED)));
        answers.add(new Sample(37, ok().u64(q), new Answer.Xcr(q)));
        answers.add(new Sample(39, ok().u64(q).u64(q2), new Answer.Slot(q, q2)));
        return answers;
    }

    private static Bytes ok() {
        return of().u32(0).u32(0);
    }

    private static Sample registers(Random r) {
        var general = Sample.general(r);
        var system = Sample.system(r);
        List<Answer.Msr> msrs = Sample.some(r, () -> new Answer.Msr(r.nextInt(), r.nextLong()));
        Bytes bytes = Sample.put(Sample.put(ok().u32(8).u32(0), general), system);
        bytes.u32(msrs.size()).u32(0);
        msrs.forEach(msr -> bytes.u32(msr.index()).u32(0).u64(msr.value()));
        return new Sample(13, bytes, new Answer.Registers(8, general, system, msrs));
    }

    @Property(tries = 200)
    void nonsenseIsRefusedByAValue(@ForAll long seed) {
        Random r = new Random(seed);
        for (int i = 0; i < 50; i++) {
            byte[] nonsense = r.nextBoolean() ? noise(r) : damaged(r);
            for (Codec codec : List.of(branch, repaired, posted)) {
                assertBounded(codec.decode(nonsense), nonsense.length);
                for (EventKind kind : codec.events()) {
                    codec.decodeReply(new Decoded.Reply(1, nonsense), kind, 0);
                }
            }
        }
    }

    @Test
    @EnabledIfSystemProperty(named = "vmxsim.long", matches = "true")
    void aMillionNonsensesAreRefusedByAValue() {
        for (int i = 0; i < 1_000_000 / 50; i++) {
            nonsenseIsRefusedByAValue(i);
        }
    }

    private static byte[] noise(Random r) {
        return message(r.nextInt(70), r.nextInt(), Sample.bytes(r, 300));
    }

    private static byte[] damaged(Random r) {
        Sample sample = r.nextBoolean()
                ? BranchV7Samples.command(pick(BranchV7Samples.COMMANDS, r), r)
                : V4Samples.command(pick(V4Samples.COMMANDS, r), r);
        byte[] payload = sample.payload().array();
        if (payload.length > 0) {
            payload = Arrays.copyOf(payload, r.nextInt(payload.length + 9));
        }
        for (int flips = r.nextInt(4); flips > 0 && payload.length > 0; flips--) {
            payload[r.nextInt(payload.length)] ^= (byte) (1 << r.nextInt(8));
        }
        return message(r.nextInt(20) == 0 ? r.nextInt(65536) : sample.id(), 1, payload);
    }

    private static int pick(List<Integer> from, Random r) {
        return from.get(r.nextInt(from.size()));
    }

    /** No message makes more than its own size, but for the arrays that the posted code lets be left out. */
    private static void assertBounded(Decoded decoded, int size) {
        if (decoded instanceof Decoded.Request request && request.command() instanceof VmCommand.SetPageAccess set) {
            assertThat(set.pages().size()).isLessThanOrEqualTo(size == 16 ? 65535 : size / 16);
        }
    }
}
