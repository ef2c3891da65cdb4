package org.vmxsim.core.system;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.SegmentRegister;

@DisplayName("SYSCALL, SYSRET, SYSENTER, SYSEXIT, FS and GS bases, STAC and CLAC")
class FastCallTest {
    private static final int R11 = 11;
    private static final long KERNEL = 0xffff_8000_0000_1000L;

    private static void segment(Scene scene, int segment, int selector, int rights) {
        SegmentRegister register = scene.cpu.segments[segment];
        assertThat(register.selector).isEqualTo(selector);
        assertThat(register.base).isZero();
        assertThat(register.limit).isEqualTo(-1);
        assertThat(register.accessRights).isEqualTo(rights);
    }

    private static Scene withCalls() {
        Scene scene = Scene.of64();
        scene.cpu.star = 0x0023_0010L << 32;
        scene.cpu.lstar = KERNEL;
        scene.cpu.fmask = 0x4_7700;
        scene.cpu.sysenterCs = 0x50;
        scene.cpu.sysenterEip = KERNEL;
        scene.cpu.sysenterEsp = KERNEL + 0x2000;
        return scene;
    }

    @Test
    @DisplayName("SYSCALL: RCX and R11, masked flags, flat segments from STAR[47:32]")
    void sysCall() {
        Scene scene = withCalls().level(3);
        scene.cpu.rflags(0x4_0ad7);
        assertThat(scene.run("0f05")).isEqualTo("ok");
        assertThat(scene.cpu.rip).isEqualTo(KERNEL);
        assertThat(scene.r(CpuState.RCX)).isEqualTo(Scene.CODE + 2);
        assertThat(scene.r(R11)).isEqualTo(0x4_0ad7);
        assertThat(scene.cpu.rflags()).isEqualTo(0x8d7);
        assertThat(scene.cpu.cpl).isZero();
        segment(scene, CpuState.CS, 0x10, 0xa09b);
        segment(scene, CpuState.SS, 0x18, 0xc093);
    }

    @Test
    @DisplayName("SYSRET: selectors from STAR[63:48], RPL 3 forced; with REX.W 64-bit code")
    void sysRet() {
        Scene scene = withCalls();
        scene.r(CpuState.RCX, 0x7fff_1234_5678L);
        scene.r(R11, 0xffff_ffff_ffff_ffffL);
        assertThat(scene.run("480f07")).isEqualTo("ok");
        assertThat(scene.cpu.rip).isEqualTo(0x7fff_1234_5678L);
        assertThat(scene.cpu.rflags()).as("(R11 & 3C7FD7H) | 2").isEqualTo(0x3c_7fd7);
        assertThat(scene.cpu.cpl).isEqualTo(3);
        segment(scene, CpuState.CS, 0x33, 0xa0fb);
        segment(scene, CpuState.SS, 0x2b, 0xc0f3);
        Scene narrow = withCalls();
        narrow.r(CpuState.RCX, 0x7fff_1234_5678L);
        assertThat(narrow.run("0f07")).isEqualTo("ok");
        assertThat(narrow.cpu.rip).isEqualTo(0x1234_5678L);
        assertThat(narrow.cpu.mode).isEqualTo(Processor.CODE_32);
        segment(narrow, CpuState.CS, 0x23, 0xc0fb);
    }

    @Test
    @DisplayName("#UD without EFER.SCE, #GP(0) for SYSRET outside CPL 0 or to a non-canonical address")
    void refusals() {
        Scene scene = withCalls();
        scene.r(CpuState.RCX, 0x8000_0000_0000L);
        assertThat(scene.run("480f07")).isEqualTo("#13(0)");
        assertThat(scene.run("0f07")).as("ECX alone counts").isEqualTo("ok");
        assertThat(withCalls().level(3).run("0f07")).isEqualTo("#13(0)");
        Scene off = withCalls();
        off.cpu.efer &= ~1;
        assertThat(off.run("0f05")).isEqualTo("#6");
        assertThat(off.level(3).run("0f07")).as("#UD before #GP").isEqualTo("#6");
        assertThat(Scene.of32().run("0f05")).isEqualTo("#6");
    }

