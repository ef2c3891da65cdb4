package org.vmxsim.kvmi.wire.codec;

import java.util.Set;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.CommandKind;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;

/**
 * A wire format. Decoding takes any bytes: what is wrong with them is a value ({@link Decoded.Refused},
 * {@link Decoded.Broken}), never an exception, and what it makes is bounded by the size of the message.
 */
public interface Codec {
    /**
     * The longest payload of a message, in either direction. A tool that announces a longer one is disconnected.
     *
     * @return size in bytes, without the header
     */
    int maxPayloadBytes();

    /**
     * The commands that the format has.
     *
     * @return the kinds that {@link #decode} can give
     */
    Set<CommandKind> commands();

    /**
     * The events that the format has.
     *
     * @return the kinds that {@link #encodeEvent} takes
     */
    Set<EventKind> events();

    /**
     * Which command a message is, by its number alone: whether a command is allowed is decided before anything else of
     * it is looked at.
     *
     * @param id the number in the message's header
     * @return the kind, or null if no command has this number
     */
    CommandKind kindOf(int id);

    /**
     * Reads a message of a tool.
     *
     * @param message the whole message; the payload has the size that the header says
     * @return what it is
     * @throws IllegalArgumentException if the message is shorter or longer than its header says
     */
    Decoded decode(byte[] message);

    /**
     * Reads a reply to an event.
     *
     * @param reply the message
     * @param event the event that it replies to
     * @param vcpu the vCPU that reported it
     * @return the reply, or null if the message is not a reply to such an event: the connection is closed
     */
    EventReply decodeReply(Decoded.Reply reply, EventKind event, int vcpu);

    /**
     * Writes an answer. One that is too long for the format becomes the error ENOMEM, as in the kernel.
     *
     * @param id number of the command in the format
     * @param sequence sequence number of the command
     * @param answer the answer
     * @return the whole message
     */
    byte[] encodeAnswer(int id, int sequence, Answer answer);

    /**
     * Writes an event.
     *
     * @param sequence its sequence number
     * @param event the event
     * @return the whole message
     * @throws IllegalArgumentException if the format does not have the event
     */
    byte[] encodeEvent(int sequence, Event event);
}
