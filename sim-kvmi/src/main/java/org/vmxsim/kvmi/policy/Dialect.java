package org.vmxsim.kvmi.policy;

import java.util.EnumSet;
import java.util.Set;
import org.vmxsim.kvmi.message.CommandKind;

/** The two descriptions of the same subsystem that tools were written for. */
public enum Dialect {
    /**
     * RFC v4, 18 December 2017: one mask of events for the whole virtual machine, one pause and one command at a time
     * for a vCPU, no views but the default one.
     */
    V4(EnumSet.of(
            CommandKind.GET_VERSION,
            CommandKind.PAUSE_VCPU,
            CommandKind.GET_GUEST_INFO,
            CommandKind.GET_REGISTERS,
            CommandKind.SET_REGISTERS,
            CommandKind.GET_PAGE_ACCESS,
            CommandKind.SET_PAGE_ACCESS,
            CommandKind.INJECT_EXCEPTION,
            CommandKind.READ_PHYSICAL,
            CommandKind.WRITE_PHYSICAL,
            CommandKind.GET_MAP_TOKEN,
            CommandKind.CONTROL_EVENTS,
            CommandKind.CONTROL_CR,
            CommandKind.CONTROL_MSR,
            CommandKind.GET_CPUID,
            CommandKind.GET_XSAVE)),
    /**
     * The branch kvmi-v7, which living tools speak: events by vCPU, views, single-stepping, answers on request. Reading
     * page rights, which v6 had and this branch has not, is there all the same.
     */
    BRANCH_V7(EnumSet.allOf(CommandKind.class));

    private final Set<CommandKind> commands;

    Dialect(Set<CommandKind> commands) {
        this.commands = commands;
    }

    /**
     * Whether it has a command.
     *
     * @param command the command
     * @return false if it is answered by ENOSYS
     */
    public boolean has(CommandKind command) {
        return commands.contains(command);
    }
}
