package org.vmxsim.kvmi.wire;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.Command;
import org.vmxsim.kvmi.message.CommandKind;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.kvmi.message.VcpuCommand;

/** A service without a machine: commands on vCPU 9 fail, all others do nothing. */
final class RecordingService implements Conversation.Service {
    final List<String> log = new ArrayList<>();
    final Set<CommandKind> forbidden = EnumSet.noneOf(CommandKind.class);
    final Set<EventKind> forbiddenEvents = EnumSet.noneOf(EventKind.class);

    @Override
    public boolean allows(CommandKind command) {
        return !forbidden.contains(command);
    }

    @Override
    public boolean allows(EventKind event) {
        return !forbiddenEvents.contains(event);
    }

    @Override
    public void connected() {
        log.add("connected");
    }

    @Override
    public Answer command(Command command) {
        log.add(command.toString());
        return command instanceof VcpuCommand on && on.vcpu() == 9 ? new Answer.Failed(KvmiError.EINVAL) : Answer.DONE;
    }

    @Override
    public void reply(int sequence, EventReply reply) {
        log.add(sequence + " " + reply);
    }

    @Override
    public void disconnected(String reason) {
        log.add("disconnected " + reason);
    }
}
