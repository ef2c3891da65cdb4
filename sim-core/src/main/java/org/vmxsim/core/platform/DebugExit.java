package org.vmxsim.core.platform;

import org.vmxsim.core.memory.PortDevice;

/** The debug-exit port: a program ends by writing its exit code there. The first value written counts. */
public final class DebugExit implements PortDevice {
    /** The I/O port. */
    public static final int PORT = 0xf4;
    /** I/O ports that the device takes: a 32-bit output covers four. */
    public static final int PORTS = 4;

    private final Runnable stop;
    private boolean written;
    private int code;

    /**
     * An exit port.
     *
     * @param stop asks the machine to stop; called at each write
     */
    public DebugExit(Runnable stop) {
        this.stop = stop;
    }

    @Override
    public int in(int port, int sizeBytes) {
        return 0;
    }

    @Override
    public void out(int port, int sizeBytes, int value) {
        if (!written) {
            written = true;
            code = value;
        }
        stop.run();
    }

    /**
     * Whether the program has ended.
     *
     * @return true once something was written
     */
    public boolean written() {
        return written;
    }

    /**
     * The exit code.
     *
     * @return the value written first; 0 if nothing was written
     */
    public int code() {
        return code;
    }
}
