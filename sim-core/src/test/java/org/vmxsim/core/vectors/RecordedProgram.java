package org.vmxsim.core.vectors;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import org.vmxsim.core.machine.BareMachine;
import org.vmxsim.core.model.CpuModel;
import org.vmxsim.core.time.TimingPreset;

/** A program whose console output on another machine is recorded. */
final class RecordedProgram {
    private static final long RAM_BYTES = 64 << 20;
    private static final int SHOWN = 10;

    private RecordedProgram() {}

    /** A machine that is about to run the program. */
    static BareMachine booted(BareProcessor engine, String resource, String commandLine) throws IOException {
        BareMachine machine = new BareMachine(RAM_BYTES, CpuModel.named("icelake-sp"));
        if (engine == BareProcessor.CYCLE) {
            machine.useCycleEngine(TimingPreset.named("skylake-sp"));
        }
        try (InputStream image = RecordedProgram.class.getResourceAsStream(resource)) {
            machine.boot(image.readAllBytes(), commandLine);
        }
        return machine;
    }

    /** The first lines that differ. */
    static List<String> differences(String console, List<String> recorded) {
        List<String> printed = console.lines().toList();
        List<String> different = new ArrayList<>();
        for (int i = 0; i < Math.max(printed.size(), recorded.size()) && different.size() < SHOWN; i++) {
            String is = i < printed.size() ? printed.get(i) : "nothing";
            String must = i < recorded.size() ? recorded.get(i) : "nothing";
            if (!is.equals(must)) {
                different.add("line " + (i + 1) + "\n  is   " + is + "\n  must " + must);
            }
        }
        return different;
    }
}
