package org.vmxsim.core.system;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Interception;
import org.vmxsim.core.model.CpuModel;

@DisplayName("Privilege, interception, operands, in this order: SDM \"Relative Priority of Faults and VM Exits\"")
class PrivilegeTest {
    private static final String PRIVILEGED = """
            0f2000,       mov rax cr0,
            0f22d8,       mov cr3 rax,     CR_ACCESS
            0f20d8,       mov rax cr3,     CR_ACCESS
            440f20c0,     mov rax cr8,     CR_ACCESS
            0f06,         clts,            CR_ACCESS
            0f01f0,       lmsw ax,         CR_ACCESS
            0f0113,       lgdt [rbx],      GDTR_IDTR
            0f011b,       lidt [rbx],      GDTR_IDTR
            0f00d0,       lldt ax,         LDTR_TR
            0f00d8,       ltr ax,          LDTR_TR
            0f32,         rdmsr,           RDMSR
            0f30,         wrmsr,           WRMSR
            f4,           hlt,             HLT
            0f08,         invd,            INVD
            0f09,         wbinvd,          WBINVD
            0f013b,       invlpg [rbx],    INVLPG
            660f388203,   invpcid rax [rbx], INVPCID
            """;

    @ParameterizedTest(name = "{1}")
    @CsvSource(textBlock = PRIVILEGED)
    @DisplayName("at CPL 3 the fault, whatever is intercepted; at CPL 0 the exit before any look at memory")
    void privilegeThenExitThenOperands(String hex, String name, String point) {
        Scene user = Scene.of64().level(3).inGuest();
        user.r(CpuState.RBX, Scene.HOLE);
        user.vmx.intercepted.addAll(java.util.EnumSet.allOf(Interception.class));
        assertThat(user.run(hex)).as(name).isEqualTo("#13(0)");

        if (point != null) {
            Scene kernel = Scene.of64().inGuest();
            kernel.r(CpuState.RBX, Scene.HOLE);
            kernel.vmx.intercepted.add(Interception.valueOf(point));
            assertThat(kernel.run(hex)).as(name).isEqualTo("exit " + point);
        }
    }

    @ParameterizedTest(name = "{1}")
    @CsvSource({"0f01cb,stac", "0f01ca,clac", "0f01c8,monitor", "0f01c9,mwait"})
    @DisplayName("STAC, CLAC, MONITOR and MWAIT at CPL 3 are undefined")
    void undefinedForUsers(String hex, String name) {
        assertThat(Scene.of64().level(3).run(hex)).as(name).isEqualTo("#6");
        assertThat(Scene.of64().run(hex)).as(name).isEqualTo("ok");
        assertThat(Scene.of64(CpuModel.MINIMAL).run(hex)).as(name).isEqualTo("#6");
    }

    @ParameterizedTest(name = "{1}")
    @CsvSource({"0f0103,sgdt", "0f010b,sidt", "0f00c0,sldt", "0f00c8,str", "0f01e0,smsw"})
    @DisplayName("CR4.UMIP keeps users from SGDT, SIDT, SLDT, STR, SMSW, before any exit")
    void userModeInstructionPrevention(String hex, String name) {
        Scene free = Scene.of64().level(3);
        free.r(CpuState.RBX, Scene.DATA);
        assertThat(free.run(hex)).as(name).isEqualTo("ok");
        Scene prevented = Scene.of64().level(3).inGuest();
        prevented.r(CpuState.RBX, Scene.DATA);
        prevented.cpu.cr4 |= 1 << 11;
        prevented.vmx.intercepted.addAll(java.util.EnumSet.allOf(Interception.class));
        assertThat(prevented.run(hex)).as(name).isEqualTo("#13(0)");
    }

    @ParameterizedTest(name = "{1}")
    @CsvSource({
        "0f00d0,lldt",
        "0f00d8,ltr",
        "0f00c0,sldt",
        "0f00c8,str",
        "0f02c0,lar",
        "0f03c0,lsl",
        "0f00e0,verr",
        "0f00e8,verw",
        "63c0,arpl"
    })
    @DisplayName("LLDT, LTR, SLDT, STR, LAR, LSL, VERR, VERW, ARPL are undefined in real-address mode")
    void undefinedInRealMode(String hex, String name) {
        assertThat(Scene.ofReal().run(hex)).as(name).isEqualTo("#6");
    }

    @ParameterizedTest(name = "{1}")
    @CsvSource({"0f01f9,rdtscp,RDTSCP", "f30fc7f8,rdpid,RDTSCP", "660f388203,invpcid,INVPCID"})
    @DisplayName("what a VM-execution control does not enable is undefined: before #GP, before the exit")
    void notEnabledInGuest(String hex, String name, Interception point) {
        Scene scene = Scene.of64().level(3).inGuest();
        scene.cpu.cr4 |= 1 << 2;
        scene.r(CpuState.RBX, Scene.DATA);
        scene.vmx.disabled.add(point);
        scene.vmx.intercepted.addAll(java.util.EnumSet.allOf(Interception.class));
        assertThat(scene.run(hex)).as(name).isEqualTo("#6");
    }

    @Test
    @DisplayName("CR4.TSD keeps users from RDTSC and RDTSCP, CR4.PCE lets them to RDPMC, of which there is none")
    void timeStampDisable() {
        Scene scene = Scene.of64().level(3).inGuest();
        scene.vmx.intercepted.add(Interception.RDTSC);
        scene.vmx.intercepted.add(Interception.RDPMC);
        assertThat(scene.run("0f31")).isEqualTo("exit RDTSC");
        assertThat(scene.run("0f33")).isEqualTo("#13(0)");
        scene.cpu.cr4 |= 1 << 2 | 1 << 8;
        assertThat(scene.run("0f31")).isEqualTo("#13(0)");
        assertThat(scene.run("0f01f9")).isEqualTo("#13(0)");
        assertThat(scene.run("0f33")).isEqualTo("exit RDPMC");
        scene.outOfVmx();
        assertThat(scene.run("0f33")).isEqualTo("#13(0)");
        scene.level(0);
        assertThat(scene.run("0f31")).isEqualTo("ok");
    }
}
