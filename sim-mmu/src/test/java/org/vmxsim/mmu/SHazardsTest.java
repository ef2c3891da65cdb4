package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.vmxsim.mmu.VcpuExit.DeniedAccess;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;

class SHazardsTest {
    private static final long PAGE = 0x20_0000;
    private static final long GFN = PAGE >>> 12;

    private static Guest guest(SppProfile profile) {
        Machine machine = Machine.of(MachineConfig.DEFAULT.withMemory(256 << 20).withProcessors(2));
        Kvm kvm = Kvm.on(machine);
        Vm vm = kvm.createVm(profile);
        vm.addMemory(0, 0, 16 << 20, PageSize.SIZE_4K);
        return new Guest(machine, kvm, vm);
    }

    @Test
    void S17_theInstructionIsSkippedByTheKernel() {
        Guest v4 = guest(SppProfile.V4);
        // mov dword [0x200084], 0x77; hlt
        v4.code(0xc7, 0x05, 0x84, 0, 0x20, 0, 0x77, 0, 0, 0, 0xf4);
        assertThat(v4.vm.enableCap(Capability.SPP).returnValue()).isZero();
        assertThat(v4.vm.setSubPages(GFN, new int[] {~2}).returnValue()).isOne();
        assertThat(v4.run())
                .isEqualTo(new VcpuExit.Spp(28, PAGE + 0x84, 0, Guest.CODE + 10, 0, DeniedAccess.INSTRUCTION));
        v4.vm.setSubPages(GFN, new int[] {-1});
        v4.expect(VcpuExit.Hlt.class);
        assertThat(v4.readLong(PAGE + 0x80)).isZero();
    }
}
