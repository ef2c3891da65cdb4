package org.vmxsim.core.system;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Interception;
import org.vmxsim.core.model.CpuModel;

@DisplayName("SDM \"RDMSR-Read From Model Specific Register\", \"WRMSR-Write to Model Specific Register\"")
class MsrTest {
    private static final String RDMSR = "0f32";
    private static final String WRMSR = "0f30";

    private static String write(Scene scene, int msr, long value) {
        scene.r(CpuState.RCX, msr & 0xffff_ffffL);
        scene.edxEax(value);
        return scene.run(WRMSR);
    }

    private static String read(Scene scene, int msr) {
        scene.r(CpuState.RCX, msr & 0xffff_ffffL | 0xdead_0000_0000_0000L);
        scene.edxEax(-1);
        return scene.run(RDMSR);
    }

    @ParameterizedTest(name = "MSR {0}: {1} is {2}")
    @CsvSource({
        "1b, fee00900, ok",
        "1b, fee00901, #13(0)",
        "1b, fee00b00, #13(0)",
        "1b, 10000000fee00900, #13(0)",
        "174, 10, ok",
        "175, ffff800000000000, ok",
        "175, ffffffffffffff, ok",
        "175, 100000000000000, #13(0)",
        "176, 8000000000000000, #13(0)",
        "1a0, 41800, ok",
        "1a0, 41a01, #13(0)",
        "1a0, 1801, ok",
        "1a0, 1, #13(0)",
        "1d9, 3, ok",
        "1d9, 4, #13(0)",
        "277, 0706050401000706, ok",
        "277, 0706050402000706, #13(0)",
        "277, 08, #13(0)",
        "277, 0300000000000000, #13(0)",
        "c0000080, d01, ok",
        "c0000080, 901, ok",
        "c0000080, c01, #13(0)",
        "c0000080, d03, #13(0)",
        "c0000080, 1d01, #13(0)",
        "c0000081, ffffffffffffffff, ok",
        "c0000082, ffffffff81000000, ok",
        "c0000082, 4000000000000000, #13(0)",
        "c0000083, 1000000000000000, #13(0)",
        "c0000084, 47700, ok",
        "c0000084, 100000000, #13(0)",
        "c0000100, 7fffffffffff, ok",
        "c0000100, 8000000000000000, #13(0)",
        "c0000101, ff00000000000000, ok",
        "c0000101, fe00000000000000, #13(0)",
        "c0000102, fe00000000000000, #13(0)",
        "c0000103, ffffffff, ok",
        "c0000103, 100000000, #13(0)",
        "3a, 5, ok",
        "3a, 1, ok",
        "3a, 2, #13(0)",
        "3a, 8, #13(0)",
        "3a, 100005, #13(0)",
        "8b, 0, ok",
        "480, 0, #13(0)",
        "123, 0, #13(0)",
        "c0000085, 0, #13(0)",
        "6e1, ffffffff, ok",
        "6e1, 100000000, #13(0)",
        "fe, 0, #13(0)"
    })
    void writes(String msr, String value, String outcome) {
        Scene scene = Scene.of64();
        int number = (int) Long.parseLong(msr, 16);
        long given = Long.parseUnsignedLong(value, 16);
        assertThat(write(scene, number, given)).isEqualTo(outcome);
        if (outcome.equals("ok")) {
            assertThat(read(scene, number)).isEqualTo("ok");
            long lmaIsReadOnly = number == 0xc000_0080 ? 0x400 : 0;
            assertThat(scene.edxEax()).isEqualTo(given | lmaIsReadOnly);
        }
    }

    @Test
    @DisplayName("RDMSR of an unknown MSR is #GP(0), after the exit; the halves go to EDX and EAX, zero-extended")
    void reads() {
        Scene scene = Scene.of64().inGuest();
        assertThat(read(scene, 0x123)).isEqualTo("#13(0)");
        scene.vmx.intercepted.add(Interception.RDMSR);
        assertThat(read(scene, 0x123)).isEqualTo("exit RDMSR");
        assertThat(scene.vmx.value).isEqualTo(0x123);
        scene.vmx.intercepted.clear();
        assertThat(read(scene, 0xc000_0080)).isEqualTo("ok");
        assertThat(scene.vmx.value).isEqualTo(0xc000_0080L);
        assertThat(scene.r(CpuState.RAX)).isEqualTo(0xd01);
        assertThat(scene.r(CpuState.RDX)).isZero();
        assertThat(read(scene, 0x480)).isEqualTo("ok");
        assertThat(scene.edxEax()).isEqualTo(0x1234);
        assertThat(read(scene, 0x481)).isEqualTo("#13(0)");
    }

