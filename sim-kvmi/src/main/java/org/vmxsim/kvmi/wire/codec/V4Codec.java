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
 * The format of the fourth posting, "[RFC PATCH v4 00/18] VM introspection" of 18 December 2017. Source: kvmi.rst and
 * the headers of its first patch; the code of its eighth for what the document leaves open.
 *
 * <p>What is wrong with a message: a structure or an array of the wrong size ends the connection, padding other than 0
 * is EINVAL, a number without a command ENOSYS; each {@link V4Quirk} changes that to what the code does.
 */
public final class V4Codec implements Codec {
    private static final int MAX_PAYLOAD_BYTES = 0xffff;
    private static final int EVENT_REPLY = 24;
    private static final int REPLY_BYTES = 8;
    private static final int FAULT_REPLY_BYTES = 264;

    private final CommandTable commands;
    private final Set<V4Quirk> quirks;
    private final boolean checksPadding;

    /** The format as its document describes it. */
    public V4Codec() {
        this(Set.of());
    }

    /**
     * The format with some of the quirks of its code.
     *
     * @param quirks which; {@link V4Quirk#all()} for the code as posted
     */
    public V4Codec(Set<V4Quirk> quirks) {
        this.quirks = Set.copyOf(quirks);
        this.commands = new V4Commands(quirks).table();
        this.checksPadding = !quirks.contains(V4Quirk.PADDING_IGNORED);
    }

    @Override
    public int maxPayloadBytes() {
        return MAX_PAYLOAD_BYTES;
    }

    @Override
    public Set<CommandKind> commands() {
        return commands.kinds();
    }

    @Override
    public Set<EventKind> events() {
        return V4Events.kinds();
    }

    @Override
    public CommandKind kindOf(int id) {
        return commands.kindOf(id);
    }

    @Override
    public Decoded decode(byte[] message) {
        MessageHeader.check(message);
        int id = MessageHeader.id(message);
        if (id == EVENT_REPLY) {
            return new Decoded.Reply(MessageHeader.sequence(message), message);
        }
        CommandTable.Row row = commands.row(id);
        if (row != null) {
            return row.read(message, Command.ANY_VCPU, new Payload(message, MessageHeader.BYTES, checksPadding));
        }
        return quirks.contains(V4Quirk.UNKNOWN_COMMAND_CLOSES)
                ? new Decoded.Broken("no command has the number " + id)
                : new Decoded.Refused(id, MessageHeader.sequence(message), KvmiError.ENOSYS);
    }

    @Override
    public EventReply decodeReply(Decoded.Reply reply, EventKind event, int vcpu) {
        Payload p = new Payload(reply.message(), MessageHeader.BYTES, checksPadding);
        if (p.size() != REPLY_BYTES + specificBytes(event)) {
            return null;
        }
        p.padding(4, 4);
        Action action = action(p.u32(0));
        if (event == EventKind.PAGE_FAULT) {
            p.padding(REPLY_BYTES + 1, 3);
        }
        return action == null || p.refusal() != null ? null : specific(p, event, action);
    }

    private static Action action(int bits) {
        return switch (bits) {
            case 1 -> Action.CONTINUE;
            case 2 -> Action.RETRY;
            case 4 -> Action.CRASH;
            default -> null;
        };
    }

    private static int specificBytes(EventKind event) {
        return switch (event.replyForm()) {
            case NEW_VALUE -> Long.BYTES;
            case AFTER_FAULT -> FAULT_REPLY_BYTES;
            case PLAIN, NONE -> 0;
        };
    }

    private static EventReply specific(Payload p, EventKind event, Action action) {
        return switch (event.replyForm()) {
            case NEW_VALUE -> new EventReply.NewValue(action, p.u64(REPLY_BYTES));
            case AFTER_FAULT -> afterFault(p, action);
            case PLAIN, NONE -> EventReply.of(action);
        };
    }

    private static EventReply afterFault(Payload p, Action action) {
        int size = p.u32(REPLY_BYTES + 4);
        // The kernel overlooks a context that is longer than its field.
        boolean fits = Integer.compareUnsigned(size, EventReply.AfterFault.MAX_CONTEXT_BYTES) <= 0;
        byte[] context = p.bytes(REPLY_BYTES + 8, fits ? size : 0);
        return new EventReply.AfterFault(action, p.flag(REPLY_BYTES), false, false, 0, context);
    }

    @Override
    public byte[] encodeAnswer(int id, int sequence, Answer answer) {
        return answer instanceof Answer.Failed failed
                ? AnswerLayout.failure(id, sequence, failed.error())
                : AnswerLayout.message(id, sequence, data(answer), MAX_PAYLOAD_BYTES);
    }

    private byte[] data(Answer answer) {
        if (answer instanceof Answer.Version version) {
            ByteBuffer data = AnswerLayout.zeros(16).putInt(0, 1);
            if (!quirks.contains(V4Quirk.VERSION_HIDES_MASKS)) {
                data.putInt(4, commandMask(version.commands())).putInt(8, eventMask(version.events()));
            }
            return data.array();
        } else if (answer instanceof Answer.GuestInfo info) {
            ByteBuffer data = AnswerLayout.zeros(16).putShort(0, (short) info.vcpuCount());
            return data.putLong(8, info.tscHz()).array();
        }
        return AnswerLayout.data(answer);
    }

    /** Bit n - 1 stands for the command with the number n; commands that the format lacks have no bit. */
    private int commandMask(Set<CommandKind> allowed) {
        Set<CommandKind> kinds = EnumSet.copyOf(commands.kinds());
        kinds.retainAll(allowed);
        int mask = 0;
        for (CommandKind kind : kinds) {
            mask |= 1 << commands.id(kind) - 1;
        }
        return mask;
    }

    private static int eventMask(Set<EventKind> allowed) {
        int mask = 0;
        for (EventKind kind : allowed) {
            mask |= V4Events.bitOf(kind);
        }
        return mask;
    }

    @Override
    public byte[] encodeEvent(int sequence, Event event) {
        return V4Events.encode(sequence, event);
    }
}
