package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmxsim.core.boot.BootEntry;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.vmx.Engine;

/** 64 vCPUs on shared memory, and a vCPU in its second address space. */
class ManyVcpusTest {
    private static final int VCPUS = 64;
    private static final int ADDS = 50;
    private static final long SUM = 0x20_0000;

    private static void start(Vcpu vcpu) {
        CpuState state = new CpuState();
        new BootEntry((int) Guest.CODE, 0).apply(state);
        state.gpr[CpuState.RSI] = SUM;
        state.gpr[CpuState.RAX] = vcpu.id() + 1;
        state.gpr[CpuState.RCX] = ADDS;
        vcpu.setState(state);
    }

    @ParameterizedTest
    @EnumSource(Engine.class)
    void sixtyFourAddToOneWord(Engine engine) {
        Guest guest = new Guest(PageSize.SIZE_4K, engine, VCPUS);
        // lock add [esi], eax; inc dword [esi + 4 + 4 * n]; loop; hlt: no two share the second word
        guest.store(Guest.CODE, 0xf0, 0x01, 0x06, 0xff, 0x44, 0x86, 0x04, 0xe2, 0xf7, 0xf4);
        Scheduler scheduler = Scheduler.random(7, 42);
        start(guest.vcpu);
        scheduler.add(guest.vcpu);
        for (int i = 1; i < VCPUS; i++) {
            Vcpu vcpu = guest.vm.createVcpu();
            start(vcpu);
            scheduler.add(vcpu);
        }
        for (int done = 0; done < VCPUS; done++) {
            Scheduler.Turn turn = scheduler.run(Guest.BUDGET);
            assertThat(turn.exit()).isInstanceOf(VcpuExit.Hlt.class);
            scheduler.remove(turn.vcpu());
        }
        assertThat(guest.readLong(SUM) & 0xffff_ffffL).isEqualTo(ADDS * VCPUS * (VCPUS + 1L) / 2);
        for (int i = 1; i <= VCPUS; i++) {
            byte[] word = guest.vm.memory().read(SUM + 4 + 4 * i, 4);
            assertThat(word).containsExactly(ADDS, 0, 0, 0);
        }
        assertThatThrownBy(guest.vm::createVcpu)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("64");
    }

    @Test
    void aMachineWithMoreProcessorsHasNoMoreVcpus() {
        Guest guest = new Guest(PageSize.SIZE_4K, Engine.FUNCTIONAL, VCPUS + 1);
        for (int i = 1; i < VCPUS; i++) {
            guest.vm.createVcpu();
        }
        assertThatThrownBy(guest.vm::createVcpu)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("64");
    }

    /** Address space 1 has another memory behind the same address, for the processor and for emulated instructions. */
    @ParameterizedTest
    @EnumSource(Engine.class)
    void systemManagementModeHasMemoryOfItsOwn(Engine engine) {
        Guest guest = new Guest(PageSize.SIZE_4K, engine);
        assertThat(guest.vm.addMemory(1 << 16, 0, 0x40_0000, PageSize.SIZE_4K).isOk())
                .isTrue();
        guest.code(0xff, 0x06, 0xf4); // inc dword [esi]; hlt
        guest.set(CpuState.RSI, SUM);
        guest.expect(VcpuExit.Hlt.class);
        guest.vcpu.mmu().systemManagement(true);
        // The code must be there too; it adds 2, and sends the value to a device: an emulated instruction.
        guest.vcpu.memory().load(Guest.CODE, new byte[] {
            (byte) 0x83, 0x06, 2, (byte) 0xbf, 0, 0, 0, 0x30, (byte) 0xa5, (byte) 0xf4
        });
        CpuState state = guest.vcpu.state();
        state.rip = Guest.CODE;
        guest.vcpu.setState(state);
        assertThat(guest.expect(VcpuExit.Mmio.class).data()).isEqualTo(2);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.vcpu.memory().readLong(SUM)).isEqualTo(2);
        assertThat(guest.readLong(SUM)).isOne();
        guest.vcpu.mmu().systemManagement(false);
        guest.code(0xff, 0x06, 0xf4);
        guest.set(CpuState.RSI, SUM);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.readLong(SUM)).isEqualTo(2);
        assertThat(guest.vcpu.memory().readLong(SUM)).isEqualTo(2);
    }
}
