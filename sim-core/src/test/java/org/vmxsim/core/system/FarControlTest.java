package org.vmxsim.core.system;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Event;
import org.vmxsim.core.cpu.Interception;
import org.vmxsim.core.cpu.Processor;

@DisplayName("Far JMP, CALL and RET, IRET, software interrupts")
class FarControlTest {
    private static final int TARGET = 0x9000;

    @Test
    @DisplayName("far JMP and CALL in real-address mode")
    void realMode() {
        Scene scene = Scene.ofReal();
        assertThat(scene.run("ea34120010")).isEqualTo("ok");
        assertThat(scene.cpu.rip).isEqualTo(0x1234);
        assertThat(scene.cpu.segments[CpuState.CS].selector).isEqualTo(0x1000);
        assertThat(scene.cpu.segments[CpuState.CS].base).isEqualTo(0x1_0000);
        Scene call = Scene.ofReal();
        assertThat(call.run("9a34120010")).isEqualTo("ok");
        assertThat(call.r(CpuState.RSP)).isEqualTo(Scene.STACK - 4);
        assertThat(call.memory.readInt(Scene.STACK - 4)).isEqualTo((int) Scene.CODE + 5);
        assertThat(call.run("cb")).isEqualTo("ok");
        assertThat(call.cpu.rip).isEqualTo(Scene.CODE + 5);
        assertThat(call.cpu.segments[CpuState.CS].selector).isZero();
    }

    @Test
    @DisplayName("far JMP from real-address code switches to protected mode once CR0.PE is set")
    void intoProtectedMode() {
        Scene scene = Scene.ofReal();
        scene.r(CpuState.RAX, 0x31);
        assertThat(scene.run("0f22c0")).isEqualTo("ok");
        assertThat(scene.cpu.mode).isEqualTo(Processor.CODE_16);
        scene.descriptor(Scene.CODE_0, 0x00cf_9b00_0000_ffffL);
        assertThat(scene.run("66ea009000000800")).isEqualTo("ok");
        assertThat(scene.cpu.mode).isEqualTo(Processor.CODE_32);
        assertThat(scene.cpu.rip).isEqualTo(TARGET);
    }

    @ParameterizedTest(name = "selector {0}")
    @CsvSource({"0, #13(0)", "10, #13(10)", "70, #13(70)", "28, #13(28)", "b, #13(8)", "8, ok", "c, #13(c)"})
    @DisplayName("far JMP through memory in 64-bit mode: null, data, outside, other privilege, RPL")
    void memoryForm(String selector, String outcome) {
        Scene scene = Scene.of64();
        scene.r(CpuState.RBX, Scene.DATA);
        scene.memory.writeLong(Scene.DATA, TARGET | Long.parseLong(selector, 16) << 32);
        assertThat(scene.run("ff2b")).isEqualTo(outcome);
        if (outcome.equals("ok")) {
            assertThat(scene.cpu.rip).isEqualTo(TARGET);
        }
    }

    @Test
    @DisplayName("far CALL and RET with REX.W use 8-byte slots")
    void callAndReturn64() {
        Scene scene = Scene.of64();
        scene.r(CpuState.RBX, Scene.DATA);
        scene.memory.writeLong(Scene.DATA, TARGET);
        scene.memory.writeShort(Scene.DATA + 8, Scene.CODE_0);
        assertThat(scene.run("48ff1b")).isEqualTo("ok");
        assertThat(scene.r(CpuState.RSP)).isEqualTo(Scene.STACK - 16);
        assertThat(scene.memory.readLong(Scene.STACK - 16)).isEqualTo(Scene.CODE + 3);
        assertThat(scene.memory.readLong(Scene.STACK - 8)).isEqualTo(Scene.CODE_0);
        assertThat(scene.run("48ca0800")).as("lret 8").isEqualTo("ok");
        assertThat(scene.cpu.rip).isEqualTo(Scene.CODE + 3);
        assertThat(scene.r(CpuState.RSP)).isEqualTo(Scene.STACK + 8);
    }

