package org.vmxsim.kvmi.policy;

import java.util.EnumSet;
import java.util.Set;
import org.vmxsim.kvmi.message.CommandKind;
import org.vmxsim.kvmi.message.EventKind;

/**
 * What a tool may do, and what it costs. Nothing is allowed to begin with but the three commands that ask what is.
 *
 * @param dialect which description counts where they differ
 * @param quirks departures of RFC v4's code from its document; empty in the other dialect
 * @param commands what the tool may ask
 * @param events what it may be told
 * @param quantumInstructions how many instructions a vCPU runs at most before input of the tool is looked at
 * @param toolMillis how long every vCPU may wait for the tool before it is taken for dead, in milliseconds of the
 *     host's clock; 0: for ever
 * @param eventCycles what a tool needs to answer an event, in cycles of the vCPU's processor (cycle engine)
 */
public record IntrospectionConfig(
        Dialect dialect,
        Set<StrictV4> quirks,
        Set<CommandKind> commands,
        Set<EventKind> events,
        long quantumInstructions,
        long toolMillis,
        long eventCycles) {
    /** The usual number of instructions between looks at the tool's input. */
    public static final long QUANTUM_INSTRUCTIONS = 10_000;

    /**
     * Checks the numbers, and that quirks are those of the dialect.
     *
     * @throws IllegalArgumentException if a number is out of range, or there are quirks of another dialect
     */
    public IntrospectionConfig {
        quirks = Set.copyOf(quirks);
        commands = Set.copyOf(commands);
        events = Set.copyOf(events);
        if (dialect != Dialect.V4 && !quirks.isEmpty()) {
            throw new IllegalArgumentException("need dialect V4 for quirks of RFC v4, got " + dialect + " " + quirks);
        }
        if (quantumInstructions < 1 || toolMillis < 0 || eventCycles < 0) {
            throw new IllegalArgumentException("need a quantum of at least 1 and times of at least 0, got "
                    + quantumInstructions + ", " + toolMillis + ", " + eventCycles);
        }
    }

    /**
     * Nothing allowed, no cost.
     *
     * @param dialect which description counts
     * @return a configuration to begin with; a tool that has all vCPUs wait for 60 s is taken for dead
     */
    public static IntrospectionConfig closed(Dialect dialect) {
        return new IntrospectionConfig(dialect, Set.of(), Set.of(), Set.of(), QUANTUM_INSTRUCTIONS, 60_000, 0);
    }

    /**
     * Everything allowed, no cost.
     *
     * @param dialect which description counts
     * @return a configuration to begin with
     */
    public static IntrospectionConfig open(Dialect dialect) {
        return closed(dialect).allowing(EnumSet.allOf(CommandKind.class), EnumSet.allOf(EventKind.class));
    }

    /**
     * The same with other permissions.
     *
     * @param newCommands what the tool may ask
     * @param newEvents what it may be told
     * @return the configuration
     */
    public IntrospectionConfig allowing(Set<CommandKind> newCommands, Set<EventKind> newEvents) {
        return new IntrospectionConfig(
                dialect, quirks, newCommands, newEvents, quantumInstructions, toolMillis, eventCycles);
    }

    /**
     * The same with the code of RFC v4 instead of its document.
     *
     * @param newQuirks in which points
     * @return the configuration
     */
    public IntrospectionConfig strict(Set<StrictV4> newQuirks) {
        return new IntrospectionConfig(
                dialect, newQuirks, commands, events, quantumInstructions, toolMillis, eventCycles);
    }

    /**
     * The same with other times.
     *
     * @param newQuantum instructions between looks at the tool's input
     * @param newToolMillis patience with a tool, in milliseconds; 0: endless
     * @param newEventCycles cycles that a tool needs for an event
     * @return the configuration
     */
    public IntrospectionConfig timed(long newQuantum, long newToolMillis, long newEventCycles) {
        return new IntrospectionConfig(dialect, quirks, commands, events, newQuantum, newToolMillis, newEventCycles);
    }
}
