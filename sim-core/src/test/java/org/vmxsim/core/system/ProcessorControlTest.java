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
import org.vmxsim.core.monitor.AddressMonitor;

@DisplayName("HLT, MONITOR, MWAIT, PAUSE, INVPCID, CPUID, RDRAND, XGETBV")
class ProcessorControlTest {
    private static final String MONITOR = "0f01c8";
    private static final String MWAIT = "0f01c9";
    private static final String INVPCID = "660f388203";

    @Test
    @DisplayName("HLT stops with RIP at the next instruction")
    void halt() {
        Scene scene = Scene.of64();
        assertThat(scene.run("f4")).isEqualTo("ok");
        assertThat(scene.cpu.activity).isEqualTo(CpuState.HLT);
        assertThat(scene.cpu.rip).isEqualTo(Scene.CODE + 1);
    }

    @Test
    @DisplayName("MONITOR reads its address as a byte load and has no hints; MWAIT has one; its exit knows the monitor")
    void monitorAndWait() {
        Scene scene = Scene.of64().inGuest();
        scene.r(CpuState.RAX, Scene.HOLE);
        assertThat(scene.run(MONITOR)).isEqualTo("#14(0)");
        scene.vmx.intercepted.add(Interception.MWAIT);
        assertThat(scene.run(MWAIT)).isEqualTo("exit MWAIT");
        assertThat(scene.vmx.qualification).isZero();
        scene.r(CpuState.RAX, Scene.DATA);
        scene.r(CpuState.RCX, 1);
        assertThat(scene.run(MONITOR)).isEqualTo("#13(0)");
        scene.r(CpuState.RCX, 0);
        assertThat(scene.run(MONITOR)).isEqualTo("ok");
        assertThat(scene.run(MWAIT)).isEqualTo("exit MWAIT");
        assertThat(scene.vmx.qualification).isEqualTo(1);
        scene.vmx.intercepted.clear();
        scene.r(CpuState.RCX, 1);
        assertThat(scene.run(MWAIT)).isEqualTo("ok");
        assertThat(scene.cpu.activity).isEqualTo(CpuState.MONITOR_WAIT);
        scene.r(CpuState.RCX, 2);
        assertThat(scene.run(MWAIT)).isEqualTo("#13(0)");
    }

