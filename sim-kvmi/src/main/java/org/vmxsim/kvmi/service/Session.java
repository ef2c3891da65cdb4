package org.vmxsim.kvmi.service;

import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.Command;
import org.vmxsim.kvmi.message.CommandKind;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.message.VmCommand;
import org.vmxsim.kvmi.policy.Permissions;

/**
 * A tool's access to one virtual machine, from {@link Introspection#open} to {@link #close}. To be used by the thread
 * that runs the vCPUs: between turns, or from {@link Tool#event}.
 */
public final class Session implements AutoCloseable {
    private final Introspection introspection;
    private final Tool tool;
    private final Permissions permissions;
    private final VmCommands vmCommands;
    private final VcpuCommands vcpuCommands;
    private int lastSequence;
    private boolean open = true;

    Session(Introspection introspection, Tool tool) {
        this.introspection = introspection;
        this.tool = tool;
        this.permissions = introspection.permissions();
        this.vmCommands = new VmCommands(introspection);
        this.vcpuCommands = new VcpuCommands(introspection);
    }

    /**
     * Asks the machine.
     *
     * @param command what for
     * @return its answer; EPERM if the command is not allowed
     * @throws IllegalArgumentException if the session is closed, or for {@link VmCommand.ControlCmdResponse}, which is
     *     about answers on the wire
     */
    public Answer command(Command command) {
        requireOpen();
        if (command == null) {
            throw new IllegalArgumentException("need a command, got null");
        }
        if (!permissions.allows(command.kind())) {
            return new Answer.Failed(KvmiError.EPERM);
        }
        return command instanceof VmCommand vm ? vmCommands.execute(vm) : vcpuCommands.execute((VcpuCommand) command);
    }

    /**
     * Whether the tool may give a command.
     *
     * @param command the command
     * @return false if it is answered by EPERM
     */
    public boolean allows(CommandKind command) {
        return permissions.allows(command);
    }

    /**
     * Whether the tool may be told of an event.
     *
     * @param event the event
     * @return false if it cannot be enabled
     */
    public boolean allows(EventKind event) {
        return permissions.allows(event);
    }

    /**
     * Decides about an event; its vCPU goes on at its next turn.
     *
     * @param sequence number of the event
     * @param reply what becomes of the vCPU; an action that the event does not have counts as
     *     {@link org.vmxsim.kvmi.message.Action#CONTINUE}
     * @throws IllegalArgumentException if the session is closed, no such event waits for a reply, or the reply's form
     *     is that of another event
     */
    public void reply(int sequence, EventReply reply) {
        requireOpen();
        introspection.reply(sequence, reply);
    }

    /**
     * Says that an event can get no reply; its vCPU goes on as if there were no tool.
     *
     * @param sequence number of the event; one that waits for no reply is passed over
     */
    public void letGo(int sequence) {
        introspection.letGo(sequence);
    }

    /** Ends the session: all that it changed is undone, and vCPUs that wait go on. */
    @Override
    public void close() {
        end("closed by the tool");
    }

    /**
     * Whether it goes on.
     *
     * @return false once it was closed by either side
     */
    public boolean isOpen() {
        return open;
    }

    /** Ends it from the machine's side. */
    void end(String reason) {
        if (open) {
            open = false;
            introspection.closed();
            tool.closed(reason);
        }
    }

    Tool tool() {
        return tool;
    }

    int nextSequence() {
        return ++lastSequence;
    }

    private void requireOpen() {
        if (!open) {
            throw new IllegalArgumentException("need an open session, got one that is closed");
        }
    }
}
