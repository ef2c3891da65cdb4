package org.vmxsim.kvmi.policy;

import java.util.EnumSet;
import java.util.Set;

/** Where the code of RFC v4 departs from its document in what commands do. Without them the document counts. */
public enum StrictV4 {
    /** The pause event is raised only if the tool enabled it, though the document says always. */
    PAUSE_EVENT_MASKED,
    /** Registers set outside an event are dropped without an error. */
    REGISTERS_DROPPED,
    /** Every command and event is allowed whatever the configuration says. */
    ALL_ALLOWED,
    /** Breakpoints go on being exits after their event has been disabled. */
    BREAKPOINT_EXITS_STAY,
    /** The event for descriptor tables can be enabled but is never raised. */
    DESCRIPTOR_EXITS_OFF;

    /**
     * All of them: the code as posted.
     *
     * @return a new set
     */
    public static Set<StrictV4> all() {
        return EnumSet.allOf(StrictV4.class);
    }
}
