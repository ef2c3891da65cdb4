package org.vmxsim.core.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.core.model.CpuModel;
import org.vmxsim.core.time.TimingPreset;

@DisplayName("bench.elf boots and computes what QEMU 7.2 prints; with -icount shift=0 also the same RDTSC difference")
class BenchGuestTest {
    private static final Pattern END = Pattern.compile("END .* tsc=(\\d+) check=(0x[0-9a-f]+)");
    private static final String RESULTS = """
            int 100000,       800076,    0xfa8a68ddd11ae118
            chase 20000 256,  60053,     0x400008f280
            store 20000 256,  80071,     0x400008f280
            mix 1,            5299967,   0xf97d87d1eb0b856
            """;

    @ParameterizedTest(name = "{0}")
    @CsvSource(textBlock = RESULTS)
    void functionalEngineAgreesWithQemu(String test, long timeStamp, String check) throws IOException {
        Matcher end = run(test, false);

        assertThat(end.group(2)).isEqualTo(check);
        assertThat(end.group(1)).isEqualTo(Long.toString(timeStamp));
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(textBlock = RESULTS)
    void cycleEngineComputesTheSame(String test, long timeStamp, String check) throws IOException {
        assertThat(run(test, true).group(2)).isEqualTo(check);
    }

    private static Matcher run(String test, boolean cycles) throws IOException {
        BareMachine machine = new BareMachine(160L << 20, CpuModel.MINIMAL);
        if (cycles) {
            machine.useCycleEngine(TimingPreset.named("skylake-sp"));
        }
        try (InputStream image = BenchGuestTest.class.getResourceAsStream("bench.elf")) {
            machine.boot(image.readAllBytes(), "bench " + test);
        }
        assertThat(machine.cpu.run(50_000_000)).isEqualTo(StopReason.REQUESTED);
        assertThat(machine.exit.code()).isZero();
        Matcher end = END.matcher(machine.console());
        assertThat(end.find()).as(machine.console()).isTrue();
        return end;
    }
}
