package org.vmxsim.kvmi.service;

import org.vmxsim.kvmi.message.Event;

/** Who introspects a virtual machine, as the machine sees it. Called by the thread that runs the vCPUs. */
public interface Tool {
    /**
     * Something happened. Unless it is an event of the virtual machine, its vCPU stands still until
     * {@link Session#reply}, which may be called from here.
     *
     * @param sequence number of the event, for the reply
     * @param event what happened
     */
    void event(int sequence, Event event);

    /**
     * The session is over and all it changed is undone; replies that are outstanding count as if they let the guest go
     * on.
     *
     * @param reason why, for a log
     */
    default void closed(String reason) {}
}
