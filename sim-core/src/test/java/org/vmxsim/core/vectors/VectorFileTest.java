package org.vmxsim.core.vectors;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

@DisplayName("Recorded instruction vectors")
class VectorFileTest {
    private static final List<String> FAMILIES = VectorFile.FAMILIES;

    @Test
    @DisplayName("the reader derives the state that the harness has loaded: values typed from the C side")
    void derivesTheHarnessState() {
        SplitMix64 random = new SplitMix64(0);
        assertThat(random.next()).isEqualTo(0xe220a8397b1dcdafL);
        assertThat(random.next()).isEqualTo(0x6e789e6aa1b965f4L);
    }

    @Test
    @DisplayName("at least 100,000 vectors, 30 or more of every kind")
    void isLarge() {
        int total = 0;
        Map<String, Integer> counts = new HashMap<>();
        for (String family : VectorFile.FAMILIES) {
            VectorFile file = VectorFile.of(family);
            total += file.count();
            file.forEach(vector -> counts.merge(vector.mnemonic(), 1, Integer::sum));
            assertThat(counts.keySet()).containsAll(file.mnemonics());
        }
        assertThat(total).isGreaterThanOrEqualTo(100_000);
        assertThat(counts.values()).allMatch(count -> count >= 30);
    }

    @ParameterizedTest(name = "{0}")
    @FieldSource("FAMILIES")
    @DisplayName("what the manual says of every instruction holds for every vector")
    void isPlausible(String family) {
        for (InstructionVector vector : VectorFile.of(family)) {
            assertThat(vector.code().length).as(vector.toString()).isBetween(1, 16);
            assertThat(vector.after().flags() & 0xf32a)
                    .as("bit 1 and IF, nothing else")
                    .isEqualTo(0x202);
            if (vector.fault() != InstructionVector.NO_FAULT) {
                assertThat(vector.ripDelta()).as(vector.toString()).isZero();
                assertThat(vector.fault()).as(vector.toString()).isIn(0, 6, 12, 13, 14);
            }
        }
    }

    @Test
    @DisplayName("SDM \"ADD\": sum and ZF of the simplest register form, computed here")
    void agreesWithArithmeticByHand() {
        int seen = 0;
        for (InstructionVector vector : VectorFile.of("arithmetic")) {
            byte[] code = vector.code();
            boolean registers = code.length == 3 && code[0] == 0x48 && (code[2] & 0xc0) == 0xc0;
            if (vector.mnemonic().equals("add") && registers && code[1] == 0x01) {
                int source = code[2] >> 3 & 7;
                int destination = code[2] & 7;
                long sum = vector.before().gpr()[source] + vector.before().gpr()[destination];
                assertThat(vector.after().gpr()[destination]).isEqualTo(sum);
                assertThat((vector.after().flags() & 0x40) != 0).isEqualTo(sum == 0);
                seen++;
            }
        }
        assertThat(seen).isPositive();
    }
}
