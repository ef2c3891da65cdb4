package org.vmxsim.kvmi.wire;

/**
 * The other side as the simulation sees it. All methods are called by the simulation's thread alone, and nothing
 * happens to the simulation but by what {@link #poll} and {@link #await} return.
 */
public interface Peer extends AutoCloseable {
    /**
     * The next thing that came, if it is there.
     *
     * @return it, or null
     */
    Inbound poll();

    /**
     * The next thing that came; waits for it.
     *
     * @param nanos how long at most, in nanoseconds of the host's clock
     * @return it, or null if nothing came
     */
    Inbound await(long nanos);

    /**
     * Sends a message to the tool whose {@link Inbound.Connected} was taken last. If that tool is gone, nothing
     * happens: its {@link Inbound.Disconnected} is on its way.
     *
     * @param message one whole message
     */
    void send(byte[] message);

    /**
     * Ends the connection. What the tool sent and was not yet taken is dropped; {@link Inbound.Disconnected} follows.
     *
     * @param reason why, for the log
     */
    void disconnect(String reason);

    /** Ends the connection and makes no other. */
    @Override
    void close();
}
