package org.vmxsim.lab;

import org.vmxsim.lab.gdb.GdbAddress;
import org.vmxsim.lab.screen.TextScreen;

/** Watches a run from outside; all it can do to the run is to end it early. */
public interface RunListener {
    /** Nobody watches. */
    RunListener NONE = new RunListener() {};

    /**
     * Called now and then.
     *
     * @param instructions retired instructions so far
     * @param limit instructions after which the run ends, or 0 if that is not known
     */
    default void progress(long instructions, long limit) {}

    /**
     * The guest has sent a byte to its console.
     *
     * @param octet 0 to 255
     */
    default void console(int octet) {}

    /**
     * The run waits for a debugger.
     *
     * @param address where it listens
     */
    default void waitsForDebugger(GdbAddress address) {}

    /**
     * Whether {@link #screen} is to be called.
     *
     * @return true to see the text screen
     */
    default boolean watchesScreen() {
        return false;
    }

    /**
     * The text screen has changed since the last call.
     *
     * @param screen what it shows now
     */
    default void screen(TextScreen screen) {}

    /**
     * Asked now and then whether the run shall end here. What it has done so far is reported.
     *
     * @return true to end the run
     */
    default boolean stop() {
        return false;
    }
}
