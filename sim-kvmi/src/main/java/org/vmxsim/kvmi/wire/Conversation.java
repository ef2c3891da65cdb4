package org.vmxsim.kvmi.wire;

import java.util.HashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.Command;
import org.vmxsim.kvmi.message.CommandKind;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.kvmi.message.VmCommand;
import org.vmxsim.kvmi.wire.codec.Codec;
import org.vmxsim.kvmi.wire.codec.Decoded;
import org.vmxsim.kvmi.wire.codec.MessageHeader;

/**
 * What a peer and a service say to each other, in one wire format. Numbers events and finds the event that a reply
 * belongs to, asks whether a command is allowed before it looks at it, holds back answers as the tool wants, and closes
 * the connection when the tool breaks the format's rules. Used by the simulation's thread alone.
 */
public final class Conversation implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Conversation.class);
    /** How much is done in one {@link #pump}. */
    static final int MOST_AT_ONCE = 256;

    /** What a tool talks to. */
    public interface Service {
        /**
         * Whether the tool may give a command. GET_VERSION and the two CHECK commands are always allowed; that is the
         * service's to say.
         *
         * @param command the command
         * @return false: it is answered by EPERM
         */
        boolean allows(CommandKind command);

        /**
         * Whether the tool may be told of an event.
         *
         * @param event the event
         * @return false if it may not
         */
        boolean allows(EventKind event);

        /** A tool came. */
        void connected();

        /**
         * Does a command. Never called with {@link VmCommand.ControlCmdResponse}.
         *
         * @param command the command
         * @return its answer
         */
        Answer command(Command command);

        /**
         * Takes the reply to an event.
         *
         * @param sequence the number that {@link Conversation#event} was given
         * @param reply the reply; its form fits the event
         */
        void reply(int sequence, EventReply reply);

        /**
         * The tool is gone; replies that are outstanding never come.
         *
         * @param reason why, for the log
         */
        void disconnected(String reason);
    }

    private record Outstanding(int sequence, EventKind kind, int vcpu) {}

    private final Codec codec;
    private final Peer peer;
    private final Service service;
    private final ResponseGate gate = new ResponseGate();
    private final Map<Integer, Outstanding> outstanding = new HashMap<>();
    private int lastSequence;
    private boolean open;

    /**
     * Nothing has been said.
     *
     * @param codec the format
     * @param peer the side of the tool
     * @param service the side of the machine
     */
    public Conversation(Codec codec, Peer peer, Service service) {
        this.codec = codec;
        this.peer = peer;
        this.service = service;
    }

    /**
     * Whether there is a tool.
     *
     * @return true from its coming to its going or its first offence
     */
    public boolean isOpen() {
        return open;
    }

    /** Does what has come, as far as a tool that never stops asking does not keep the guest from running. */
    public void pump() {
        Inbound inbound = peer.poll();
        for (int done = 1; inbound != null; done++) {
            handle(inbound);
            inbound = done < MOST_AT_ONCE ? peer.poll() : null;
        }
    }

    /**
     * Waits for one thing to come, and does it.
     *
     * @param nanos how long at most, in nanoseconds of the host's clock
     * @return whether something came
     */
    public boolean pumpOne(long nanos) {
        Inbound inbound = peer.await(nanos);
        if (inbound != null) {
            handle(inbound);
        }
        return inbound != null;
    }

    /**
     * Tells the tool of an event.
     *
     * @param sequence the caller's number of it, by which it is told the reply
     * @param event the event
     * @return false if there is no tool or its format does not have the event: no reply will come
     */
    public boolean event(int sequence, Event event) {
        if (!open || !codec.events().contains(event.kind())) {
            return false;
        }
        lastSequence++;
        if (event.kind().replyForm() != EventKind.ReplyForm.NONE) {
            int vcpu = event.context().vcpu();
            outstanding.put(lastSequence, new Outstanding(sequence, event.kind(), vcpu));
        }
        peer.send(codec.encodeEvent(lastSequence, event));
        return true;
    }

    /**
     * Ends the connection; the service is told when the peer says so.
     *
     * @param reason why, for the log
     */
    public void disconnect(String reason) {
        if (open) {
            open = false;
            outstanding.clear();
            peer.disconnect(reason);
        }
    }

    /** Closes the peer. */
    @Override
    public void close() {
        open = false;
        peer.close();
    }

    private void handle(Inbound inbound) {
        if (inbound instanceof Inbound.Connected) {
            open = true;
            lastSequence = 0;
            outstanding.clear();
            gate.reset();
            service.connected();
        } else if (inbound instanceof Inbound.Disconnected end) {
            open = false;
            outstanding.clear();
            service.disconnected(end.reason());
        } else if (inbound instanceof Inbound.Message message && open) {
            message(message.bytes());
        }
    }

    private void message(byte[] message) {
        CommandKind kind = codec.kindOf(MessageHeader.id(message));
        if (kind != null && !service.allows(kind)) {
            answer(message, kind, new Answer.Failed(KvmiError.EPERM));
            return;
        }
        Decoded decoded = codec.decode(message);
        if (decoded instanceof Decoded.Request request) {
            if (request.command() instanceof VmCommand.ControlCmdResponse control) {
                switchAnswers(message, control);
            } else {
                answer(message, kind, service.command(request.command()));
            }
        } else if (decoded instanceof Decoded.Reply reply) {
            reply(reply);
        } else if (decoded instanceof Decoded.Refused refused) {
            answer(message, kind, new Answer.Failed(refused.error()));
        } else if (decoded instanceof Decoded.Broken broken) {
            disconnect(broken.reason());
        }
    }

    private void switchAnswers(byte[] message, VmCommand.ControlCmdResponse control) {
        if (!control.enable() && control.reportErrors() && !service.allows(EventKind.CMD_ERROR)) {
            disconnect("the event CMD_ERROR is not allowed");
            return;
        }
        if (control.now()) {
            gate.set(control);
        }
        answer(message, control.kind(), Answer.DONE);
        gate.set(control);
    }

    private void answer(byte[] message, CommandKind kind, Answer answer) {
        if (!open) {
            return;
        }
        int id = MessageHeader.id(message);
        int sequence = MessageHeader.sequence(message);
        KvmiError error = answer instanceof Answer.Failed failed ? failed.error() : null;
        switch (gate.outcome(kind, error)) {
            case SEND -> peer.send(codec.encodeAnswer(id, sequence, answer));
            case SUPPRESS -> LOG.debug("the answer to {} is suppressed: {}", kind, answer);
            case REPORT -> event(0, new Event.CmdError(error, sequence, kind));
            case CLOSE -> disconnect("command " + id + " needs an answer while answers are off");
        }
    }

    private void reply(Decoded.Reply reply) {
        Outstanding asked = outstanding.remove(reply.sequence());
        EventReply said = asked == null ? null : codec.decodeReply(reply, asked.kind(), asked.vcpu());
        if (said == null) {
            disconnect("a reply that fits no event, sequence number " + Integer.toUnsignedString(reply.sequence()));
        } else {
            service.reply(asked.sequence(), said);
        }
    }
}
