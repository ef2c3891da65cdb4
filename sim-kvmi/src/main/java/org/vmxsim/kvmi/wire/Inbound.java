package org.vmxsim.kvmi.wire;

/** What comes from the side of the tool, in order: a connection, its messages, its end; then perhaps another. */
public sealed interface Inbound {
    /** There is a tool, and it accepted the greeting. */
    record Connected() implements Inbound {}

    /**
     * The tool says something.
     *
     * @param bytes one whole message, header included; not longer than what the format allows
     */
    record Message(byte[] bytes) implements Inbound {}

    /**
     * The tool is gone.
     *
     * @param reason why, for the log
     */
    record Disconnected(String reason) implements Inbound {}
}
