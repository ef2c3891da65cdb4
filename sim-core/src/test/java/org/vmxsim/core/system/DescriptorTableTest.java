package org.vmxsim.core.system;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Interception;
import org.vmxsim.core.cpu.SegmentRegister;

@DisplayName("LGDT, SGDT, LLDT, LTR, MOV to segment registers, LAR and their kin")
class DescriptorTableTest {
    private static final long ZF = 1 << 6;

    @ParameterizedTest(name = "{1}")
    @CsvSource({
        "0f0143fc, sgdt, GDTR_IDTR, 0", "0f014bfc, sidt, GDTR_IDTR, 1", "0f0153fc, lgdt, GDTR_IDTR, 2",
        "0f015bfc, lidt, GDTR_IDTR, 3", "0f0043fc, sldt, LDTR_TR, 0", "0f004bfc, str, LDTR_TR, 1",
        "0f0053fc, lldt, LDTR_TR, 2", "0f005bfc, ltr, LDTR_TR, 3"
    })
    @DisplayName("exits carry the displacement, and which instruction it was")
    void exits(String hex, String name, Interception point, long identity) {
        Scene scene = Scene.of64().inGuest();
        scene.vmx.intercepted.add(point);
        assertThat(scene.run(hex)).isEqualTo("exit " + point);
        assertThat(scene.vmx.value).as(name).isEqualTo(identity);
        assertThat(scene.vmx.qualification).isEqualTo(-4);
        assertThat(scene.vmx.operands.base).isEqualTo(CpuState.RBX);
    }

    @Test
    @DisplayName("RIP-relative: the qualification is the sum with the next RIP")
    void ripRelativeQualification() {
        Scene scene = Scene.of64().inGuest();
        scene.vmx.intercepted.add(Interception.GDTR_IDTR);
        assertThat(scene.run("0f011500010000")).isEqualTo("exit GDTR_IDTR");
        assertThat(scene.vmx.qualification).isEqualTo(Scene.CODE + 7 + 0x100);
    }

    @Test
    @DisplayName(
            "LGDT takes 10 bytes in 64-bit mode, 6 elsewhere, of which a 16-bit operand size leaves 24 bits of base")
    void loadTable() {
        Scene scene = Scene.of64();
        scene.r(CpuState.RBX, Scene.DATA);
        scene.memory.writeShort(Scene.DATA, 0x1234);
        scene.memory.writeLong(Scene.DATA + 2, 0xffff_8000_1234_5678L);
        assertThat(scene.run("0f0113")).isEqualTo("ok");
        assertThat(scene.cpu.gdtrLimit).isEqualTo(0x1234);
        assertThat(scene.cpu.gdtrBase).isEqualTo(0xffff_8000_1234_5678L);
        scene.memory.writeLong(Scene.DATA + 2, 0x8000_0000_0000_0000L);
        assertThat(scene.run("0f011b")).as("not canonical").isEqualTo("#13(0)");
        Scene narrow = Scene.of32();
        narrow.r(CpuState.RBX, Scene.DATA);
        narrow.memory.writeLong(Scene.DATA, 0x8765_4321_ffffL);
        assertThat(narrow.run("0f011b")).isEqualTo("ok");
        assertThat(narrow.cpu.idtrBase).isEqualTo(0x8765_4321L);
        assertThat(narrow.run("660f011b")).isEqualTo("ok");
        assertThat(narrow.cpu.idtrBase).isEqualTo(0x65_4321L);
    }

    @Test
    @DisplayName("SGDT stores all or nothing")
    void storeTable() {
        Scene scene = Scene.of64();
        scene.r(CpuState.RBX, Scene.HOLE - 6);
        assertThat(scene.run("0f0103")).isEqualTo("#14(2)");
        assertThat(scene.cpu.events().requested().qualification).isEqualTo(Scene.HOLE);
        assertThat(scene.memory.readShort(Scene.DATA)).isZero();
        scene.r(CpuState.RBX, Scene.DATA);
        assertThat(scene.run("0f0103")).isEqualTo("ok");
        assertThat(scene.memory.readShort(Scene.DATA)).isEqualTo(Scene.GDT_LIMIT);
        assertThat(scene.memory.readLong(Scene.DATA + 2)).isEqualTo(Scene.GDT);
        Scene narrow = Scene.of32();
        narrow.cpu.segments[CpuState.DS].limit = (int) Scene.DATA + 4;
        narrow.r(CpuState.RBX, Scene.DATA);
        assertThat(narrow.run("0f0103")).as("beyond the segment").isEqualTo("#13(0)");
        assertThat(narrow.memory.readLong(Scene.DATA)).isZero();
    }

