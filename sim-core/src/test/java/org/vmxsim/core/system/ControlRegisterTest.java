package org.vmxsim.core.system;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Interception;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.model.CpuModel;

@DisplayName("SDM \"MOV-Move to/from Control Registers\": which values are refused, and what the others change")
class ControlRegisterTest {
    private static final String MOV_CR0_RAX = "0f22c0";
    private static final String MOV_CR3_RAX = "0f22d8";
    private static final String MOV_CR4_RAX = "0f22e0";

    private static String write(Scene scene, String move, long value) {
        scene.r(CpuState.RAX, value);
        return scene.run(move);
    }

    @ParameterizedTest(name = "{0}: {2}")
    @CsvSource({
        "80000031, ok, as it is",
        "180000031, #13(0), bit 32",
        "80000030, #13(0), PG without PE",
        "a0000031, #13(0), NW without CD",
        "e0000031, ok, NW and CD",
        "31, #13(0), PG off in 64-bit mode",
        "9ffaffdf, ok, undefined bits are ignored"
    })
    void cr0In64BitMode(String hex, String outcome, String why) {
        Scene scene = Scene.of64();
        long before = scene.cpu.cr0;
        assertThat(write(scene, MOV_CR0_RAX, Long.parseUnsignedLong(hex, 16)))
                .as(why)
                .isEqualTo(outcome);
        assertThat(scene.cpu.cr0)
                .isEqualTo(outcome.equals("ok") ? Long.parseUnsignedLong(hex, 16) & 0xe005_003fL | 0x10 : before);
    }

    @Test
    @DisplayName("PG with EFER.LME activates IA-32e mode; not without PAE, with CS.L or with a 16-bit TSS")
    void entersLongMode() {
        Scene scene = Scene.of32();
        scene.cpu.efer = 0x100;
        scene.cpu.cr3 = Scene.PAGE_TABLES;
        assertThat(write(scene, MOV_CR0_RAX, 0x8000_0031L)).isEqualTo("#13(0)");
        scene.cpu.cr4 = 0x20;
        scene.cpu.segments[CpuState.TR].accessRights = 0x83;
        assertThat(write(scene, MOV_CR0_RAX, 0x8000_0031L)).isEqualTo("#13(0)");
        scene.cpu.segments[CpuState.TR].accessRights = 0x8b;
        scene.cpu.segments[CpuState.CS].accessRights |= 1 << 13;
        assertThat(write(scene, MOV_CR0_RAX, 0x8000_0031L)).isEqualTo("#13(0)");
        scene.cpu.segments[CpuState.CS].accessRights &= ~(1 << 13);
        assertThat(write(scene, MOV_CR0_RAX, 0x8000_0031L)).isEqualTo("ok");
        assertThat(scene.cpu.efer).isEqualTo(0x500);
        assertThat(scene.cpu.mode).isEqualTo(Processor.CODE_32);
        assertThat(write(scene, MOV_CR0_RAX, 0x31)).isEqualTo("ok");
        assertThat(scene.cpu.efer).isEqualTo(0x100);
    }

    @ParameterizedTest(name = "CR4={0}: {2}")
    @CsvSource({
        "20, ok, PAE",
        "0, #13(0), PAE off in IA-32e mode",
        "1020, #13(0), LA57 changed in IA-32e mode",
        "20020, ok, PCIDE with CR3[11:0] = 0",
        "1, #13(0), VME is not there",
        "80020, #13(0), KL is not there",
        "1400020, ok, PKE and PKS",
        "100000020, #13(0), bit 32",
        "3108bc, ok, TSD DE PSE PAE PGE UMIP FSGSBASE SMEP SMAP"
    })
    void cr4(String hex, String outcome, String why) {
        Scene scene = Scene.of64();
        assertThat(write(scene, MOV_CR4_RAX, Long.parseUnsignedLong(hex, 16)))
                .as(why)
                .isEqualTo(outcome);
        assertThat(scene.cpu.cr4).isEqualTo(outcome.equals("ok") ? Long.parseUnsignedLong(hex, 16) : 0x20);
    }