    @Test
    @DisplayName("UMONITOR: any level, address by address size and segment; its operand is a load")
    void userMonitor() {
        Scene scene = Scene.of64().level(3);
        scene.r(CpuState.RBX, Scene.DATA | 1L << 32);
        assertThat(scene.run("f30faef3")).as("umonitor rbx").isEqualTo("#14(4)");
        assertThat(scene.run("67f30faef3")).as("umonitor ebx").isEqualTo("ok");
        assertThat(scene.cpu.monitor.isArmed(AddressMonitor.ArmedBy.UMONITOR)).isTrue();
        scene.r(CpuState.RBX, 1L << 47);
        assertThat(scene.run("f30faef3")).isEqualTo("#13(0)");
        assertThat(Scene.of64(CpuModel.MINIMAL).run("f30faef3")).isEqualTo("#6");
        Scene narrow = Scene.of32();
        narrow.r(CpuState.RBX, Scene.DATA);
        narrow.cpu.segments[CpuState.DS].limit = 0xfff;
        assertThat(narrow.run("f30faef3")).isEqualTo("#13(0)");
        assertThat(narrow.run("26f30faef3")).as("es").isEqualTo("ok");
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({"f20faef1, UMWAIT", "660faef1, TPAUSE"})
    @DisplayName("UMWAIT and TPAUSE: #UD, then CR4.TSD, then the exit, then reserved bits of the operand")
    void userWaits(String hex, Interception point) {
        Scene scene = Scene.of64().level(3).inGuest();
        scene.r(CpuState.RCX, 0xffff_ffff_0000_0001L);
        assertThat(scene.run(hex)).isEqualTo("ok");
        scene.r(CpuState.RCX, 2);
        assertThat(scene.run(hex)).isEqualTo("#13(0)");
        scene.vmx.intercepted.add(point);
        assertThat(scene.run(hex)).isEqualTo("exit " + point);
        assertThat(scene.vmx.operands.rmRegister).isEqualTo(CpuState.RCX);
        assertThat(scene.vmx.operands.operandSizeBytes).isEqualTo(4);
        scene.cpu.cr4 |= 4;
        assertThat(scene.run(hex)).isEqualTo("#13(0)");
        scene.vmx.disabled.add(Interception.TPAUSE);
        assertThat(scene.run(hex)).isEqualTo("#6");
        assertThat(scene.run("f30faef3")).isEqualTo("#6");
        assertThat(Scene.of64(CpuModel.MINIMAL).run(hex)).isEqualTo("#6");
    }

    @Test
    @DisplayName("PAUSE may exit at any privilege level")
    void pause() {
        Scene scene = Scene.of64().level(3).inGuest();
        assertThat(scene.run("f390")).isEqualTo("ok");
        scene.vmx.intercepted.add(Interception.PAUSE);
        assertThat(scene.run("f390")).isEqualTo("exit PAUSE");
    }

    @ParameterizedTest(name = "type {0}, descriptor {1} {2}, PCIDE {3}")
    @CsvSource({
        "0, 5, 3000, true, ok", "0, 5, 3000, false, #13(0)", "0, 0, 3000, false, ok",
        "0, 0, 8000000000000000, true, #13(0)", "1, 0, 8000000000000000, true, ok", "1, 1000, 0, true, #13(0)",
        "2, fff, 0, false, ok", "3, 8000000000000000, 0, true, #13(0)", "4, 0, 0, true, #13(0)"
    })
    @DisplayName("INVPCID checks type, reserved bits, PCID and address")
    void invpcid(long type, String low, String high, boolean pcide, String outcome) {
        Scene scene = Scene.of64();
        scene.cpu.cr4 |= pcide ? 1 << 17 : 0;
        scene.r(CpuState.RAX, type);
        scene.r(CpuState.RBX, Scene.DATA);
        scene.memory.writeLong(Scene.DATA, Long.parseUnsignedLong(low, 16));
        scene.memory.writeLong(Scene.DATA + 8, Long.parseUnsignedLong(high, 16));
        assertThat(scene.run(INVPCID)).isEqualTo(outcome);
    }

    @Test
    @DisplayName("INVPCID's exit: displacement, register, base; its descriptor must be readable")
    void invpcidOperands() {
        Scene scene = Scene.of64().inGuest();
        scene.r(CpuState.RBX, Scene.HOLE);
        assertThat(scene.run(INVPCID)).isEqualTo("#14(0)");
        scene.vmx.intercepted.add(Interception.INVPCID);
        assertThat(scene.run("660f38825310")).isEqualTo("exit INVPCID");
        assertThat(scene.vmx.qualification).isEqualTo(0x10);
        assertThat(scene.vmx.operands.register).isEqualTo(CpuState.RDX);
        assertThat(scene.vmx.operands.base).isEqualTo(CpuState.RBX);
        assertThat(Scene.of64(CpuModel.MINIMAL).run(INVPCID)).isEqualTo("#6");
    }

    @Test
    @DisplayName("CPUID answers from the model, zero-extended, at any privilege level; OSXSAVE follows CR4")
    void identification() {
        Scene scene = Scene.of64().level(3).inGuest();
        scene.r(CpuState.RAX, 0xffff_ffff_0000_0000L);
        assertThat(scene.run("0fa2")).isEqualTo("ok");
        assertThat(scene.r(CpuState.RBX)).as("Genu").isEqualTo(0x756e_6547);
        assertThat(scene.r(CpuState.RDX)).as("ineI").isEqualTo(0x4965_6e69);
        scene.r(CpuState.RAX, 1);
        scene.cpu.cr4 |= 1 << 18;
        assertThat(scene.run("0fa2")).isEqualTo("ok");
        assertThat(scene.r(CpuState.RCX) >>> 27 & 1).isEqualTo(1);
        scene.vmx.intercepted.add(Interception.CPUID);
        assertThat(scene.run("0fa2")).isEqualTo("exit CPUID");
    }

    @Test
    @DisplayName("CPUID shows SYSCALL in 64-bit mode only")
    void sysCallFeature() {
        Scene scene = Scene.of64();
        scene.r(CpuState.RAX, 0x8000_0001L);
        assertThat(scene.run("0fa2")).isEqualTo("ok");
        assertThat(scene.r(CpuState.RDX) >>> 11 & 1).isEqualTo(1);
        Scene narrow = Scene.of32();
        narrow.r(CpuState.RAX, 0x8000_0001L);
        assertThat(narrow.run("0fa2")).isEqualTo("ok");
        assertThat(narrow.r(CpuState.RDX) >>> 11 & 1).isZero();
        assertThat(narrow.r(CpuState.RDX) >>> 29 & 1).as("Intel 64").isEqualTo(1);
    }

    @Test
    @DisplayName("RDRAND and RDSEED repeat from run to run, set CF and clear the other flags, and write by size")
    void randomNumbers() {
        Scene scene = Scene.of64().inGuest();
        Scene again = Scene.of64();
        scene.cpu.rflags(0x8d6);
        scene.r(CpuState.RAX, -1);
        assertThat(scene.run("0fc7f0")).isEqualTo("ok");
        assertThat(again.run("0fc7f0")).isEqualTo("ok");
        assertThat(scene.r(CpuState.RAX)).isEqualTo(again.r(CpuState.RAX)).isBetween(1L, 0xffff_ffffL);
        assertThat(scene.cpu.rflags()).isEqualTo(3);
        scene.cpu.retired++;
        assertThat(scene.run("480fc7f1")).isEqualTo("ok");
        assertThat(scene.r(CpuState.RCX) & 0xffff_ffffL).isNotEqualTo(scene.r(CpuState.RAX));
        scene.vmx.intercepted.add(Interception.RDSEED);
        assertThat(scene.run("66410fc7fb")).isEqualTo("exit RDSEED");
        assertThat(scene.vmx.operands.rmRegister).isEqualTo(11);
        assertThat(scene.vmx.operands.operandSizeBytes).isEqualTo(2);
        assertThat(Scene.of64(CpuModel.MINIMAL).run("0fc7f0")).isEqualTo("#6");
    }

    @Test
    @DisplayName("RDPID and RDTSCP read IA32_TSC_AUX")
    void processorId() {
        Scene scene = Scene.of64().level(3);
        scene.cpu.tscAux = 0x1234;
        scene.r(CpuState.RAX, -1);
        assertThat(scene.run("f30fc7f8")).isEqualTo("ok");
        assertThat(scene.r(CpuState.RAX)).isEqualTo(0x1234);
        assertThat(scene.run("0f01f9")).isEqualTo("ok");
        assertThat(scene.r(CpuState.RCX)).isEqualTo(0x1234);
    }

    @ParameterizedTest
    @CsvSource({"0f01d0", "0f01d1", "0f01ee", "0f01ef"})
    @DisplayName("XGETBV, XSETBV, RDPKRU, WRPKRU are undefined while CR4 does not enable them")
    void notEnabled(String hex) {
        assertThat(Scene.of64().run(hex)).isEqualTo("#6");
        assertThat(Scene.of64().cpu.pending).isEqualTo(Processor.NOTHING);
    }

    @Test
    @DisplayName("RDPKRU and WRPKRU: ECX must be 0, EDX of WRPKRU too, at any privilege level; OSPKE shows CR4.PKE")
    void protectionKeyRights() {
        Scene scene = Scene.of64().level(3);
        scene.cpu.cr4 |= 1 << 22;
        scene.r(CpuState.RCX, 0xffff_ffff_0000_0000L);
        scene.r(CpuState.RDX, 0xffff_ffff_0000_0000L);
        scene.r(CpuState.RAX, 0x1111_1111_8765_4320L);
        assertThat(scene.run("0f01ef")).isEqualTo("ok");
        assertThat(scene.cpu.pkru).isEqualTo(0x8765_4320);
        scene.edxEax(-1);
        assertThat(scene.run("0f01ee")).isEqualTo("ok");
        assertThat(scene.r(CpuState.RAX)).isEqualTo(0x8765_4320L);
        assertThat(scene.r(CpuState.RDX)).isZero();
        scene.r(CpuState.RDX, 1);
        assertThat(scene.run("0f01ef")).isEqualTo("#13(0)");
        assertThat(scene.run("0f01ee")).isEqualTo("ok");
        scene.r(CpuState.RCX, 1);
        assertThat(scene.run("0f01ee")).isEqualTo("#13(0)");
        assertThat(scene.run("0f01ef")).isEqualTo("#13(0)");
        assertThat(scene.cpu.pkru).isEqualTo(0x8765_4320);
        for (long cr4 : new long[] {scene.cpu.cr4, scene.cpu.cr4 & ~(1 << 22)}) {
            scene.cpu.cr4 = cr4;
            scene.r(CpuState.RAX, 7);
            scene.r(CpuState.RCX, 0);
            assertThat(scene.run("0fa2")).isEqualTo("ok");
            assertThat(scene.r(CpuState.RCX) >>> 3 & 3).isEqualTo((cr4 >>> 22 & 1) * 2 + 1);
        }
    }

    @Test
    @DisplayName("WRPKRU takes effect with the next access, and a fetch needs no right of the key")
    void protectionKeyRightsAtOnce() {
        Scene scene = Scene.of64().level(3);
        scene.cpu.cr4 |= 1 << 22;
        long table = Scene.PAGE_TABLES + 0x1000;
        scene.memory.writeLong(table, scene.memory.readLong(table) | 5L << 59);
        scene.cpu.modeChanged();
        scene.r(CpuState.RBX, Scene.DATA);
        scene.r(CpuState.RCX, 0);
        assertThat(scene.run("0f0023")).isEqualTo("ok");
        assertThat(scene.run("0f0103")).isEqualTo("ok");
        scene.edxEax(2 << 10);
        assertThat(scene.run("0f01ef")).isEqualTo("ok");
        assertThat(scene.run("0f0023")).isEqualTo("ok");
        assertThat(scene.run("0f0103")).isEqualTo("#14(27)");
        scene.edxEax(1 << 10);
        assertThat(scene.run("0f01ef")).isEqualTo("ok");
        assertThat(scene.run("0f0023")).isEqualTo("#14(25)");
        scene.edxEax(0);
        assertThat(scene.run("0f01ef")).isEqualTo("ok");
        assertThat(scene.run("0f0103")).isEqualTo("ok");
    }

    @Test
    @DisplayName("XSETBV: privilege, exit, then the value; XGETBV reads XCR0")
    void extendedControl() {
        CpuModel model = CpuModel.parse("xsave", """
                cpuid 0 0 0xd 0 0 0
                cpuid 1 0 0 0 0x04000000 0x00000040
                cpuid 0x80000000 0 0x80000008 0 0 0
                cpuid 0x80000001 0 0 0 0 0x20000800
                cpuid 0x80000008 0 0x3030 0 0 0
                """);
        Scene scene = Scene.of64(model).inGuest();
        scene.cpu.cr4 |= 1 << 18;
        scene.edxEax(3);
        assertThat(scene.run("0f01d1")).isEqualTo("#13(0)");
        scene.edxEax(1);
        assertThat(scene.run("0f01d1")).isEqualTo("ok");
        scene.r(CpuState.RCX, 5);
        assertThat(scene.run("0f01d0")).isEqualTo("#13(0)");
        scene.vmx.intercepted.add(Interception.XSETBV);
        assertThat(scene.run("0f01d1")).isEqualTo("exit XSETBV");
        scene.level(3);
        assertThat(scene.run("0f01d1")).isEqualTo("#13(0)");
        scene.r(CpuState.RCX, 0);
        assertThat(scene.run("0f01d0")).isEqualTo("ok");
        assertThat(scene.edxEax()).isEqualTo(1);
    }
}
