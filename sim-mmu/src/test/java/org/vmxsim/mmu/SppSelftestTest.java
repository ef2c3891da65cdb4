package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.VcpuExit.DeniedAccess;
import org.vmxsim.mmu.abi.Capability;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.mmu.trace.VcpuStatistics;
import org.vmxsim.vmx.Engine;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;
import org.vmxsim.vmx.exit.ExitReason;

/**
 * The selftest of the series' last posting, restated: a page at guest-physical 0x10000000, mapped at linear 0x70000000;
 * 32 stores at a stride of 128 bytes, twice, between two synchronizations.
 */
class SppSelftestTest {
    private static final long GPA = 0x1000_0000;
    private static final long GVA = 0x7000_0000;
    private static final long GFN = GPA >>> 12;
    private static final int PAGE_DIRECTORY = 0x3000;
    private static final int STORE_BYTES = 6;

    private static Guest guest(SppProfile profile, Engine engine) {
        Machine machine = Machine.of(MachineConfig.DEFAULT.withMemory(256 << 20).withEngine(engine));
        Vm vm = Kvm.on(machine).createVm(profile);
        assertThat(vm.addMemory(0, 0, 4 << 20, PageSize.SIZE_4K).isOk()).isTrue();
        assertThat(vm.addMemory(1, GPA, 16 * 4096, PageSize.SIZE_4K).isOk()).isTrue();
        Guest guest = new Guest(machine, null, vm);
        // Two pages of 4 MiB: linear 0 is physical 0, linear 0x70000000 is physical 0x10000000.
        guest.store(PAGE_DIRECTORY, 0xe3, 0, 0, 0);
        guest.store(PAGE_DIRECTORY + 4 * (int) (GVA >>> 22), 0xe3, 0, 0, 0x10);
        // mov al, 1; out 0x80, al; pass; mov al, 2; out 0x80, al; pass; hlt
        int[] pass = {
            0xbf, 0, 0, 0, 0x70, 0xb9, 32, 0, 0, 0, 0xc7, 0x07, 0x99, 0, 0, 0, 0x81, 0xc7, 0x80, 0, 0, 0, 0xe2, 0xf2
        };
        guest.code(0xb0, 1, 0xe6, 0x80);
        guest.store(Guest.CODE + 4, pass);
        guest.store(Guest.CODE + 28, 0xb0, 2, 0xe6, 0x80);
        guest.store(Guest.CODE + 32, pass);
        guest.store(Guest.CODE + 56, 0xf4);
        CpuState state = guest.vcpu.state();
        state.cr3 = PAGE_DIRECTORY;
        state.cr4 |= 0x10;
        state.cr0 |= 0x8000_0000L;
        guest.vcpu.setState(state);
        return guest;
    }

    @ParameterizedTest
    @CsvSource({"V12,FUNCTIONAL", "FIXED,FUNCTIONAL", "V12,CYCLE", "FIXED,CYCLE"})
    void thirtyTwoExitsThenNone(SppProfile profile, Engine engine) {
        Guest guest = guest(profile, engine);
        assertThat(guest.expect(VcpuExit.Io.class).data()).as("sync").isOne();
        assertThat(guest.vm.enableCap(Capability.SPP).returnValue()).isZero();
        assertThat(guest.vm.setSubPages(GFN, new int[] {0}).returnValue()).isOne();
        assertThat(guest.vm.getSubPages(GFN, 1).result().returnValue()).isOne();
        assertThat(guest.vm.getSubPages(GFN, 1).bitmaps()).containsExactly(0);

        for (int i = 0; i < 32; i++) {
            long offset = 128L * i;
            VcpuExit.Spp exit = guest.expect(VcpuExit.Spp.class);
            assertThat(exit)
                    .isEqualTo(new VcpuExit.Spp(
                            29, GPA + offset, GVA + offset, Guest.CODE + 14, STORE_BYTES, DeniedAccess.INSTRUCTION));
            CpuState state = guest.vcpu.state();
            state.rip += exit.insnLength();
            guest.vcpu.setState(state);
        }
        assertThat(guest.expect(VcpuExit.Io.class).data()).as("sync").isEqualTo(2);
        assertThat(guest.vm.memory().read(GPA, 4096)).containsOnly(0);

        assertThat(guest.vm.setSubPages(GFN, new int[] {-1}).returnValue()).isOne();
        guest.expect(VcpuExit.Hlt.class);
        for (int i = 0; i < 32; i++) {
            assertThat(guest.readLong(GPA + 128L * i)).isEqualTo(0x99);
        }
        VcpuStatistics.Snapshot counts = guest.vcpu.statistics().snapshot();
        assertThat(counts.subPageDenied()).isEqualTo(32);
        assertThat(counts.exits(ExitReason.SPP_RELATED_EVENT))
                .as("misses that the caller does not see")
                .isPositive();
    }
}