    @Test
    @DisplayName("CR4.CET needs CR0.WP, and keeps it set")
    void controlFlowEnforcement() {
        CpuModel model = CpuModel.parse("cet", """
                cpuid 0 0 7 0 0 0
                cpuid 1 0 0 0 0 0x00000060
                cpuid 7 0 0 0 0x80 0
                cpuid 0x80000000 0 0x80000008 0 0 0
                cpuid 0x80000001 0 0 0 0 0x20000800
                cpuid 0x80000008 0 0x3030 0 0 0
                """);
        Scene scene = Scene.of64(model);
        scene.cpu.cr0 = 0x8000_0031L;
        assertThat(write(scene, MOV_CR4_RAX, 0x80_0020)).isEqualTo("#13(0)");
        assertThat(write(scene, MOV_CR0_RAX, 0x8001_0031L)).isEqualTo("ok");
        assertThat(write(scene, MOV_CR4_RAX, 0x80_0020)).isEqualTo("ok");
        assertThat(write(scene, MOV_CR0_RAX, 0x8000_0031L)).isEqualTo("#13(0)");
        assertThat(write(scene, MOV_CR4_RAX, 0x20)).isEqualTo("ok");
        assertThat(write(scene, MOV_CR0_RAX, 0x8000_0031L)).isEqualTo("ok");
        assertThat(write(Scene.of64(CpuModel.MINIMAL), MOV_CR4_RAX, 0x80_0020)).isEqualTo("#13(0)");
    }

    @Test
    @DisplayName("bits of CR4 exist as the model has the features")
    void cr4OfMinimalModel() {
        Scene scene = Scene.of64(CpuModel.MINIMAL);
        for (int bit : new int[] {11, 12, 13, 16, 17, 18, 20, 21}) {
            assertThat(write(scene, MOV_CR4_RAX, 0x20 | 1L << bit))
                    .as("bit " + bit)
                    .isEqualTo("#13(0)");
        }
        assertThat(write(scene, MOV_CR4_RAX, 0xb0)).isEqualTo("ok");
    }

    @Test
    @DisplayName("PCIDE needs CR3[11:0] = 0, keeps PG on, and gives bit 63 of CR3 a meaning")
    void processContextIdentifiers() {
        Scene scene = Scene.of64();
        assertThat(write(scene, MOV_CR3_RAX, Scene.PAGE_TABLES | 5)).isEqualTo("ok");
        assertThat(write(scene, MOV_CR4_RAX, 0x2_0020)).isEqualTo("#13(0)");
        assertThat(write(scene, MOV_CR3_RAX, Scene.PAGE_TABLES | Long.MIN_VALUE))
                .isEqualTo("#13(0)");
        assertThat(write(scene, MOV_CR3_RAX, Scene.PAGE_TABLES)).isEqualTo("ok");
        assertThat(write(scene, MOV_CR4_RAX, 0x2_0020)).isEqualTo("ok");
        assertThat(write(scene, MOV_CR3_RAX, Scene.PAGE_TABLES | Long.MIN_VALUE | 7))
                .isEqualTo("ok");
        assertThat(scene.cpu.cr3).isEqualTo(Scene.PAGE_TABLES | 7);
        assertThat(write(scene, MOV_CR3_RAX, 1L << 52)).isEqualTo("#13(0)");
    }

    @Test
    @DisplayName("MOV to CR3 drops translations, unless bit 63 asks to keep them")
    void translationsOfCr3() {
        Scene scene = Scene.of64();
        scene.cpu.cr4 |= 1 << 17;
        scene.cpu.modeChanged();
        scene.memory.writeByte(Scene.DATA, 1);
        scene.memory.writeLong(0x2_0000, 0x2_1000 | 7);
        scene.memory.writeLong(0x2_1000, 0x2_2000 | 7);
        scene.memory.writeLong(0x2_2000, 0x2_3000 | 7);
        scene.memory.writeLong(0x2_3000 + 3 * 8, Scene.DATA | 7);
        assertThat(write(scene, MOV_CR3_RAX, 0x2_0000)).isEqualTo("ok");
        assertThat(scene.cpu.mem.load8(Scene.DATA)).isEqualTo(1);
        scene.memory.writeLong(0x2_3000 + 3 * 8, 0x5000 | 7);
        assertThat(write(scene, MOV_CR3_RAX, Long.MIN_VALUE | 0x2_0000)).isEqualTo("ok");
        assertThat(scene.cpu.mem.load8(Scene.DATA)).as("stale, as asked").isEqualTo(1);
        assertThat(write(scene, MOV_CR3_RAX, 0x2_0000)).isEqualTo("ok");
        assertThat(scene.cpu.mem.load8(Scene.DATA)).isZero();
    }

