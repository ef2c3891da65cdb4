package org.vmxsim.core.vectors;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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
    private static final int SHOWN = 5;

    @ParameterizedTest(name = "{0}")
    @FieldSource("FAMILIES")
    void functionalEngine(String family) {
        judge(BareProcessor.FUNCTIONAL, family);
    }

    @ParameterizedTest(name = "{0}")
    @FieldSource("FAMILIES")
    void cycleEngine(String family) {
        judge(BareProcessor.CYCLE, family);
    }

    private static void judge(BareProcessor engine, String family) {
        UserModeBench bench = new UserModeBench(engine.over(PhysicalMemory.flat(2 << 20), new PortBus(), CpuModel.MAX));
        Map<String, Integer> differing = new TreeMap<>();
        List<String> examples = new ArrayList<>();
        for (InstructionVector vector : VectorFile.of(family)) {
            String difference = bench.run(vector);
            if (difference != null && differing.merge(vector.mnemonic(), 1, Integer::sum) <= SHOWN) {
                examples.add(vector + difference);
            }
        }
        assertThat(examples)
                .as("vectors that differ, by mnemonic: " + differing)
                .isEmpty();
    }
}
