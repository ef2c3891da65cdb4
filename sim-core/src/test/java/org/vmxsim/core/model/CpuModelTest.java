package org.vmxsim.core.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;

@DisplayName("CPU models")
class CpuModelTest {
    private static final String WIDTHS = "cpuid 0x80000000 0 0x80000008 0 0 0\ncpuid 0x80000008 0 0x302e 0 0 0\n";

    @SuppressWarnings("unused")
    static final java.util.List<String> NAMES = CpuModel.NAMES;

    @ParameterizedTest
    @FieldSource("NAMES")
    @DisplayName("Every shipped model claims x87 and FXSR, none MMX, SSE, AVX, XSAVE or performance counters")
    void claimsNothingThatDoesNotRun(String name) {
        CpuModel model = CpuModel.named(name);

        assertThat(model.name()).isEqualTo(name);
        assertThat(model.cpuid(1, 0, 3) & (1 << 23 | 1 << 25 | 1 << 26)).isZero();
        assertThat(model.has(CpuFeature.FPU)).isTrue();
        assertThat(model.has(CpuFeature.FXSR)).isTrue();
        assertThat(model.cpuid(1, 0, 2) & (1 | 1 << 9 | 1 << 15 | 1 << 19 | 1 << 20 | 1 << 26 | 1 << 28))
                .isZero();
        assertThat(model.cpuid(0xa, 0, 0)).isZero();
        assertThat(model.has(CpuFeature.LONG_MODE)).isTrue();
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(textBlock = """
            minimal,    40, 48, false, false, false
            skylake-sp, 46, 48, true,  true,  false
            icelake-sp, 46, 57, true,  true,  true
            tigerlake,  39, 48, true,  true,  false
            sapphire-rapids, 46, 57, true, true, true
            max,        52, 57, true,  true,  true
            """)
    void widthsAndFeatures(String name, int physical, int linear, boolean vmx, boolean smap, boolean la57) {
        CpuModel model = CpuModel.named(name);

        assertThat(model.physicalAddressBits()).isEqualTo(physical);
        assertThat(model.linearAddressBits()).isEqualTo(linear);
        assertThat(model.has(CpuFeature.VMX)).isEqualTo(vmx);
        assertThat(model.has(CpuFeature.SMAP)).isEqualTo(smap);
        assertThat(model.has(CpuFeature.LA57)).isEqualTo(la57);
    }

    @Test
    @DisplayName("Leaf 0 says GenuineIntel; a leaf above the highest gives the data of the highest basic leaf")
    void vendorAndOutOfRange() {
        CpuModel model =
                CpuModel.parse("m", WIDTHS + "cpuid 0 0 1 0x756e6547 0x6c65746e 0x49656e69\ncpuid 1 0 7 8 9 10");

        assertThat(model.cpuid(0, 0, 1)).isEqualTo(0x756e_6547);
        assertThat(model.cpuid(0x4000_0000, 0, 2)).isEqualTo(9);
        assertThat(model.cpuid(0x8fff_ffff, 0, 0)).isEqualTo(7);
    }

    @ParameterizedTest
    @CsvSource({
        "cpuid 1 2, 'line 1: need cpuid LEAF SUBLEAF'",
        "cpuid 1 0 x 0 0 0, 'line 1: need a number, got x'",
        "speed 3, 'line 1: need cpuid, msr, timing or brand, got speed'",
        "msr 0x10, 'line 1: need msr NUMBER VALUE'",
        "timing skylake-sp, 'need CPUID leaf 0x80000008'"
    })
    void badFilesNameTheLine(String text, String message) {
        assertThatThrownBy(() -> CpuModel.parse("bad", text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }

    @Test
    void unknownName() {
        assertThatThrownBy(() -> CpuModel.named("pentium"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("got pentium");
    }
}
