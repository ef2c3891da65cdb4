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
import org.vmxsim.core.boot.GuestMemory;
import org.vmxsim.core.boot.MultibootImage;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.memory.PortBus;
import org.vmxsim.core.model.CpuModel;
import org.vmxsim.core.platform.DebugExit;
import org.vmxsim.core.platform.Uart16550;

/** Runs a quarter of the cases, the cycle engine a sixteenth; all with {@code -Dvmxsim.vectors.all=true}. */
@DisplayName("103,200 ring-0 scenarios have the digests that they have on QEMU")
class Ring0DigestsTest {
    private static final long RAM_BYTES = 64 << 20;
    private static final long BUDGET = 2_000_000_000;
    private static final int ROUNDS = 3200;
    private static final int CASES_A_ROUND = 32;
    private static final int CASES = ROUNDS * CASES_A_ROUND;

    @ParameterizedTest
    @EnumSource
    void endAsRecorded(BareProcessor engine) throws IOException {
        boolean all = Boolean.getBoolean("vmxsim.vectors.all");
        int rounds = all ? ROUNDS : engine == BareProcessor.FUNCTIONAL ? ROUNDS / 4 : ROUNDS / 16;
        List<String> recorded = digests(recorded());
        assertThat(recorded).hasSizeGreaterThan(CASES);

        List<String> seen = digests(run(engine, "digests=" + rounds));

        int compared = all ? recorded.size() : seen.size() - 1;
        assertThat(compared).isGreaterThan(rounds * CASES_A_ROUND);
        for (int i = 0; i < compared; i++) {
            if (i >= seen.size() || !seen.get(i).equals(recorded.get(i))) {
                throw new AssertionError("the first case that differs from QEMU is number " + i + "; ring0/build.sh "
                        + i + " shows what QEMU does, here it is\n" + shown(engine, i));
            }
        }
    }

    /** The digest of each case, and at the end the word END with the hash of all. */
    private static List<String> digests(String console) {
        return List.of(console.strip().replace("END ", "END").split("\\s+"));
    }

    private static String shown(BareProcessor engine, int number) throws IOException {
        return run(engine, "digests=" + (number / CASES_A_ROUND + 2) + " show=" + number)
                .lines()
                .filter(line -> line.contains(" : "))
                .findFirst()
                .orElse("(nothing)");
    }

    private static String run(BareProcessor engine, String arguments) throws IOException {
        PhysicalMemory memory = PhysicalMemory.flat(RAM_BYTES);
        StringBuilder console = new StringBuilder();
        PortBus ports = new PortBus();
        Processor cpu = engine.over(memory, ports, CpuModel.named("icelake-sp"));
        DebugExit exit = new DebugExit(() -> cpu.stop(StopReason.REQUESTED));
        ports.attach(Uart16550.COM1, Uart16550.PORTS, new Uart16550(value -> console.append((char) value)));
        ports.attach(DebugExit.PORT, DebugExit.PORTS, exit);
        GuestMemory ram = new GuestMemory() {
            @Override
            public void load(long address, byte[] bytes) {
                memory.load(address, bytes);
            }

            @Override
            public long lowRamBytes() {
                return RAM_BYTES;
            }
        };
        image().load(ram, "ring0 " + arguments, List.of()).apply(cpu);
        cpu.modeChanged();
        assertThat(cpu.run(BUDGET)).isEqualTo(StopReason.REQUESTED);
        assertThat(exit.code()).isZero();
        return console.toString();
    }

    private static String recorded() throws IOException {
        try (InputStream resource =
                new GZIPInputStream(Ring0DigestsTest.class.getResourceAsStream("ring0-digests.txt.gz"))) {
            return new String(resource.readAllBytes(), StandardCharsets.US_ASCII);
        }
    }

    private static MultibootImage image() throws IOException {
        try (InputStream resource = Ring0DigestsTest.class.getResourceAsStream("ring0.elf")) {
            return MultibootImage.parse(resource.readAllBytes());
        }
    }
}
