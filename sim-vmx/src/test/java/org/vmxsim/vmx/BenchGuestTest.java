package org.vmxsim.vmx;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.vmxsim.core.cpu.StopReason;

@DisplayName("bench.elf under its own hypervisor computes what QEMU 7.2 prints for it without one")
class BenchGuestTest {
    private static final Path IMAGE =
            Path.of("..", "sim-core", "src", "test", "resources", "org", "vmxsim", "core", "machine", "bench.elf");

    private static final List<List<String>> RESULTS = List.of(
            List.of("e.int 100000", "0xfa8a68ddd11ae118", "1"),
            List.of("e.chase 20000 256", "0x400008f280", "1"),
            List.of("h.chase 20000 256", "0x400008f280", "1"),
            List.of("e.store 20000 256", "0x400008f280", "1"),
            List.of("h.store 20000 256", "0x400008f280", "1"),
            List.of("e.mix 1", "0xf97d87d1eb0b856", "1"),
            List.of("h.int 100000", "0xfa8a68ddd11ae118", "1"),
            List.of("vmcall 500", "0x0", "501"));

    static Stream<Arguments> cases() {
        return Stream.of(Engine.values())
                .flatMap(engine -> RESULTS.stream()
                        .map(result -> Arguments.of(result.get(0), engine, result.get(1), result.get(2))));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("cases")
    void guestHypervisorRunsItsGuest(String test, Engine engine, String check, String exits) throws IOException {
        Machine machine = Machine.of(MachineConfig.DEFAULT.withEngine(engine));
        machine.boot(Files.readAllBytes(IMAGE), "bench " + test, List.of());

        assertThat(machine.run(60_000_000)).isEqualTo(StopReason.REQUESTED);

        assertThat(machine.exitCode()).hasValue(0);
        assertThat(machine.serialOutput()).contains("check=" + check + "\r\n").contains("exits=" + exits + "\r\n");
    }
}
