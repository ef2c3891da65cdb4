package org.vmxsim.lab;

import java.nio.file.Path;
import java.util.Set;
import java.util.UUID;
import org.vmxsim.kvmi.WireFormat;
import org.vmxsim.kvmi.message.CommandKind;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.lab.scenario.Scenario;

/**
 * A scenario that a tool outside watches.
 *
 * @param scenario what to run
 * @param socket path of the AF_UNIX socket that the tool listens at
 * @param format what is spoken there
 * @param uuid identity of the virtual machine, for the tool
 * @param secret what the tool must know the SHA-1 of; empty: nothing
 * @param commands what the tool may ask
 * @param events what it may be told
 * @param waitsForTool whether the guest begins only when a tool is there
 * @param toolMillis how long the guest may wait for a tool that says nothing, and how long a tool has to leave when the
 *     guest has ended, in milliseconds; 0: for ever
 * @param eventCycles what the tool needs for an event, in cycles (cycle engine)
 * @param log a file for what the hypervisor itself saw, a line for each tracepoint; null: none
 */
public record IntrospectRequest(
        Scenario scenario,
        Path socket,
        WireFormat format,
        UUID uuid,
        String secret,
        Set<CommandKind> commands,
        Set<EventKind> events,
        boolean waitsForTool,
        long toolMillis,
        long eventCycles,
        Path log) {
    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException if a time is negative, or a secret is given in a format without place for it
     */
    public IntrospectRequest {
        commands = Set.copyOf(commands);
        events = Set.copyOf(events);
        if (toolMillis < 0 || eventCycles < 0) {
            throw new IllegalArgumentException(
                    "need times of at least 0, got toolMillis=" + toolMillis + " eventCycles=" + eventCycles);
        }
        if (!secret.isEmpty() && format != WireFormat.BRANCH_V7) {
            throw new IllegalArgumentException("need the format branch-v7 for a secret, got " + format);
        }
    }
}
