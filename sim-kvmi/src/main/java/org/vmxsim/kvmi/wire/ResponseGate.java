package org.vmxsim.kvmi.wire;

import org.vmxsim.kvmi.message.CommandKind;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.kvmi.message.VmCommand;

/**
 * Whether commands are answered. A tool that sends many at once switches the answers off before the first and on before
 * the last. Source: kvmi.rst of the branch kvmi-v7, "KVMI_CONTROL_CMD_RESPONSE".
 */
final class ResponseGate {
    /** What becomes of an answer. */
    enum Outcome {
        /** It is sent. */
        SEND,
        /** Nobody hears of it. */
        SUPPRESS,
        /** It becomes an event. */
        REPORT,
        /** The tool asked for what it cannot get: the connection is closed. */
        CLOSE
    }

    private boolean answers = true;
    private boolean reportsErrors;

    /** As for a tool that has just come. */
    void reset() {
        answers = true;
        reportsErrors = false;
    }

    /** Switches; the flag of errors counts only while answers are off. */
    void set(VmCommand.ControlCmdResponse command) {
        answers = command.enable();
        reportsErrors = !command.enable() && command.reportErrors();
    }

    /**
     * What becomes of an answer.
     *
     * @param kind the command, or null if it does not exist
     * @param error why it failed, or null
     */
    Outcome outcome(CommandKind kind, KvmiError error) {
        if (answers) {
            return Outcome.SEND;
        }
        if (kind == null || error == KvmiError.EPERM || error == KvmiError.ENOSYS || kind.answerCarriesData()) {
            return Outcome.CLOSE;
        }
        return error != null && reportsErrors ? Outcome.REPORT : Outcome.SUPPRESS;
    }
}
