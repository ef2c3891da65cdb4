package org.vmxsim.core.vectors;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.core.machine.BareMachine;

@DisplayName("7,740 ring-0 scenarios end as they do on QEMU: same program, same console output")
class Ring0ScenariosTest {
    private static final long BUDGET = 200_000_000;

    @ParameterizedTest
    @EnumSource
    void endAsRecorded(BareProcessor engine) throws IOException {
        BareMachine machine = RecordedProgram.booted(engine, "ring0.elf", "ring0");

        StopReason reason = machine.cpu.run(BUDGET);

        assertThat(RecordedProgram.differences(machine.console(), RecordedCase.lines()))
                .isEmpty();
        assertThat(reason).isEqualTo(StopReason.REQUESTED);
        assertThat(machine.exit.code()).isZero();
    }
}
