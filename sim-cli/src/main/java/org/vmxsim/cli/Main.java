package org.vmxsim.cli;

import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;

/** The {@code vmxsim} command. */
@Command(
        name = "vmxsim",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = "A cycle-level x86 VMX, EPT and sub-page protection machine.",
        subcommands = {
            RunCommand.class,
            BootCommand.class,
            ReplayCommand.class,
            ExplainCommand.class,
            IntrospectCommand.class,
            ConvertCommand.class,
            ListCommand.class
        })
public final class Main implements Runnable {
    /** Exit status: bad input of any kind. */
    static final int BAD_INPUT = 125;
    /** Exit status: the time or instruction limit was reached. */
    static final int TIME_OUT = 124;
    /** Exit status: the run was stopped at a denied write. */
    static final int STOPPED = 120;

    /** Exit status: the run was interrupted from the keyboard, as a shell counts it (128 and signal 2). */
    static final int INTERRUPTED = 130;

    private Main() {}

    /**
     * Runs the command and ends the Java virtual machine with its exit status.
     *
     * @param args the words of the command line
     */
    public static void main(String[] args) {
        System.exit(execute(args));
    }

    /** Runs the command and returns its exit status. */
    static int execute(String... args) {
        try {
            return command(args);
        } catch (OutOfMemoryError e) {
            System.err.println("vmxsim: need more memory for Java than "
                    + (Runtime.getRuntime().maxMemory() >> 20)
                    + " MiB; allow it, for example by VMXSIM_JAVA_OPTS=-Xmx8g");
            return BAD_INPUT;
        }
    }

    private static int command(String... args) {
        IExecutionExceptionHandler badInput = (e, command, parsed) -> {
            if (e instanceof IllegalArgumentException) {
                say(command, e.getMessage());
                return BAD_INPUT;
            }
            throw e;
        };
        IParameterExceptionHandler badWords = (e, words) -> {
            say(e.getCommandLine(), e.getMessage());
            String command = e.getCommandLine().getCommandSpec().qualifiedName();
            e.getCommandLine().getErr().println("Try '" + command + " --help'.");
            return BAD_INPUT;
        };
        return new CommandLine(new Main())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler(badInput)
                .setParameterExceptionHandler(badWords)
                .execute(args);
    }

    private static void say(CommandLine command, String message) {
        PrintWriter err = command.getErr();
        err.println("vmxsim: " + message);
        err.flush();
    }

    /** Without a subcommand: says what there is. */
    @Override
    public void run() {
        CommandLine.usage(this, System.out);
    }
}
