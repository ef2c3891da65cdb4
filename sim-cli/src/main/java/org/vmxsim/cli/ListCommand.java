package org.vmxsim.cli;

import java.util.concurrent.Callable;
import org.vmxsim.core.model.CpuModel;
import org.vmxsim.core.time.TimingPreset;
import picocli.CommandLine.Command;

/** {@code vmxsim list}: which CPU models and timing presets there are. */
@Command(name = "list", mixinStandardHelpOptions = true, description = "Lists CPU models and timing presets.")
final class ListCommand implements Callable<Integer> {
    @Override
    public Integer call() {
        System.out.println("CPU models:     " + String.join(" ", CpuModel.NAMES));
        System.out.println("timing presets: " + String.join(" ", TimingPreset.names()));
        return 0;
    }
}