    @Test
    @DisplayName("SYSENTER: clears IF, flat segments from IA32_SYSENTER_CS")
    void sysEnter() {
        Scene scene = withCalls().level(3);
        scene.cpu.rflags(0x202);
        assertThat(scene.run("0f34")).isEqualTo("ok");
        assertThat(scene.cpu.rip).isEqualTo(KERNEL);
        assertThat(scene.r(CpuState.RSP)).isEqualTo(KERNEL + 0x2000);
        assertThat(scene.cpu.rflags()).isEqualTo(2);
        segment(scene, CpuState.CS, 0x50, 0xa09b);
        segment(scene, CpuState.SS, 0x58, 0xc093);
        Scene narrow = Scene.of32();
        assertThat(narrow.run("0f34")).as("SYSENTER_CS is null").isEqualTo("#13(0)");
        narrow.cpu.sysenterCs = 0x50;
        narrow.cpu.sysenterEip = 0x9000;
        assertThat(narrow.run("0f34")).isEqualTo("ok");
        segment(narrow, CpuState.CS, 0x50, 0xc09b);
        Scene real = Scene.ofReal();
        real.cpu.sysenterCs = 0x50;
        assertThat(real.run("0f34")).isEqualTo("#13(0)");
    }

    @Test
    @DisplayName("SYSEXIT: selectors +16 and +24, or +32 and +40 with REX.W")
    void sysExit() {
        Scene scene = withCalls();
        scene.r(CpuState.RCX, 0x7fff_0000_1000L);
        scene.r(CpuState.RDX, 0x7fff_0000_2000L);
        assertThat(scene.run("480f35")).isEqualTo("ok");
        assertThat(scene.cpu.rip).isEqualTo(0x7fff_0000_2000L);
        assertThat(scene.r(CpuState.RSP)).isEqualTo(0x7fff_0000_1000L);
        segment(scene, CpuState.CS, 0x73, 0xa0fb);
        segment(scene, CpuState.SS, 0x7b, 0xc0f3);
        Scene narrow = withCalls();
        narrow.r(CpuState.RDX, 0x1_0000_2000L);
        assertThat(narrow.run("0f35")).isEqualTo("ok");
        assertThat(narrow.cpu.rip).isEqualTo(0x2000);
        segment(narrow, CpuState.CS, 0x63, 0xc0fb);
        segment(narrow, CpuState.SS, 0x6b, 0xc0f3);
        assertThat(withCalls().level(3).run("0f35")).isEqualTo("#13(0)");
        Scene wild = withCalls();
        wild.r(CpuState.RCX, 1L << 62);
        assertThat(wild.run("480f35")).isEqualTo("#13(0)");
    }

    @Test
    @DisplayName("RDFSBASE and its kin need CR4.FSGSBASE; 32-bit forms are zero-extended; bases are canonical")
    void segmentBases() {
        Scene scene = Scene.of64().level(3);
        assertThat(scene.run("f3480faec0")).isEqualTo("#6");
        scene.cpu.cr4 |= 1 << 16;
        scene.r(CpuState.RAX, 0x1234_5678_9abcL);
        assertThat(scene.run("f3480faed0")).as("wrfsbase rax").isEqualTo("ok");
        assertThat(scene.cpu.segments[CpuState.FS].base).isEqualTo(0x1234_5678_9abcL);
        assertThat(scene.run("f30faec1")).as("rdfsbase ecx").isEqualTo("ok");
        assertThat(scene.r(CpuState.RCX)).isEqualTo(0x5678_9abcL);
        assertThat(scene.run("f30faed8")).as("wrgsbase eax").isEqualTo("ok");
        assertThat(scene.cpu.segments[CpuState.GS].base).isEqualTo(0x5678_9abcL);
        scene.r(CpuState.RAX, Long.MIN_VALUE);
        assertThat(scene.run("f3480faed8")).isEqualTo("#13(0)");
    }

    @Test
    @DisplayName("STAC and CLAC decide at once whether CR4.SMAP keeps the kernel from user pages")
    void accessCheck() {
        Scene scene = Scene.of64();
        scene.cpu.cr4 |= 1 << 21;
        scene.cpu.modeChanged();
        assertThat(scene.run("0f01cb")).isEqualTo("ok");
        scene.cpu.mem.load8(Scene.DATA);
        assertThat(scene.cpu.pending).isEqualTo(Processor.NOTHING);
        assertThat(scene.run("0f01ca")).isEqualTo("ok");
        scene.cpu.mem.load8(Scene.DATA);
        assertThat(scene.cpu.pending).isEqualTo(Processor.EXCEPTION);
    }
}
