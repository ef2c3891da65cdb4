package org.vmxsim.lab.gdb;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/**
 * Where a debugger connects: a TCP port, or a socket in the file system.
 *
 * @param socket the address
 */
public record GdbAddress(SocketAddress socket) {
    private static final String UNIX = "unix:";
    private static final int MOST_PORT = 0xffff;

    /**
     * Reads an address.
     *
     * @param text {@code PORT} (of the loopback interface), {@code HOST:PORT} or {@code unix:PATH}; port 0 lets the
     *     system choose
     * @return the address
     * @throws IllegalArgumentException if it is none of these, or the host is not known
     */
    public static GdbAddress parse(String text) {
        if (text.startsWith(UNIX)) {
            try {
                return new GdbAddress(UnixDomainSocketAddress.of(Path.of(text.substring(UNIX.length()))));
            } catch (InvalidPathException e) {
                throw new IllegalArgumentException("need a path behind unix:, got '" + text + "'", e);
            }
        }
        int colon = text.lastIndexOf(':');
        String host = colon < 0 ? "" : text.substring(0, colon);
        int port = port(text, text.substring(colon + 1));
        InetSocketAddress address = host.isEmpty()
                ? new InetSocketAddress(InetAddress.getLoopbackAddress(), port)
                : new InetSocketAddress(host, port);
        if (address.isUnresolved()) {
            throw new IllegalArgumentException("need a host that is known, got '" + text + "'");
        }
        return new GdbAddress(address);
    }

    private static int port(String text, String digits) {
        try {
            int port = Integer.parseInt(digits);
            if (port >= 0 && port <= MOST_PORT) {
                return port;
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw new IllegalArgumentException(
                "need [HOST:]PORT with a port of 0 to 65535, or unix:PATH, got '" + text + "'");
    }

    @Override
    public String toString() {
        if (socket instanceof InetSocketAddress inet) {
            return inet.getAddress().getHostAddress() + ":" + inet.getPort();
        }
        return UNIX + socket;
    }
}
