package org.vmxsim.kvmi.wire.codec;

import java.nio.ByteBuffer;
import java.util.EnumSet;
import java.util.Set;
import org.vmxsim.kvmi.message.Action;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.Command;
import org.vmxsim.kvmi.message.CommandKind;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.message.KvmiError;

/**
 * The format of the branch kvmi-v7, which libkvmi, LibVMI and kvmi-rs speak. Source: the header {@code kvmi.h} of the
 * branch; where the branch's kvmi.rst orders fields otherwise, the header holds.
 *
 * <p>What is wrong with a message: padding other than 0 is EINVAL, in the vCPU header it ends the connection, and so
 * does a structure of the wrong size; an array that is not as long as its count says is EINVAL; a number without a
 * command is ENOSYS.
 */
public final class BranchV7Codec implements Codec {
    private static final int MAX_PAYLOAD_BYTES = 8192 - MessageHeader.BYTES;
    private static final int EVENT_REPLY = 0;
    private static final int VCPU_HEADER_BYTES = 8;
    private static final int REPLY_BYTES = VCPU_HEADER_BYTES + 8;
    private static final int FAULT_REPLY_BYTES = 272;

    private static final CommandTable OF_VM = BranchV7Commands.ofVm();
    private static final CommandTable OF_VCPU = BranchV7Commands.ofVcpu();

    /** The format has no options. */
    public BranchV7Codec() {}

    @Override
    public int maxPayloadBytes() {
        return MAX_PAYLOAD_BYTES;
    }

    @Override
    public Set<CommandKind> commands() {
        Set<CommandKind> kinds = OF_VM.kinds();
        kinds.addAll(OF_VCPU.kinds());
        return kinds;
    }

    @Override
    public Set<EventKind> events() {
        return EnumSet.allOf(EventKind.class);
    }

    @Override
    public CommandKind kindOf(int id) {
        return commandOf(id);
    }

    static CommandKind commandOf(int id) {
        CommandKind kind = OF_VM.kindOf(id);
        return kind == null ? OF_VCPU.kindOf(id) : kind;
    }

    static int numberOf(CommandKind kind) {
        return OF_VM.kinds().contains(kind) ? OF_VM.id(kind) : OF_VCPU.id(kind);
    }

    @Override
    public Decoded decode(byte[] message) {
        MessageHeader.check(message);
        int id = MessageHeader.id(message);
        if (id == EVENT_REPLY) {
            return new Decoded.Reply(MessageHeader.sequence(message), message);
        }
        CommandTable.Row ofVm = OF_VM.row(id);
        if (ofVm != null) {
            return ofVm.read(message, Command.ANY_VCPU, new Payload(message, MessageHeader.BYTES, true));
        }
        CommandTable.Row ofVcpu = OF_VCPU.row(id);
        return ofVcpu == null
                ? new Decoded.Refused(id, MessageHeader.sequence(message), KvmiError.ENOSYS)
                : readOfVcpu(ofVcpu, message);
    }

    private static Decoded readOfVcpu(CommandTable.Row row, byte[] message) {
        Payload header = new Payload(message, MessageHeader.BYTES, true);
        if (header.size() < VCPU_HEADER_BYTES) {
            return new Decoded.Broken(row.kind() + " without a whole vCPU header");
        }
        if (!header.isZero(2, 6)) {
            return new Decoded.Broken(row.kind() + " with padding in the vCPU header");
        }
        return row.read(message, header.u16(0), new Payload(message, MessageHeader.BYTES + VCPU_HEADER_BYTES, true));
    }

    @Override
    public EventReply decodeReply(Decoded.Reply reply, EventKind event, int vcpu) {
        Payload p = new Payload(reply.message(), MessageHeader.BYTES, true);
        int most = REPLY_BYTES + specificBytes(event);
        if (p.size() < REPLY_BYTES || p.size() > most) {
            return null;
        }
        boolean fits = p.u16(0) == vcpu
                && p.isZero(2, 6)
                && p.u8(8) < Action.values().length
                && p.u8(9) == BranchV7Events.numberOf(event)
                && p.isZero(10, 6);
        return fits ? specific(p.extendedTo(most), event) : null;
    }

    private static int specificBytes(EventKind event) {
        return switch (event.replyForm()) {
            case NEW_VALUE -> Long.BYTES;
            case AFTER_FAULT -> FAULT_REPLY_BYTES;
            case PLAIN, NONE -> 0;
        };
    }

    private static EventReply specific(Payload p, EventKind event) {
        Action action = Action.values()[p.u8(8)];
        return switch (event.replyForm()) {
            case NEW_VALUE -> new EventReply.NewValue(action, p.u64(REPLY_BYTES));
            case AFTER_FAULT -> afterFault(p, action);
            case PLAIN, NONE -> EventReply.of(action);
        };
    }

    private static EventReply afterFault(Payload p, Action action) {
        int size = p.u32(REPLY_BYTES + 8);
        if (Integer.compareUnsigned(size, EventReply.AfterFault.MAX_CONTEXT_BYTES) > 0
                || !p.isZero(REPLY_BYTES + 14, 2)) {
            return null;
        }
        boolean singlestep = p.u8(REPLY_BYTES + 12) == 1;
        boolean repComplete = p.u8(REPLY_BYTES + 13) == 1;
        byte[] context = p.bytes(REPLY_BYTES + 16, size);
        return new EventReply.AfterFault(action, false, singlestep, repComplete, p.u64(REPLY_BYTES), context);
    }

    @Override
    public byte[] encodeAnswer(int id, int sequence, Answer answer) {
        return answer instanceof Answer.Failed failed
                ? AnswerLayout.failure(id, sequence, failed.error())
                : AnswerLayout.message(id, sequence, data(answer), MAX_PAYLOAD_BYTES);
    }

    private static byte[] data(Answer answer) {
        if (answer instanceof Answer.Version version) {
            ByteBuffer data = AnswerLayout.zeros(16).putInt(0, 1);
            for (Answer.Feature feature : version.features()) {
                data.put(featureOffset(feature), (byte) 1);
            }
            return data.array();
        } else if (answer instanceof Answer.GuestInfo info) {
            return AnswerLayout.zeros(16).putInt(0, info.vcpuCount()).array();
        }
        return AnswerLayout.data(answer);
    }

    private static int featureOffset(Answer.Feature feature) {
        return switch (feature) {
            case SPP -> 8;
            case VMFUNC -> 9;
            case EPTP -> 10;
            case VE -> 11;
            case SINGLESTEP -> 12;
        };
    }

    @Override
    public byte[] encodeEvent(int sequence, Event event) {
        return BranchV7Events.encode(sequence, event);
    }
}
