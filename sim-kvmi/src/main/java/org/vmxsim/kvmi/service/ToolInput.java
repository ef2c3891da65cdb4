package org.vmxsim.kvmi.service;

/** Where commands and replies of a tool outside come from; handling one may call anything of a {@link Session}. */
public interface ToolInput {
    /** Handles everything that has come. */
    void pump();

    /**
     * Waits for one thing to come and handles it.
     *
     * @param nanos how long at most, in nanoseconds of the host's clock
     * @return whether something came
     */
    boolean pumpOne(long nanos);
}
