package org.vmxsim.kvmi.service;

import org.vmxsim.kvmi.message.Action;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventReply;

/** What replies have in common. Source: kvmi.rst, "KVMI_EVENT_REPLY". */
final class Replies {
    private Replies() {}

    /** The reply that counts when no tool is there to give one: the guest goes on as without introspection. */
    static EventReply letGo(Event event) {
        if (event instanceof Event.Cr cr) {
            return new EventReply.NewValue(Action.CONTINUE, cr.newValue());
        }
        if (event instanceof Event.Msr msr) {
            return new EventReply.NewValue(Action.CONTINUE, msr.newValue());
        }
        return event instanceof Event.PageFault
                ? new EventReply.AfterFault(Action.CONTINUE)
                : EventReply.of(Action.CONTINUE);
    }

    /** Whether a reply has the form that its event asks for. */
    static boolean fits(Event event, EventReply reply) {
        return letGo(event).getClass() == reply.getClass();
    }
}