    @Test
    @DisplayName("EFER.LME cannot change while paging is on; EFER bits exist as the model has the features")
    void extendedFeatures() {
        Scene scene = Scene.of32();
        assertThat(write(scene, 0xc000_0080, 0x100)).isEqualTo("ok");
        assertThat(scene.cpu.efer).isEqualTo(0x100);
        assertThat(write(scene, 0xc000_0080, 0x500)).as("LMA is read-only").isEqualTo("ok");
        assertThat(scene.cpu.efer).isEqualTo(0x100);
        assertThat(write(Scene.of64(), 0xc000_0080, 1)).isEqualTo("#13(0)");
    }

    @Test
    @DisplayName("IA32_FEATURE_CONTROL is locked by bit 0, and exists with VMX only")
    void featureControl() {
        Scene scene = Scene.of64();
        assertThat(write(scene, 0x3a, 5)).isEqualTo("ok");
        assertThat(write(scene, 0x3a, 5)).isEqualTo("#13(0)");
        assertThat(read(Scene.of64(CpuModel.MINIMAL), 0x3a)).isEqualTo("#13(0)");
    }

    @Test
    @DisplayName("writing the time-stamp counter moves IA32_TSC_ADJUST, and the other way round")
    void timeStampCounter() {
        Scene scene = Scene.of64();
        scene.cpu.retired = 1000;
        assertThat(write(scene, 0x10, 5000)).isEqualTo("ok");
        assertThat(scene.cpu.tscAdjust).isEqualTo(4000);
        assertThat(scene.run("0f31")).isEqualTo("ok");
        assertThat(scene.edxEax()).isEqualTo(5000);
        assertThat(write(scene, 0x3b, 0)).isEqualTo("ok");
        assertThat(scene.run("0f01f9")).isEqualTo("ok");
        assertThat(scene.edxEax()).isEqualTo(1000);
        assertThat(read(Scene.of64(CpuModel.MINIMAL), 0x3b)).isEqualTo("#13(0)");
        scene.inGuest();
        assertThat(read(scene, 0x10)).as("RDMSR sees the offset of the VMCS").isEqualTo("ok");
        assertThat(scene.edxEax()).isEqualTo(1_001_000);
    }

    @Test
    @DisplayName("FS and GS base are the segment registers' bases; SWAPGS exchanges GS and KERNEL_GS_BASE")
    void segmentBases() {
        Scene scene = Scene.of64();
        write(scene, 0xc000_0100, 0x1111);
        write(scene, 0xc000_0101, 0x2222);
        write(scene, 0xc000_0102, 0x3333);
        assertThat(scene.cpu.segments[CpuState.FS].base).isEqualTo(0x1111);
        assertThat(scene.run("0f01f8")).isEqualTo("ok");
        assertThat(scene.cpu.segments[CpuState.GS].base).isEqualTo(0x3333);
        assertThat(scene.cpu.kernelGsBase).isEqualTo(0x2222);
        assertThat(scene.level(3).run("0f01f8")).isEqualTo("#13(0)");
    }

    @Test
    @DisplayName("IA32_MISC_ENABLE bit 18 takes MONITOR away, in CPUID too")
    void monitorEnable() {
        Scene scene = Scene.of64();
        scene.r(CpuState.RAX, 1);
        assertThat(scene.run("0fa2")).isEqualTo("ok");
        assertThat(scene.r(CpuState.RCX) >>> 3 & 1).isEqualTo(1);
        assertThat(write(scene, 0x1a0, 0x1801)).isEqualTo("ok");
        scene.r(CpuState.RAX, 1);
        assertThat(scene.run("0fa2")).isEqualTo("ok");
        assertThat(scene.r(CpuState.RCX) >>> 3 & 1).isZero();
        scene.r(CpuState.RCX, 0);
        assertThat(scene.run("0f01c8")).isEqualTo("#6");
        assertThat(write(Scene.of64(CpuModel.MINIMAL), 0x1a0, 0x4_1801)).isEqualTo("#13(0)");
    }
}
