package org.vmxsim.kvmi.service;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import org.vmxsim.kvmi.guest.Failures;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.Command;
import org.vmxsim.kvmi.message.KvmiError;

/**
 * Who does which command.
 *
 * @param <C> the commands
 */
final class CommandHandlers<C extends Command> {
    private final Map<Class<?>, Function<C, Answer>> handlers = new HashMap<>();

    /** Says who does one. */
    <T extends C> void on(Class<T> command, Function<? super T, Answer> handler) {
        if (handlers.put(command, given -> handler.apply(command.cast(given))) != null) {
            throw new AssertionError("two who do " + command);
        }
    }

    /** Does one; ENOSYS if nobody does. */
    Answer execute(C command) {
        Function<C, Answer> handler = handlers.get(command.getClass());
        return handler == null ? Failures.of(KvmiError.ENOSYS) : handler.apply(command);
    }
}
