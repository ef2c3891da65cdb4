package org.vmxsim.core.vectors;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.core.machine.BareMachine;

@DisplayName("2,000 task switches and instructions in virtual-8086 mode end as they do on QEMU")
class ModesTest {
    private static final long BUDGET = 200_000_000;

    @ParameterizedTest
    @EnumSource
    void endAsRecorded(BareProcessor engine) throws IOException {
        BareMachine machine = RecordedProgram.booted(engine, "modes.elf", "modes");

        StopReason reason = machine.cpu.run(BUDGET);

        assertThat(RecordedProgram.differences(machine.console(), recorded())).isEmpty();
        assertThat(reason).isEqualTo(StopReason.REQUESTED);
        assertThat(machine.exit.code()).isZero();
    }

    private static List<String> recorded() throws IOException {
        try (InputStream resource = new GZIPInputStream(ModesTest.class.getResourceAsStream("modes.txt.gz"))) {
            return new String(resource.readAllBytes(), StandardCharsets.US_ASCII)
                    .lines()
                    .toList();
        }
    }
}
