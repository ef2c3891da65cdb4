package org.vmxsim.core.insn;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Decoder;
import org.vmxsim.core.model.CpuModel;

@DisplayName("Instructions exist only where CPUID says so")
class RequiredFeatureTest {
    @ParameterizedTest(name = "{1}: on the minimal model {2}")
    @CsvSource(textBlock = """
            # bytes, what, on the minimal model
            f30fb8c1,     POPCNT,     true
            0f38f003,     MOVBE,      false
            660f38f6c1,   ADCX,       false
            480fc70e,     CMPXCHG16B, true
            660fae33,     CLWB,       false
            c4e278f2c1,   ANDN,       false
            c4e27bf7c1,   SHRX,       false
            0f44c1,       CMOVE,      true
            0fc70e,       CMPXCHG8B,  true
            9f,           LAHF,       true
            01c8,         ADD,        true
            """)
    void minimal(String bytes, String what, boolean there) {
        DecodedInstruction d = new DecodedInstruction();
        byte[] code = HexFormat.of().parseHex(bytes);
        assertThat(new Decoder().decode(code, code.length, 64, d)).isTrue();
        assertThat(d.op.name()).isEqualTo(what);
        assertThat(RequiredFeature.isThere(d, CpuModel.MAX)).isTrue();
        assertThat(RequiredFeature.isThere(d, CpuModel.named("minimal"))).isEqualTo(there);
    }

    @ParameterizedTest(name = "{1}: on the minimal model {2}")
    @CsvSource({"f30fbcc1, TZCNT, BSF", "f30fbdc1, LZCNT, BSR", "0fbcc1, BSF, BSF"})
    @DisplayName("A prefix that a processor does not know is ignored")
    void ignoredPrefix(String bytes, String onMax, String onMinimal) {
        DecodedInstruction d = new DecodedInstruction();
        byte[] code = HexFormat.of().parseHex(bytes);
        assertThat(new Decoder().decode(code, code.length, 64, d)).isTrue();
        RequiredFeature.withoutIgnoredPrefix(d, CpuModel.MAX);
        assertThat(d.op.name()).isEqualTo(onMax);
        RequiredFeature.withoutIgnoredPrefix(d, CpuModel.named("minimal"));
        assertThat(d.op.name()).isEqualTo(onMinimal);
    }
}