    @ParameterizedTest(name = "selector {0}")
    @CsvSource({"0, #13(0)", "34, #13(34)", "10, #13(10)", "68, #13(68)", "60, #13(60)", "30, ok", "33, ok"})
    @DisplayName("LTR: null, LDT-relative, wrong type, outside the GDT, half outside; then the TSS is busy")
    void loadTask(String selector, String outcome) {
        Scene scene = Scene.of64();
        scene.r(CpuState.RAX, Integer.parseInt(selector, 16));
        assertThat(scene.run("0f00d8")).isEqualTo(outcome);
        if (outcome.equals("ok")) {
            assertThat(scene.cpu.segments[CpuState.TR].base).isEqualTo(Scene.TSS);
            assertThat(scene.cpu.segments[CpuState.TR].accessRights).isEqualTo(0x8b);
            assertThat(scene.run("0f00d8")).as("busy").isEqualTo("#13(30)");
        }
    }

    @Test
    @DisplayName("LTR and LLDT: not present gives #NP; in IA-32e mode the upper half counts")
    void systemDescriptors() {
        Scene scene = Scene.of64();
        scene.descriptor(Scene.TASK, 0x0000_0900_2000_0067L);
        scene.r(CpuState.RAX, Scene.TASK);
        assertThat(scene.run("0f00d8")).isEqualTo("#11(30)");
        scene.descriptor(Scene.TASK, 0x0000_8900_2000_0067L);
        scene.descriptor(Scene.TASK + 8, 0x1f00_0000_0000L);
        assertThat(scene.run("0f00d8")).as("type of the upper half").isEqualTo("#13(30)");
        scene.descriptor(Scene.TASK + 8, 0x8000_0000L);
        assertThat(scene.run("0f00d8")).as("base not canonical").isEqualTo("#13(30)");
        scene.descriptor(Scene.LOCAL + 8, 0xffff_8000L);
        scene.r(CpuState.RAX, Scene.LOCAL);
        assertThat(scene.run("0f00d0")).isEqualTo("ok");
        assertThat(scene.cpu.segments[CpuState.LDTR].base).isEqualTo(0xffff_8000_0000_3000L);
        scene.r(CpuState.RAX, 2);
        assertThat(scene.run("0f00d0")).as("null LDT").isEqualTo("ok");
        assertThat(scene.cpu.segments[CpuState.LDTR].unusable()).isTrue();
        assertThat(scene.run("0f00c1")).as("sldt").isEqualTo("ok");
        assertThat(scene.r(CpuState.RCX)).isEqualTo(2);
    }

    @ParameterizedTest(name = "selector {0} into register {1}")
    @CsvSource({
        "10, 3, ok",
        "0, 3, ok",
        "13, 3, #13(10)",
        "20, 3, ok",
        "50, 3, #11(50)",
        "60, 3, #13(60)",
        "58, 3, ok",
        "70, 3, #13(70)",
        "14, 3, #13(14)",
        "8, 3, ok",
        "10, 2, ok",
        "0, 2, ok",
        "1, 2, #13(0)",
        "58, 2, #13(58)",
        "50, 2, #12(50)",
        "20, 2, #13(20)",
        "13, 2, #13(10)"
    })
    @DisplayName("MOV to DS and SS: type, privilege, presence, limit, null")
    void loadSegment(String selector, int segment, String outcome) {
        Scene scene = Scene.of64();
        scene.descriptor(Scene.ABSENT_DATA, segment == 2 ? 0x00cf_1300_0000_ffffL : 0x00cf_1300_0000_ffffL);
        scene.r(CpuState.RAX, Integer.parseInt(selector, 16));
        assertThat(scene.run(segment == 2 ? "8ed0" : "8ed8")).isEqualTo(outcome);
        boolean blocks = segment == 2 && outcome.equals("ok");
        assertThat(scene.cpu.interruptibility).isEqualTo(blocks ? CpuState.BLOCKING_BY_MOV_SS : 0);
    }

