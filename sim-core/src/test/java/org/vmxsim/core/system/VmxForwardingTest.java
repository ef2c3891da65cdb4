package org.vmxsim.core.system;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.SegmentRegister;
import org.vmxsim.core.cpu.VmxInstruction;
import org.vmxsim.core.cpu.VmxOperands;
import org.vmxsim.core.model.CpuModel;

@DisplayName("VMX instructions reach Virtualization with their operands: SDM \"VMX Instruction Reference\"")
class VmxForwardingTest {
    private static final String ALL = """
            f30fc77308,     VMXON,    -1, true
            0f01c4,         VMXOFF,   -1, false
            660fc77308,     VMCLEAR,  -1, true
            0fc77308,       VMPTRLD,  -1, true
            0fc77b08,       VMPTRST,  -1, true
            0f785308,       VMREAD,    2, true
            0f795308,       VMWRITE,   2, true
            0f01c2,         VMLAUNCH, -1, false
            0f01c3,         VMRESUME, -1, false
            0f01c1,         VMCALL,   -1, false
            0f01d4,         VMFUNC,   -1, false
            660f38805308,   INVEPT,    2, true
            660f38815308,   INVVPID,   2, true
            """;

    private static Scene root() {
        Scene scene = Scene.of64().inGuest();
        scene.vmx.nonRoot = false;
        scene.cpu.cr4 |= 1 << 13;
        scene.r(CpuState.RBX, Scene.DATA);
        return scene;
    }

    @ParameterizedTest(name = "{1}")
    @CsvSource(textBlock = ALL)
    void operands(String hex, VmxInstruction instruction, int register, boolean memory) {
        Scene scene = root();
        assertThat(scene.run(hex)).isEqualTo("ok");
        VmxOperands operands = scene.vmx.operands;
        assertThat(scene.vmx.executed).isEqualTo(instruction);
        assertThat(operands.register).isEqualTo(register);
        assertThat(operands.memory).isEqualTo(memory);
        if (memory) {
            assertThat(operands.linear).isEqualTo(Scene.DATA + 8);
            assertThat(operands.displacement).isEqualTo(8);
            assertThat(operands.base).isEqualTo(CpuState.RBX);
            assertThat(operands.rmRegister).isEqualTo(-1);
        }
        assertThat(scene.cpu.rip).isEqualTo(Scene.CODE + hex.length() / 2);
        assertThat(scene.cpu.instructionLength).isEqualTo(hex.length() / 2);
    }

    @ParameterizedTest(name = "{1}")
    @CsvSource(textBlock = ALL)
    @DisplayName("undefined without VMX, without CR4.VMXE, in real-address mode and in compatibility mode")
    void undefined(String hex, VmxInstruction instruction, int register, boolean memory) {
        assertThat(Scene.of64().run(hex)).as("nothing implements it").isEqualTo("#6");
        assertThat(Scene.of64(CpuModel.MINIMAL).inGuest().run(hex)).isEqualTo("#6");
        Scene disabled = root();
        disabled.cpu.cr4 &= ~(1 << 13);
        assertThat(disabled.run(hex)).isEqualTo("#6");
        Scene real = Scene.ofReal().inGuest();
        real.vmx.nonRoot = false;
        real.cpu.cr4 |= 1 << 13;
        assertThat(real.run(hex)).isEqualTo("#6");
        Scene compatibility = Scene.of32().inGuest();
        compatibility.vmx.nonRoot = false;
        compatibility.cpu.cr4 |= 1 << 13;
        compatibility.cpu.efer = 0x500;
        assertThat(compatibility.run(hex)).as(instruction.name()).isEqualTo("#6");
    }

    @Test
    @DisplayName("VMCALL leaves a guest from real-address mode too")
    void callFromAnyMode() {
        Scene scene = Scene.ofReal().inGuest();
        assertThat(scene.run("0f01c1")).isEqualTo("ok");
        assertThat(scene.vmx.executed).isEqualTo(VmxInstruction.VMCALL);
    }

    @Test
    @DisplayName("a VM entry leaves RIP as it loaded it")
    void entry() {
        Scene scene = root();
        scene.vmx.replacesState = true;
        assertThat(scene.run("0f01c2")).isEqualTo("ok");
        assertThat(scene.cpu.rip).as("the fake loads nothing").isEqualTo(Scene.CODE);
    }

    @Test
    @DisplayName("outside 64-bit mode operands obey their segments, unless #UD, #GP or an exit comes before")
    void segments() {
        Scene scene = Scene.of32().inGuest();
        scene.vmx.nonRoot = false;
        scene.cpu.cr4 |= 1 << 13;
        scene.cpu.segments[CpuState.DS].set(0, 0, 0, SegmentRegister.UNUSABLE);
        assertThat(scene.run("0fc733")).isEqualTo("#13(0)");
        assertThat(scene.vmx.executed).isNull();
        scene.vmx.nonRoot = true;
        assertThat(scene.run("0fc733")).isEqualTo("ok");
        assertThat(scene.vmx.executed).isEqualTo(VmxInstruction.VMPTRLD);
    }
}
