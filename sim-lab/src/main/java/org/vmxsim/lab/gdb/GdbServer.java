package org.vmxsim.lab.gdb;

import java.io.Closeable;
import java.io.IOException;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vmxsim.vmx.LogicalProcessor;
import org.vmxsim.vmx.Machine;

/**
 * Lets one debugger control a machine. Everything happens on the thread of the caller, between its calls of
 * {@link Machine#run}, so a debugged run stays the same run:
 *
 * <pre>{@code
 * try (GdbServer server = GdbServer.listen(GdbAddress.parse("1234"), machine)) {
 *     boolean on = server.accept();
 *     while (on) {
 *         machine.run(100_000);
 *         on = server.attend();
 *     }
 * }
 * }</pre>
 */
public final class GdbServer implements Closeable {
    private static final Logger LOG = LoggerFactory.getLogger(GdbServer.class);

    private final ServerSocketChannel listening;
    private final Machine machine;
    private final GdbAddress address;
    private PacketChannel channel;
    private Session session;

    private GdbServer(ServerSocketChannel listening, Machine machine) throws IOException {
        this.listening = listening;
        this.machine = machine;
        this.address = new GdbAddress(listening.getLocalAddress());
    }

    /**
     * Begins to listen.
     *
     * @param address where
     * @param machine what is debugged
     * @return the server
     * @throws IllegalArgumentException if the address cannot be listened at
     */
    public static GdbServer listen(GdbAddress address, Machine machine) {
        SocketAddress socket = address.socket();
        boolean unix = socket instanceof UnixDomainSocketAddress;
        try {
            ServerSocketChannel channel =
                    unix ? ServerSocketChannel.open(StandardProtocolFamily.UNIX) : ServerSocketChannel.open();
            try {
                channel.bind(socket, 1);
                return new GdbServer(channel, machine);
            } catch (IOException | RuntimeException e) {
                channel.close();
                throw e;
            }
        } catch (IOException e) {
            throw new IllegalArgumentException("cannot listen at " + address + ": " + e.getMessage(), e);
        }
    }

    /**
     * Where it listens.
     *
     * @return the address, with the port that the system has chosen
     */
    public GdbAddress address() {
        return address;
    }

    /**
     * Waits for a debugger and serves it until it lets the machine run. Nobody else is let in after it: a second
     * debugger is refused at once instead of waiting in vain.
     *
     * @return false if the machine shall not run any more
     * @throws IllegalStateException if nobody can be let in, or somebody was before
     */
    public boolean accept() {
        try {
            channel = new PacketChannel(listening.accept());
            listening.close();
        } catch (IOException e) {
            throw new IllegalStateException("cannot wait for a debugger at " + address, e);
        }
        LOG.debug("a debugger is there");
        session = new Session(
                channel,
                machine.processors().stream().map(LogicalProcessor::cpu).toList());
        return serve();
    }

    /**
     * To be called after each run of the machine: tells the debugger if the machine has met what it waits for, or if it
     * asks the machine to stop, and then serves it until the machine shall run on.
     *
     * @return false if the machine shall not run any more
     */
    public boolean attend() {
        return session == null || !session.stopped() || serve();
    }

    /**
     * Tells the debugger that a processor has shut down, and serves it until it lets the machine run; then it is told
     * that the program has ended.
     */
    public void shutDown() {
        if (session != null) {
            session.shutDown();
            if (serve() && session != null) {
                channel.send("X0b");
                detached();
            }
        }
    }

    /**
     * Tells the debugger that the program has ended.
     *
     * @param exitCode its exit code; the low 8 bits are told
     */
    public void exited(int exitCode) {
        if (session != null) {
            channel.send(String.format("W%02x", exitCode & 0xff));
            detached();
        }
    }

    private boolean serve() {
        Session.Wish wish = session.serve();
        if (wish != Session.Wish.RUN) {
            detached();
        }
        return wish != Session.Wish.KILL;
    }

    private void detached() {
        channel.close();
        session = null;
        LOG.debug("the debugger has gone");
    }

    /** Ends listening and the connection; a socket in the file system is removed. */
    @Override
    public void close() {
        if (session != null) {
            detached();
        }
        try {
            listening.close();
            if (address.socket() instanceof UnixDomainSocketAddress unix) {
                Files.deleteIfExists(unix.getPath());
            }
        } catch (IOException e) {
            LOG.debug("while closing the debugger's socket", e);
        }
    }
}
