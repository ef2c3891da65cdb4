package org.vmxsim.kvmi.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vmxsim.kvmi.memory.MappingWorld.EFAULT;
import static org.vmxsim.kvmi.memory.MappingWorld.ENOENT;
import static org.vmxsim.kvmi.memory.MappingWorld.PAGE;
import static org.vmxsim.kvmi.memory.MappingWorld.hva;
import static org.vmxsim.kvmi.memory.MappingWorld.read;
import static org.vmxsim.kvmi.memory.MappingWorld.write;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmxsim.core.boot.BootEntry;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.mmu.Vm;
import org.vmxsim.vmx.Engine;

/** The hypercalls as code of a guest makes them, with paging on; both guests run, through EPT and TLB. */
class MappingHypercallsTest {
    private static final long CODE = 0x20 * PAGE;
    private static final long DIRECTORY = 0x21 * PAGE;
    private static final long TABLE = 0x22 * PAGE;
    /** Linear pages 0x30 and 0x31, which lie apart: at guest frames 0x28 and 0x26. */
    private static final long TOKEN = 0x30 * PAGE;
    /** A page without translation. */
    private static final long NOWHERE = 0x33 * PAGE;
    /** A page outside all memslots. */
    private static final long HOLE = 0x34 * PAGE;
    /** A page of user code: CR4.SMAP forbids supervisors to read it. */
    private static final long USER = 0x35 * PAGE;

    private static final int CALL = 0;
    private static final int LOAD = 0x10;
    private static final int STORE = 0x20;

    private MappingWorld world;
    private Vm tool;
    private Vm target;
    private Vcpu vcpu;
    private Vcpu targetVcpu;

    private void boot(Engine engine, Set<MappingQuirk> quirks) {
        world = new MappingWorld(quirks, MapTokenPolicy.V4, engine);
        tool = world.vm(0x10);
        target = world.vm(0x20);
        vcpu = prepare(tool);
        targetVcpu = prepare(target);
    }

    private static Vcpu prepare(Vm vm) {
        store(vm, CODE + CALL, 0x0f, 0x01, 0xc1, 0xf4); // VMCALL; HLT
        store(vm, CODE + LOAD, 0x8a, 0x03, 0xf4); // MOV AL, [EBX]; HLT
        store(vm, CODE + STORE, 0x88, 0x03, 0xf4); // MOV [EBX], AL; HLT
        ByteBuffer table = ByteBuffer.allocate(0x36 * 4).order(ByteOrder.LITTLE_ENDIAN);
        for (int page = 0; page < 0x30; page++) {
            table.putInt(page << 12 | 3);
        }
        table.putInt(0x30 * 4, 0x28 << 12 | 3);
        table.putInt(0x31 * 4, 0x26 << 12 | 3);
        table.putInt(0x34 * 4, 0x4000_0003);
        table.putInt(0x35 * 4, 0x2a << 12 | 7);
        vm.memory().load(TABLE, table.array());
        store(vm, DIRECTORY, 7, 0x20, 2, 0);
        return vm.createVcpu();
    }

    private static void store(Vm vm, long gpa, int... values) {
        for (int i = 0; i < values.length; i++) {
            write(vm, gpa + i, values[i]);
        }
    }

    private static CpuState state(long entry, long rax, long rbx) {
        CpuState state = new CpuState();
        new BootEntry((int) entry, 0).apply(state);
        state.cr0 |= 1L << 31;
        state.cr3 = DIRECTORY;
        state.gpr[CpuState.RAX] = rax;
        state.gpr[CpuState.RBX] = rbx;
        return state;
    }

    private VcpuExit call(long number, long rbx, long rcx, long rdx, long cr4) {
        CpuState state = state(CODE + CALL, number, rbx);
        state.gpr[CpuState.RCX] = rcx;
        state.gpr[CpuState.RDX] = rdx;
        state.cr4 = cr4;
        vcpu.setState(state);
        return vcpu.run(1000);
    }

    /** RAX as a signed 32-bit number. */
    private long hypercall(long number, long rbx, long rcx, long rdx) {
        assertThat(call(number, rbx, rcx, rdx, 0)).isInstanceOf(VcpuExit.Hlt.class);
        return (int) vcpu.gpr(CpuState.RAX);
    }

    private static int load(Vcpu vcpu, long gva) {
        vcpu.setState(state(CODE + LOAD, 0, gva));
        return (int) MappingWorld.runToHlt(vcpu) & 0xff;
    }

    private static void store(Vcpu vcpu, long gva, int value) {
        vcpu.setState(state(CODE + STORE, value, gva));
        MappingWorld.runToHlt(vcpu);
    }

