package org.vmxsim.kvmi;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.Command;
import org.vmxsim.kvmi.message.CommandKind;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.service.Introspection;
import org.vmxsim.kvmi.service.Session;
import org.vmxsim.kvmi.service.Tool;
import org.vmxsim.kvmi.service.ToolInput;
import org.vmxsim.kvmi.wire.Conversation;
import org.vmxsim.kvmi.wire.Peer;
import org.vmxsim.kvmi.wire.codec.Codec;

/**
 * A tool outside: joins a peer that speaks a wire format to the introspection of a virtual machine. Tools come and go;
 * each gets a session of its own. Everything happens on the thread that runs the vCPUs.
 */
public final class KvmiConnection implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(KvmiConnection.class);

    private final Introspection introspection;
    private final Conversation conversation;
    private Session session;

    private KvmiConnection(Introspection introspection, Codec codec, Peer peer) {
        this.introspection = introspection;
        this.conversation = new Conversation(codec, peer, new Machine());
    }

    /**
     * Lets tools in, one after another.
     *
     * @param introspection the introspection of a virtual machine; from now on it hears the tool in its turns
     * @param codec the wire format
     * @param peer where tools come from
     * @return the connection
     */
    public static KvmiConnection to(Introspection introspection, Codec codec, Peer peer) {
        KvmiConnection connection = new KvmiConnection(introspection, codec, peer);
        introspection.input(new Input(connection.conversation));
        return connection;
    }

    /**
     * Whether there is a tool.
     *
     * @return true from its coming to its going
     */
    public boolean isOpen() {
        return session != null;
    }

    /** Sends the tool away and makes no other connection. */
    @Override
    public void close() {
        introspection.input(null);
        if (session != null) {
            session.close();
        }
        conversation.close();
    }

    private record Input(Conversation conversation) implements ToolInput {
        @Override
        public void pump() {
            conversation.pump();
        }

        @Override
        public boolean pumpOne(long nanos) {
            return conversation.pumpOne(nanos);
        }
    }

    /** The tool as the service sees it. */
    private final class Remote implements Tool {
        @Override
        public void event(int sequence, Event event) {
            boolean asked = conversation.event(sequence, event);
            if (!asked && session != null) {
                // The format cannot tell this event: nobody will ever reply.
                session.letGo(sequence);
            }
        }

        @Override
        public void closed(String reason) {
            session = null;
            conversation.disconnect(reason);
        }
    }

    /** The machine as the tool sees it. */
    private final class Machine implements Conversation.Service {
        @Override
        public boolean allows(CommandKind command) {
            return session.allows(command);
        }

        @Override
        public boolean allows(EventKind event) {
            return session.allows(event);
        }

        @Override
        public void connected() {
            if (introspection.hasTool() || introspection.isCrashed()) {
                conversation.disconnect("the virtual machine has ended or has another tool");
            } else {
                LOG.info("a tool is there");
                session = introspection.open(new Remote());
            }
        }

        @Override
        public Answer command(Command command) {
            return session.command(command);
        }

        @Override
        public void reply(int sequence, EventReply reply) {
            session.reply(sequence, reply);
        }

        @Override
        public void disconnected(String reason) {
            LOG.info("the tool is gone: {}", reason);
            if (session != null) {
                session.close();
            }
        }
    }
}
