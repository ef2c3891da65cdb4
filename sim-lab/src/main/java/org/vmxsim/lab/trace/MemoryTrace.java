package org.vmxsim.lab.trace;

import java.io.Closeable;
import java.io.IOException;
import org.vmxsim.core.replay.MemoryReference;

/** A memory trace, read front to back. Implementations: the text of valgrind's lackey, and the compact binary form. */
public interface MemoryTrace extends Closeable {
    /**
     * Reads the next reference.
     *
     * @param record where to put it
     * @return false at the end of the trace, and then {@code record} is unchanged
     * @throws IllegalArgumentException if the trace breaks its format; the message names the place
     * @throws IOException if reading fails
     */
    boolean next(MemoryReference record) throws IOException;
}