    @Test
    @DisplayName("INVLPG drops one page; a non-canonical address is ignored")
    void invlpg() {
        Scene scene = Scene.of64();
        assertThat(scene.cpu.mem.load8(Scene.DATA)).isZero();
        scene.memory.writeLong(Scene.PAGE_TABLES + 0x1000, 0);
        scene.r(CpuState.RBX, 0x8000_0000_0000_0000L);
        assertThat(scene.run("0f013b")).isEqualTo("ok");
        assertThat(scene.cpu.mem.load8(Scene.DATA)).isZero();
        assertThat(scene.cpu.pending).isEqualTo(Processor.NOTHING);
        scene.r(CpuState.RBX, Scene.DATA);
        assertThat(scene.run("0f013b")).isEqualTo("ok");
        scene.cpu.mem.load8(Scene.DATA);
        assertThat(scene.cpu.pending).isEqualTo(Processor.EXCEPTION);
    }

    @Test
    @DisplayName("PAE paging loads the PDPTEs, and refuses reserved bits of those that are present")
    void pageDirectoryPointers() {
        Scene scene = Scene.of32();
        scene.cpu.cr4 = 0x20;
        scene.memory.writeLong(0x2_0020, 0x2_1001);
        scene.memory.writeLong(0x2_0028, 0x1e6);
        assertThat(write(scene, MOV_CR3_RAX, 0x2_0020)).isEqualTo("ok");
        assertThat(write(scene, MOV_CR0_RAX, 0x8000_0031L)).isEqualTo("ok");
        assertThat(scene.cpu.pdpte).containsExactly(0x2_1001, 0x1e6, 0, 0);
        scene.memory.writeLong(0x2_0028, 3);
        assertThat(write(scene, MOV_CR3_RAX, 0x2_0020)).isEqualTo("#13(0)");
        assertThat(scene.cpu.pdpte).containsExactly(0x2_1001, 0x1e6, 0, 0);
        assertThat(write(scene, MOV_CR4_RAX, 0xa0)).as("PGE changes").isEqualTo("#13(0)");
        assertThat(write(scene, MOV_CR4_RAX, 0x20020))
                .as("PCIDE outside IA-32e mode")
                .isEqualTo("#13(0)");
    }

    @Test
    @DisplayName("CR8 holds four bits; CR2 anything")
    void cr8AndCr2() {
        Scene scene = Scene.of64();
        assertThat(write(scene, "440f22c0", 15)).isEqualTo("ok");
        assertThat(scene.cpu.cr8).isEqualTo(15);
        assertThat(write(scene, "440f22c0", 16)).isEqualTo("#13(0)");
        assertThat(write(scene, "0f22d0", -5)).isEqualTo("ok");
        assertThat(scene.cpu.cr2).isEqualTo(-5);
    }

    @Test
    @DisplayName(
            "exit qualification of control-register accesses: register, type, LMSW operand, general register, data")
    void qualifications() {
        Scene scene = Scene.of64().inGuest();
        scene.vmx.intercepted.add(Interception.CR_ACCESS);
        scene.r(CpuState.RAX, 0x77);
        assertThat(scene.run("410f22c1")).isEqualTo("exit CR_ACCESS");
        assertThat(scene.vmx.qualification).as("mov cr0, r9").isEqualTo(0x900);
        assertThat(scene.run("0f20da")).isEqualTo("exit CR_ACCESS");
        assertThat(scene.vmx.qualification).as("mov rdx, cr3").isEqualTo(0x213);
        assertThat(scene.run("0f06")).isEqualTo("exit CR_ACCESS");
        assertThat(scene.vmx.qualification).as("clts").isEqualTo(0x20);
        assertThat(scene.run("0f01f0")).isEqualTo("exit CR_ACCESS");
        assertThat(scene.vmx.qualification).as("lmsw ax").isEqualTo(0x77_0030);
        scene.memory.writeShort(Scene.DATA, 0xabcd);
        scene.r(CpuState.RBX, Scene.DATA);
        assertThat(scene.run("0f0133")).isEqualTo("exit CR_ACCESS");
        assertThat(scene.vmx.qualification).as("lmsw [rbx]").isEqualTo(0xabcd_0070L);
        assertThat(scene.vmx.operands.linear).isEqualTo(Scene.DATA);
        scene.r(CpuState.RBX, Scene.HOLE);
        assertThat(scene.run("0f0133")).as("the operand is read first").isEqualTo("#14(0)");
        assertThat(scene.run("0f22d0")).as("CR2 is never intercepted").isEqualTo("ok");
        assertThat(scene.run("0f20c0")).as("nor is reading CR0").isEqualTo("ok");
    }