    @ParameterizedTest
    @EnumSource(Engine.class)
    void aGuestMapsUsesAndReturnsAPage(Engine engine) {
        boot(engine, Set.of());
        tool.memory().load(0x28 * PAGE, world.token(target));
        assertThat(load(vcpu, PAGE)).isEqualTo(0x11);
        assertThat(load(targetVcpu, 2 * PAGE)).isEqualTo(0x22);
        assertThat(hypercall(32, TOKEN, 2 * PAGE, PAGE)).isZero();
        assertThat(load(vcpu, PAGE)).isEqualTo(0x22);
        store(vcpu, PAGE, 5);
        assertThat(load(targetVcpu, 2 * PAGE)).isEqualTo(5);
        store(targetVcpu, 2 * PAGE, 6);
        assertThat(load(vcpu, PAGE)).isEqualTo(6);
        target.host().reclaim().migrate(hva(target, 2 * PAGE));
        store(targetVcpu, 2 * PAGE, 7);
        assertThat(load(vcpu, PAGE)).isEqualTo(7);
        assertThat(hypercall(33, PAGE, 0, 0)).isZero();
        assertThat(load(vcpu, PAGE)).isEqualTo(0x11);
        assertThat(load(targetVcpu, 2 * PAGE)).isEqualTo(7);
        assertThat(hypercall(33, PAGE, 0, 0)).isEqualTo(ENOENT);
        assertThat(hypercall(32, TOKEN, 2 * PAGE, PAGE)).isEqualTo(ENOENT);
    }

    @ParameterizedTest
    @EnumSource(Engine.class)
    void theTokenIsReadByTheGuestsPageTables(Engine engine) {
        boot(engine, Set.of());
        byte[] token = world.token(target);
        tool.memory().load(0x28 * PAGE + 0x100, token);
        assertThat(hypercall(32, NOWHERE, 2 * PAGE, PAGE)).isEqualTo(ENOENT);
        assertThat(hypercall(32, HOLE, 2 * PAGE, PAGE)).isEqualTo(EFAULT);
        assertThat(hypercall(32, 0x28 * PAGE, 2 * PAGE, PAGE)).isEqualTo(ENOENT);
        assertThat(world.tokens.alive(target)).isEqualTo(1);
        assertThat(hypercall(32, TOKEN + 0x100, 2 * PAGE, PAGE)).isZero();
    }

    @ParameterizedTest
    @EnumSource(Engine.class)
    void smapKeepsASupervisorFromTheTokenOfAUser(Engine engine) {
        boot(engine, Set.of());
        tool.memory().load(0x2a * PAGE, world.token(target));
        assertThat(call(32, USER, 2 * PAGE, PAGE, 1 << 21)).isInstanceOf(VcpuExit.Hlt.class);
        assertThat((int) vcpu.gpr(CpuState.RAX)).isEqualTo((int) ENOENT);
        assertThat(hypercall(32, USER, 2 * PAGE, PAGE)).isZero();
    }

    @ParameterizedTest
    @EnumSource(Engine.class)
    void aTokenAcrossPagesFollowsTheTablesOrTheFrames(Engine engine) {
        for (Set<MappingQuirk> quirks : Set.of(Set.<MappingQuirk>of(), Set.of(MappingQuirk.TOKEN_IN_NEXT_FRAME))) {
            for (long secondFrame : new long[] {0x26, 0x29}) {
                boot(engine, quirks);
                byte[] token = world.token(target);
                for (int i = 0; i < token.length; i++) {
                    long gpa = i < 12 ? 0x28 * PAGE + PAGE - 12 + i : secondFrame * PAGE + i - 12;
                    write(tool, gpa, token[i]);
                }
                boolean found = quirks.isEmpty() == (secondFrame == 0x26);
                assertThat(hypercall(32, TOKEN + PAGE - 12, 2 * PAGE, PAGE)).isEqualTo(found ? 0 : ENOENT);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Engine.class)
    void theSecondPageOfATokenMayBeMissing(Engine engine) {
        boot(engine, Set.of());
        assertThat(hypercall(32, NOWHERE - PAGE - 12, 2 * PAGE, PAGE)).isEqualTo(ENOENT);
    }

    @ParameterizedTest
    @EnumSource(Engine.class)
    void inV4AGuestThatMapsItselfNeverGoesOn(Engine engine) {
        boot(engine, MappingQuirk.strictV4());
        tool.memory().load(0x28 * PAGE, world.token(tool));
        VcpuExit exit = call(32, TOKEN, 2 * PAGE, PAGE, 0);
        assertThat(exit).isInstanceOf(VcpuExit.Oops.class);
        assertThat(((VcpuExit.Oops) exit).oops().cause()).contains("address space 0, held by map of gpa 0x2000");
        assertThat(vcpu.run(10)).isEqualTo(exit);
        assertThat(load(targetVcpu, PAGE)).isEqualTo(0x21);
        assertThat(read(tool, PAGE)).isEqualTo(0x11);
    }
}
