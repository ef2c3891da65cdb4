package org.vmxsim.core.platform;

import java.util.function.IntConsumer;
import org.vmxsim.core.memory.PortDevice;

/** The debug console: each byte written goes to a sink; a read gives the port number, by which software detects it. */
public final class DebugConsole implements PortDevice {
    /** The I/O port. */
    public static final int PORT = 0xe9;

    private final IntConsumer sink;

    /**
     * A debug console.
     *
     * @param sink gets each byte, 0 to 255
     */
    public DebugConsole(IntConsumer sink) {
        this.sink = sink;
    }

    @Override
    public int in(int port, int sizeBytes) {
        return PORT;
    }

    @Override
    public void out(int port, int sizeBytes, int value) {
        sink.accept(value & 0xff);
    }
}