    @Test
    @DisplayName("IRETQ to CPL 3: flags, stack, CPL; DS and GS of the kernel become null, the base of GS stays")
    void interruptReturn() {
        Scene scene = Scene.of64();
        scene.cpu.segments[CpuState.GS].base = 0x12_3456_7890L;
        long[] frame = {TARGET, Scene.CODE_3 | 3, 0x3202, 0x6000, Scene.DATA_3 | 3};
        for (int i = 0; i < frame.length; i++) {
            scene.memory.writeLong(Scene.STACK + 8L * i, frame[i]);
        }
        assertThat(scene.run("48cf")).isEqualTo("ok");
        assertThat(scene.cpu.rip).isEqualTo(TARGET);
        assertThat(scene.cpu.cpl).isEqualTo(3);
        assertThat(scene.r(CpuState.RSP)).isEqualTo(0x6000);
        assertThat(scene.cpu.rflags()).isEqualTo(0x3202);
        assertThat(scene.cpu.segments[CpuState.SS].selector).isEqualTo(Scene.DATA_3 | 3);
        assertThat(scene.cpu.segments[CpuState.DS].unusable()).isTrue();
        assertThat(scene.cpu.segments[CpuState.GS].unusable()).isTrue();
        assertThat(scene.cpu.segments[CpuState.GS].selector).isZero();
        assertThat(scene.cpu.segments[CpuState.GS].base).isEqualTo(0x12_3456_7890L);
        scene.level(0);
        scene.cpu.rflagsSystem |= 1 << 14;
        assertThat(scene.run("48cf")).as("NT in IA-32e mode").isEqualTo("#13(0)");
    }

    @ParameterizedTest
    @CsvSource({"0x00000002, 0x003f7fd7, 0x00257fd7", "0x00180002, 0x00000002, 0x00180002"})
    @DisplayName("IRETD in real-address mode: the image AND 257FD5H, with VM, VIF and VIP as they were")
    void interruptReturnInRealMode(int before, int image, int after) {
        Scene scene = Scene.ofReal();
        scene.cpu.rflags(before);
        int[] frame = {TARGET, 0, image};
        for (int i = 0; i < frame.length; i++) {
            scene.memory.writeInt(Scene.STACK + 4L * i, frame[i]);
        }
        assertThat(scene.run("66cf")).isEqualTo("ok");
        assertThat(scene.cpu.rip).isEqualTo(TARGET);
        // the scene ends behind the instruction: RF is that of the image
        assertThat(scene.cpu.rflags() & ~0x1_0000L).isEqualTo(after & ~0x1_0000L);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({"cd80, 4, 128", "cd03, 4, 3", "cc, 6, 3", "f1, 5, 1"})
    @DisplayName("INT n, INT3 and INT1 ask for their event type; RIP stays, the length is known")
    void softwareInterrupts(String hex, int type, int vector) {
        Scene scene = Scene.of64();
        assertThat(scene.run(hex)).isEqualTo("#" + vector);
        assertThat(scene.cpu.events().requested().type).isEqualTo(type);
        assertThat(scene.cpu.instructionLength).isEqualTo(hex.length() / 2);
    }

    @Test
    @DisplayName("INTO asks with OF only")
    void overflow() {
        Scene scene = Scene.of32();
        assertThat(scene.run("ce")).isEqualTo("ok");
        scene.cpu.rflags(0x802);
        assertThat(scene.run("ce")).isEqualTo("#4");
        assertThat(scene.cpu.events().requested().type).isEqualTo(Event.SOFTWARE_EXCEPTION);
    }

    /**
     * SDM "Exit Qualification for Task Switches": selector in bits 15:0, source in bits 31:30: CALL, IRET, JMP, gate.
     */
    @ParameterizedTest
    @CsvSource({
        "9a 00 00 00 00 30 00, 0x00000030",
        "ea 00 00 00 00 30 00, 0x80000030",
        "cf, 0x40000038",
    })
    void taskSwitchesExitInAGuest(String hex, long qualification) {
        Scene scene = Scene.of32().inGuest();
        scene.vmx.intercepted.add(Interception.TASK_SWITCH);
        scene.memory.writeShort(Scene.TSS, 0x38);
        scene.descriptor(0x38, 0x0000_8b00_2000_0067L);
        scene.cpu.rflagsSystem |= hex.equals("cf") ? 1 << 14 : 0;
        assertThat(scene.run(hex)).isEqualTo("exit TASK_SWITCH");
        assertThat(scene.vmx.qualification).isEqualTo(qualification);
        assertThat(scene.memory.readLong(Scene.GDT + 0x30)).isEqualTo(0x0000_8900_2000_0067L);
    }

    /** SDM "Treatment of Task Switches": the checks of the new TSS descriptor come before the exit. */
    @ParameterizedTest
    @CsvSource({
        "0x0000090020000067, #11(30)",
        "0x00008b0020000067, #13(30)",
        "0x0000890020000066, #10(30)",
    })
    void checksOfTheNewTaskComeBeforeTheExit(String descriptor, String outcome) {
        Scene scene = Scene.of32().inGuest();
        scene.vmx.intercepted.add(Interception.TASK_SWITCH);
        scene.descriptor(Scene.TASK, Long.decode(descriptor));
        assertThat(scene.run("ea 00 00 00 00 30 00")).isEqualTo(outcome);
    }
}
