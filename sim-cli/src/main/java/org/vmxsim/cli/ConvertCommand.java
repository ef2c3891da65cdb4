package org.vmxsim.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.vmxsim.lab.trace.TraceFiles;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code vmxsim convert}: a memory trace to the compact binary form. */
@Command(
        name = "convert",
        mixinStandardHelpOptions = true,
        description = "Converts a memory trace to the compact binary form.")
final class ConvertCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "TRACE", description = "the trace, or builtin:wc")
    private String trace;

    @Parameters(index = "1", paramLabel = "FILE", description = "where to write")
    private Path target;

    @Override
    public Integer call() {
        System.out.printf("%,d references written to %s%n", TraceFiles.convert(trace, target), target);
        return 0;
    }
}