    @Test
    @DisplayName("guest/host mask: reads see the shadow, writes leave the host's bits, fixed bits give #GP")
    void masksAndShadows() {
        Scene scene = Scene.of64().inGuest();
        scene.vmx.cr0Mask = 8;
        scene.vmx.cr0Shadow = 8;
        assertThat(scene.run("0f20c0")).isEqualTo("ok");
        assertThat(scene.r(CpuState.RAX)).isEqualTo(0x8000_0039L);
        assertThat(write(scene, MOV_CR0_RAX, 0x8001_003bL)).isEqualTo("ok");
        assertThat(scene.cpu.cr0).isEqualTo(0x8001_0033L);
        assertThat(scene.run("0f01e0")).isEqualTo("ok");
        assertThat(scene.r(CpuState.RAX)).as("smsw eax").isEqualTo(0x8001_003bL);
        scene.vmx.fixedZero = 1 << 1;
        assertThat(write(scene, MOV_CR0_RAX, 0x8001_0033L)).isEqualTo("#13(0)");
        scene.vmx.fixedZero = 1 << 7;
        assertThat(write(scene, MOV_CR4_RAX, 0xa0)).isEqualTo("#13(0)");
    }

    @Test
    @DisplayName("LMSW sets PE but cannot clear it; CLTS clears TS; SMSW stores a word in memory")
    void machineStatusWord() {
        Scene real = Scene.ofReal();
        assertThat(write(real, "0f01f0", 0xffff_fff1L)).isEqualTo("ok");
        assertThat(real.cpu.cr0).isEqualTo(0x31);
        Scene scene = Scene.of32();
        assertThat(write(scene, "0f01f0", 8)).isEqualTo("ok");
        assertThat(scene.cpu.cr0).isEqualTo(0x39);
        scene.memory.writeLong(Scene.DATA, -1);
        scene.r(CpuState.RBX, Scene.DATA);
        assertThat(scene.run("0f0123")).isEqualTo("ok");
        assertThat(scene.memory.readLong(Scene.DATA)).isEqualTo(0xffff_ffff_ffff_0039L);
        assertThat(scene.run("0f06")).isEqualTo("ok");
        assertThat(scene.cpu.cr0).isEqualTo(0x31);
    }

    @Test
    @DisplayName("debug registers: interception first, then DR4 and DR5 by CR4.DE, then privilege, then DR7.GD")
    void debugRegisters() {
        Scene scene = Scene.of64().inGuest();
        scene.cpu.cr4 |= 8;
        scene.cpu.dr[7] |= 1 << 13;
        assertThat(scene.run("0f23e0")).as("mov dr4, rax").isEqualTo("#6");
        assertThat(scene.run("0f23c0")).isEqualTo("#1");
        assertThat(scene.cpu.events().requested().qualification).isEqualTo(1 << 13);
        scene.level(3);
        assertThat(scene.run("0f23e0")).isEqualTo("#6");
        assertThat(scene.run("0f23c0")).isEqualTo("#13(0)");
        scene.vmx.intercepted.add(Interception.DR_ACCESS);
        assertThat(scene.run("0f23e0")).isEqualTo("exit DR_ACCESS");
        assertThat(scene.vmx.qualification).isEqualTo(4);
        assertThat(scene.run("410f21f9")).as("mov r9, dr7").isEqualTo("exit DR_ACCESS");
        assertThat(scene.vmx.qualification).isEqualTo(0x917);
    }

    @Test
    @DisplayName("DR6 and DR7 have fixed bits, an upper half that must be 0, and the names DR4 and DR5")
    void debugRegisterValues() {
        Scene scene = Scene.of64();
        assertThat(write(scene, "0f23f0", 0)).isEqualTo("ok");
        assertThat(scene.cpu.dr[6]).isEqualTo(0xffff_0ff0L);
        assertThat(write(scene, "0f23f8", 0)).isEqualTo("ok");
        assertThat(scene.cpu.dr[7]).isEqualTo(0x400);
        assertThat(write(scene, "0f23e8", 0xffff_d3ffL)).as("mov dr5").isEqualTo("ok");
        assertThat(scene.cpu.dr[7]).isEqualTo(0xffff_07ffL);
        assertThat(write(scene, "0f23f8", 1L << 32)).isEqualTo("#13(0)");
        assertThat(write(scene, "0f23f0", 1L << 63)).isEqualTo("#13(0)");
        assertThat(write(scene, "0f23d8", 0x1234_5678_9abc_def0L)).isEqualTo("ok");
        assertThat(scene.cpu.dr[3]).isEqualTo(0x1234_5678_9abc_def0L);
        assertThat(scene.run("0f21e1")).as("mov rcx, dr4").isEqualTo("ok");
        assertThat(scene.r(CpuState.RCX)).isEqualTo(0xffff_0ff0L);
    }
}
