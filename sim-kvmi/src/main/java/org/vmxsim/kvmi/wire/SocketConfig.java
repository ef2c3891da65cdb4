package org.vmxsim.kvmi.wire;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * How a {@link SocketPeer} connects, and what it bears. Times are of the host's clock; they decide only when a tool is
 * given up, never what an accepted message does.
 *
 * @param path where the tool listens
 * @param maxPayloadBytes the longest payload that a tool may send
 * @param queuedMessages how many messages of a tool that sends without reading are put aside; then both wait
 * @param retryMillis time between two tries to connect, in milliseconds
 * @param handshakeMillis time that the tool has for its answer to the greeting, in milliseconds
 * @param stallMillis time that the tool has for the rest of a message that it began, and for making room for one that
 *     it is sent, in milliseconds
 * @param idleMillis time that the tool may say nothing, in milliseconds; 0: any
 */
public record SocketConfig(
        Path path,
        int maxPayloadBytes,
        int queuedMessages,
        int retryMillis,
        int handshakeMillis,
        int stallMillis,
        int idleMillis) {
    /** One less than the field of a socket address has, for the zero at its end. */
    private static final int MOST_PATH_BYTES = 107;

    /**
     * Checks path and numbers.
     *
     * @throws IllegalArgumentException if the path is longer than 107 bytes, or a number is negative, or 0 where it
     *     must not be
     */
    public SocketConfig {
        if (path.toString().getBytes(StandardCharsets.UTF_8).length > MOST_PATH_BYTES) {
            throw new IllegalArgumentException("need a path of at most " + MOST_PATH_BYTES + " bytes, got " + path);
        }
        if (maxPayloadBytes < 0 || queuedMessages < 1 || idleMillis < 0) {
            throw new IllegalArgumentException("need a payload of at least 0, a queue of at least 1 and an idle time of"
                    + " at least 0, got " + maxPayloadBytes + ", " + queuedMessages + ", " + idleMillis);
        }
        if (retryMillis < 1 || handshakeMillis < 1 || stallMillis < 1) {
            throw new IllegalArgumentException("need times of at least 1 ms, got retryMillis=" + retryMillis
                    + " handshakeMillis=" + handshakeMillis + " stallMillis=" + stallMillis);
        }
    }

    /**
     * The usual times: a try each second, and the 10 seconds for the handshake that QEMU gives.
     *
     * @param path where the tool listens
     * @param maxPayloadBytes the longest payload that a tool may send
     * @return 256 queued messages, 1 s between tries, 10 s for the handshake and for a stalled message, any idle time
     */
    public static SocketConfig of(Path path, int maxPayloadBytes) {
        return new SocketConfig(path, maxPayloadBytes, 256, 1_000, 10_000, 10_000, 0);
    }
}
