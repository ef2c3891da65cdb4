package org.vmxsim.kvmi.policy;

import java.util.EnumSet;
import java.util.Set;
import org.vmxsim.kvmi.message.CommandKind;
import org.vmxsim.kvmi.message.EventKind;

/** What a tool may ask and be told. Source: kvmi.rst, "Security". */
public final class Permissions {
    private static final Set<CommandKind> ALWAYS =
            EnumSet.of(CommandKind.GET_VERSION, CommandKind.CHECK_COMMAND, CommandKind.CHECK_EVENT);

    private final Set<CommandKind> commands;
    private final Set<EventKind> events;

    /**
     * The permissions of a configuration.
     *
     * @param config the configuration
     */
    public Permissions(IntrospectionConfig config) {
        boolean all = config.quirks().contains(StrictV4.ALL_ALLOWED);
        this.commands = all ? EnumSet.allOf(CommandKind.class) : config.commands();
        this.events = all ? EnumSet.allOf(EventKind.class) : config.events();
    }

    /**
     * Whether the tool may give a command. The commands that ask what is allowed are always allowed.
     *
     * @param command the command
     * @return false if it is answered by EPERM
     */
    public boolean allows(CommandKind command) {
        return ALWAYS.contains(command) || commands.contains(command);
    }

    /**
     * Whether the tool may be told of an event. A pause that was asked for is always reported.
     *
     * @param event the event
     * @return false if it cannot be enabled
     */
    public boolean allows(EventKind event) {
        return event == EventKind.PAUSE_VCPU || events.contains(event);
    }

    /**
     * What GET_VERSION shows.
     *
     * @return the commands that are allowed by configuration
     */
    public Set<CommandKind> commands() {
        return commands;
    }

    /**
     * What GET_VERSION shows.
     *
     * @return the events that are allowed by configuration
     */
    public Set<EventKind> events() {
        return events;
    }
}
