package org.vmxsim.kvmi.wire.codec;

import org.vmxsim.kvmi.message.Command;
import org.vmxsim.kvmi.message.KvmiError;

/** What a message from a tool turned out to be. */
public sealed interface Decoded {
    /**
     * A command.
     *
     * @param id its number in the format, for the answer
     * @param sequence its sequence number, for the answer
     * @param command the command
     */
    record Request(int id, int sequence, Command command) implements Decoded {}

    /**
     * A reply to an event. What it says depends on the event: {@link Codec#decodeReply}.
     *
     * @param sequence sequence number of the event
     * @param message the whole message
     */
    record Reply(int sequence, byte[] message) implements Decoded {}

    /**
     * A command that is answered by an error without being executed.
     *
     * @param id its number in the format, for the answer
     * @param sequence its sequence number, for the answer
     * @param error why
     */
    record Refused(int id, int sequence, KvmiError error) implements Decoded {}

    /**
     * A message after which the connection is closed without an answer.
     *
     * @param reason what is wrong with it
     */
    record Broken(String reason) implements Decoded {}
}
