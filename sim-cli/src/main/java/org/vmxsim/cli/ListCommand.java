package org.vmxsim.cli;

import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.vmxsim.core.model.CpuModel;
import org.vmxsim.core.time.TimingPreset;
import org.vmxsim.lab.scenario.ScenarioFile;
import org.vmxsim.mmu.spp.SppProfile;
import picocli.CommandLine.Command;

/** {@code vmxsim list}: which CPU models and timing presets there are. */
@Command(
        name = "list",
        mixinStandardHelpOptions = true,
        description = {"Lists what can be named: CPU models, timing presets, built-in scenarios, SPP profiles."})
final class ListCommand implements Callable<Integer> {
    @Override
    public Integer call() {
        System.out.println("CPU models:     " + String.join(" ", CpuModel.NAMES));
        System.out.println("timing presets: " + String.join(" ", TimingPreset.names()));
        System.out.println("scenarios:      builtin:" + String.join(" builtin:", ScenarioFile.embeddedNames()));
        System.out.println("SPP profiles:   "
                + Arrays.stream(SppProfile.values())
                        .map(profile -> profile.name().toLowerCase(Locale.ROOT))
                        .collect(Collectors.joining(" ")));
        return 0;
    }
}
