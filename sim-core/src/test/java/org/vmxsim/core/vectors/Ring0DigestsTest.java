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

/** Runs a quarter of the cases, the cycle engine a sixteenth; all with {@code -Dvmxsim.vectors.all=true}. */
@DisplayName("103,200 ring-0 scenarios have the digests that they have on QEMU")
class Ring0DigestsTest {
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
        BareMachine machine = RecordedProgram.booted(engine, "ring0.elf", "ring0 " + arguments);
        assertThat(machine.cpu.run(BUDGET)).isEqualTo(StopReason.REQUESTED);
        assertThat(machine.exit.code()).isZero();
        return machine.console();
    }

    private static String recorded() throws IOException {
        try (InputStream resource =
                new GZIPInputStream(Ring0DigestsTest.class.getResourceAsStream("ring0-digests.txt.gz"))) {
            return new String(resource.readAllBytes(), StandardCharsets.US_ASCII);
        }
    }
}