    @Test
    @DisplayName("POP SS and MOV SS block interrupts, LSS does not; a far pointer is loaded as a whole or not at all")
    void stackSegments() {
        Scene scene = Scene.of32();
        scene.memory.writeInt((int) Scene.STACK, Scene.DATA_0);
        assertThat(scene.run("17")).isEqualTo("ok");
        assertThat(scene.r(CpuState.RSP)).isEqualTo(Scene.STACK + 4);
        assertThat(scene.cpu.interruptibility).isEqualTo(CpuState.BLOCKING_BY_MOV_SS);
        Scene far = Scene.of32();
        far.r(CpuState.RBX, Scene.DATA);
        far.memory.writeLong(Scene.DATA, 0x10_1122_3344L);
        assertThat(far.run("0fb223")).isEqualTo("ok");
        assertThat(far.r(CpuState.RSP)).isEqualTo(0x1122_3344L);
        assertThat(far.cpu.interruptibility).isZero();
        far.memory.writeLong(Scene.DATA, 0x50_5566_7788L);
        assertThat(far.run("c503")).isEqualTo("#11(50)");
        assertThat(far.r(CpuState.RAX)).isZero();
    }

    @ParameterizedTest(name = "{0} of selector {1} at CPL {2}")
    @CsvSource({
        "0f02c8, 10, 0, cf9300", "0f02c8, 10, 3, ", "0f02c8, 13, 0, ", "0f02c8, 20, 3, cff300",
        "0f02c8, 0, 0, ", "0f02c8, 70, 0, ", "0f02c8, 30, 0, 8900", "0f02c8, 50, 0, cf1300",
        "0f03c8, 10, 0, ffffffff", "0f03c8, 30, 0, 67", "0f03c8, 10, 3, "
    })
    @DisplayName("LAR and LSL answer in ZF, and leave the register alone where they do not answer")
    void queries(String hex, String selector, int cpl, String answer) {
        Scene scene = Scene.of64().level(cpl);
        scene.r(CpuState.RAX, Integer.parseInt(selector, 16));
        scene.r(CpuState.RCX, -1);
        assertThat(scene.run(hex)).isEqualTo("ok");
        assertThat((scene.cpu.rflags() & ZF) != 0).isEqualTo(answer != null);
        assertThat(scene.r(CpuState.RCX)).isEqualTo(answer == null ? -1 : Long.parseLong(answer, 16));
    }

    @ParameterizedTest(name = "{0} of selector {1}")
    @CsvSource({
        "0f00e0, 10, true", "0f00e0, 60, false", "0f00e0, 8, true", "0f00e0, 30, false",
        "0f00e8, 10, true", "0f00e8, 58, false", "0f00e8, 8, false", "0f00e8, 0, false"
    })
    @DisplayName("VERR and VERW")
    void verify(String hex, String selector, boolean answer) {
        Scene scene = Scene.of64();
        scene.r(CpuState.RAX, Integer.parseInt(selector, 16));
        assertThat(scene.run(hex)).isEqualTo("ok");
        assertThat((scene.cpu.rflags() & ZF) != 0).isEqualTo(answer);
    }

    @Test
    @DisplayName("ARPL raises the RPL")
    void adjustRpl() {
        Scene scene = Scene.of32();
        scene.r(CpuState.RAX, 0xffff_0010L);
        scene.r(CpuState.RCX, 3);
        assertThat(scene.run("63c8")).isEqualTo("ok");
        assertThat(scene.r(CpuState.RAX)).isEqualTo(0xffff_0013L);
        assertThat(scene.cpu.rflags() & ZF).isNotZero();
        assertThat(scene.run("63c8")).isEqualTo("ok");
        assertThat(scene.cpu.rflags() & ZF).isZero();
    }

    @Test
    @DisplayName("a null segment cannot be used outside 64-bit mode")
    void nullSegment() {
        Scene scene = Scene.of32();
        scene.cpu.segments[CpuState.DS].set(0, 0, 0, SegmentRegister.UNUSABLE);
        scene.r(CpuState.RBX, Scene.DATA);
        assertThat(scene.run("8e03")).isEqualTo("#13(0)");
    }
}
