package org.vmxsim.kvmi.wire.codec;

import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import org.vmxsim.kvmi.message.Command;
import org.vmxsim.kvmi.message.CommandKind;

/** The commands of a format: for each number the size of its structure and how to read it. */
final class CommandTable {
    private final Row[] rows;
    private final Map<CommandKind, Integer> ids = new EnumMap<>(CommandKind.class);

    CommandTable(int mostIds) {
        rows = new Row[mostIds];
    }

    /** A command whose structure has one size. */
    CommandTable fixed(int id, CommandKind kind, int bytes, Reader reader) {
        return add(id, new Row(kind, bytes, bytes, reader));
    }

    /** A command whose structure is followed by an array, or comes in more than one size. */
    CommandTable variable(int id, CommandKind kind, int leastBytes, Reader reader) {
        return add(id, new Row(kind, leastBytes, Integer.MAX_VALUE, reader));
    }

    private CommandTable add(int id, Row row) {
        assert rows[id] == null && !ids.containsKey(row.kind()) : id;
        rows[id] = row;
        ids.put(row.kind(), id);
        return this;
    }

    /** The row of a number, or null. */
    Row row(int id) {
        return id < rows.length ? rows[id] : null;
    }

    /** The number of a command of this format. */
    int id(CommandKind kind) {
        Integer id = ids.get(kind);
        if (id == null) {
            throw new IllegalArgumentException("need a command of this format, got " + kind);
        }
        return id;
    }

    Set<CommandKind> kinds() {
        return EnumSet.copyOf(ids.keySet());
    }

    CommandKind kindOf(int id) {
        Row row = row(id);
        return row == null ? null : row.kind();
    }

    /** Makes a command of its structure; what it gives counts only if nothing was refused. */
    interface Reader {
        Command read(int vcpu, Payload payload);
    }

    record Row(CommandKind kind, int leastBytes, int mostBytes, Reader reader) {
        /** The command, unless something is wrong with its structure. */
        Decoded read(byte[] message, int vcpu, Payload payload) {
            if (payload.size() < leastBytes || payload.size() > mostBytes) {
                return new Decoded.Broken(
                        kind + " with a payload of " + MessageHeader.payloadBytes(message) + " bytes");
            }
            Command command = reader.read(vcpu, payload);
            if (payload.breach() != null) {
                return new Decoded.Broken(kind + " " + payload.breach());
            }
            int id = MessageHeader.id(message);
            int sequence = MessageHeader.sequence(message);
            return payload.refusal() == null
                    ? new Decoded.Request(id, sequence, command)
                    : new Decoded.Refused(id, sequence, payload.refusal());
        }
    }
}
