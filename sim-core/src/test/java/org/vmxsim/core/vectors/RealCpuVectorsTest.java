package org.vmxsim.core.vectors;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.memory.PortBus;
import org.vmxsim.core.model.CpuModel;

@DisplayName("Every user-mode instruction does what the real processor did")
class RealCpuVectorsTest {
    private static final List<String> FAMILIES = VectorFile.FAMILIES;
    private static final int SHOWN = 2;
    private static final Set<Integer> FAULTS = Set.of(0, 4, 5, 6, 11, 12, 13, 14);
    /** Of how many vectors the cycle engine runs one, unless {@code -Dvmxsim.vectors.all=true}; no divisor of 16. */
    private static final int SAMPLE = 5;

    @ParameterizedTest(name = "{0}")
    @FieldSource("FAMILIES")
    void functionalEngine(String family) {
        judge(BareProcessor.FUNCTIONAL, family, 1);
    }

    @ParameterizedTest(name = "{0}")
    @FieldSource("FAMILIES")
    void cycleEngine(String family) {
        judge(BareProcessor.CYCLE, family, Boolean.getBoolean("vmxsim.vectors.all") ? 1 : SAMPLE);
    }

    /** What the manual says of every instruction at CPL 3 with IOPL 0. */
    private static void assertPlausible(InstructionVector vector) {
        boolean flags = (vector.after().flags() & 0xf32a) == UserState.USER_FLAGS;
        boolean fault =
                vector.outcome().completed() || FAULTS.contains(vector.outcome().fault());
        if (!flags || !fault) {
            throw new AssertionError("bit 1 and IF, nothing else, and a fault that programs can have: " + vector);
        }
    }

    private static void judge(BareProcessor engine, String family, int step) {
        CpuModel model = CpuModel.named("icelake-sp");
        UserModeBench bench = new UserModeBench(engine.over(PhysicalMemory.flat(2 << 20), new PortBus(), model));
        int number = 0;
        Map<String, Integer> differing = new TreeMap<>();
        List<String> examples = new ArrayList<>();
        for (InstructionVector vector : VectorFile.of(family)) {
            if (number++ % step != 0) {
                continue;
            }
            assertPlausible(vector);
            String difference = bench.run(vector);
            if (difference != null
                    && differing.merge(vector.form().mnemonic() + vector.form().codeBits(), 1, Integer::sum) <= SHOWN) {
                examples.add(vector + difference);
            }
        }
        assertThat(examples)
                .as("vectors that differ, by mnemonic: " + differing)
                .isEmpty();
    }
}
