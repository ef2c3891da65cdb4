package org.vmxsim.core.vectors;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("Recorded instruction vectors")
class VectorFileTest {
    @Test
    @DisplayName("the reader derives the state that the harness has loaded: values typed from the C side")
    void derivesTheHarnessState() {
        SplitMix64 random = new SplitMix64(0);
        assertThat(random.next()).isEqualTo(0xe220a8397b1dcdafL);
        assertThat(random.next()).isEqualTo(0x6e789e6aa1b965f4L);
    }

    @Test
    @DisplayName("at least 1,000,000 vectors, 100 or more of every kind, in 16-, 32- and 64-bit code")
    void isLarge() {
        int total = 0;
        Map<String, Integer> counts = new HashMap<>();
        Map<Integer, Integer> modes = new HashMap<>();
        for (String family : VectorFile.FAMILIES) {
            VectorFile file = VectorFile.of(family);
            total += file.count();
            for (FormReader.FormState form : file.forms()) {
                counts.merge(form.form().mnemonic(), form.count(), Integer::sum);
                modes.merge(form.form().codeBits(), form.count(), Integer::sum);
                assertThat(form.form().code().length).as(form.form().toString()).isBetween(1, 24);
            }
            assertThat(counts.keySet()).containsAll(file.mnemonics());
            assertThat(file.processorName()).isNotBlank();
        }
        assertThat(total)
                .isGreaterThanOrEqualTo(1_000_000)
                .isEqualTo(counts.values().stream().mapToInt(Integer::intValue).sum());
        assertThat(counts.values()).allMatch(count -> count >= 100);
        assertThat(modes.keySet()).containsExactlyInAnyOrder(16, 32, 64);
        assertThat(modes.values()).allMatch(count -> count >= 50_000);
    }

    @Test
    @DisplayName("SDM \"ADD\": sum and ZF of the simplest register form, computed here")
    void agreesWithArithmeticByHand() {
        int seen = 0;
        for (InstructionVector vector : VectorFile.of("arithmetic")) {
            byte[] code = vector.form().code();
            boolean registers = code.length == 3 && code[0] == 0x48 && (code[2] & 0xc0) == 0xc0;
            if (vector.form().mnemonic().equals("add") && registers && code[1] == 0x01) {
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
