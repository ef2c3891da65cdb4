package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.ept.EptCursor;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.trace.VcpuStatistics;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;
import org.vmxsim.vmx.exit.ExitReason;

/** What a guest meets where there is no memslot, and when memslots or roots change under it. */
class DeviceMarksTest {
    private static final long DEVICE = 0x4000_0000L;

    /** mov eax, [0x40000004]; mov ebx, [0x40000008]; hlt. */
    private static final int[] TWO_LOADS = {0xa1, 4, 0, 0, 0x40, 0x8b, 0x1d, 8, 0, 0, 0x40, 0xf4};

    private static Guest guest(KvmConfig config) {
        Machine machine = Machine.of(MachineConfig.DEFAULT);
        Kvm kvm = Kvm.on(machine, config);
        Vm vm = kvm.createVm();
        vm.addMemory(0, 0, 4 << 20, PageSize.SIZE_4K);
        return new Guest(machine, kvm, vm);
    }

    private static void twoLoads(Guest guest) {
        guest.code(TWO_LOADS);
        guest.expect(VcpuExit.Mmio.class);
        guest.vcpu.answer(0x1111);
        guest.expect(VcpuExit.Mmio.class);
        guest.vcpu.answer(0x2222);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RAX)).isEqualTo(0x1111);
        assertThat(guest.get(CpuState.RBX)).isEqualTo(0x2222);
    }

    @Test
    void theSecondAccessToADeviceIsAMisconfiguration() {
        Guest guest = guest(KvmConfig.DEFAULT);
        twoLoads(guest);
        VcpuStatistics.Snapshot counts = guest.vcpu.statistics().snapshot();
        assertThat(counts.exits(ExitReason.EPT_MISCONFIGURATION)).isEqualTo(1);
        long violations = counts.exits(ExitReason.EPT_VIOLATION);

        Guest without = guest(KvmConfig.DEFAULT.withMapping(true, false));
        twoLoads(without);
        counts = without.vcpu.statistics().snapshot();
        assertThat(counts.exits(ExitReason.EPT_MISCONFIGURATION)).isZero();
        assertThat(counts.exits(ExitReason.EPT_VIOLATION)).isEqualTo(violations + 1);
    }

    @Test
    void aMemslotInPlaceOfADeviceIsMemoryAtOnce() {
        Guest guest = guest(KvmConfig.DEFAULT);
        twoLoads(guest);
        guest.vm.addMemory(1, DEVICE, 0x1000, PageSize.SIZE_4K);
        Memslot slot = guest.vm.slots().byId(1);
        guest.vm.host().write(slot.hva() + 4, new byte[] {0x33, 0, 0, 0, 0x44});
        guest.code(TWO_LOADS);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RAX)).isEqualTo(0x33);
        assertThat(guest.get(CpuState.RBX)).isEqualTo(0x44);
        guest.vm.setUserMemoryRegion(1, 0, DEVICE, 0, 0);
        twoLoads(guest);
    }

    @Test
    void aMisconfigurationThatIsNoMarkEndsTheRun() {
        Guest guest = guest(KvmConfig.DEFAULT);
        twoLoads(guest);
        EptCursor found = new EptCursor();
        guest.vm.mmu().lookup(DEVICE, found);
        guest.vm.memory().physical().writeLong(found.spteHpa, 2);
        guest.code(TWO_LOADS);
        VcpuExit.InternalError error = guest.expect(VcpuExit.InternalError.class);
        assertThat(error.suberror()).isEqualTo(VcpuExit.Suberror.UNEXPECTED_EXIT_REASON);
    }

    @Test
    void aGuestGoesOnWhereItsTablesWereAfterAReset() {
        Guest guest = guest(KvmConfig.DEFAULT);
        // inc dword [0x200000]; hlt
        int[] code = {0xff, 0x05, 0, 0, 0x20, 0, 0xf4};
        guest.code(code);
        guest.expect(VcpuExit.Hlt.class);
        long violations = guest.vcpu.statistics().snapshot().exits(ExitReason.EPT_VIOLATION);
        guest.vcpu.mmu().reset();
        guest.code(code);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.readLong(0x20_0000)).isEqualTo(2);
        assertThat(guest.vcpu.statistics().snapshot().exits(ExitReason.EPT_VIOLATION))
                .as("the root was kept")
                .isEqualTo(violations);
        guest.vm.mmu().zapAllFast();
        guest.vm.requestFlushes();
        guest.code(code);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.readLong(0x20_0000)).isEqualTo(3);
        assertThat(guest.vcpu.statistics().snapshot().exits(ExitReason.EPT_VIOLATION))
                .as("it was not")
                .isGreaterThan(violations);
    }

    @Test
    void prefetchingSavesFaults() {
        // mov edi, 0x200000; mov ecx, 16; l: mov [edi], ecx; add edi, 4096; loop l; hlt
        int[] code = {0xbf, 0, 0, 0x20, 0, 0xb9, 16, 0, 0, 0, 0x89, 0x0f, 0x81, 0xc7, 0, 0x10, 0, 0, 0xe2, 0xf6, 0xf4};
        long[] faults = new long[2];
        for (int i = 0; i < 2; i++) {
            Guest guest = guest(KvmConfig.DEFAULT.withMapping(i == 1, true));
            guest.vm.memory().load(0x20_0000, new byte[16 * 4096]);
            guest.code(code);
            guest.expect(VcpuExit.Hlt.class);
            faults[i] = guest.vcpu.statistics().snapshot().exits(ExitReason.EPT_VIOLATION);
        }
        assertThat(faults[0] - faults[1])
                .as("two faults for 16 pages instead of 16")
                .isEqualTo(14);
    }
}
