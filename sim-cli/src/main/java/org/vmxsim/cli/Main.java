package org.vmxsim.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The {@code vmxsim} command. */
@Command(
        name = "vmxsim",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = "A cycle-level x86 VMX, EPT and sub-page protection machine.")
public final class Main implements Runnable {
    private Main() {}

    /**
     * Runs the command and ends the Java virtual machine with its exit status.
     *
     * @param args the words of the command line
     */
    public static void main(String[] args) {
        System.exit(new CommandLine(new Main()).execute(args));
    }

    /** Without a subcommand: says what there is. */
    @Override
    public void run() {
        CommandLine.usage(this, System.out);
    }
}
