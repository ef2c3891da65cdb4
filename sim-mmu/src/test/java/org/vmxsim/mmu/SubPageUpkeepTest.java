package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmxsim.mmu.abi.Capability;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;

/** Protected pages while the host follows writes and moves memory. */
class SubPageUpkeepTest {
    private static final long PAGE = 0x20_0000;
    private static final long GFN = PAGE >>> 12;
    private static final long BYTES = 16 << 20;

    private long hva;

    private Guest guest(SppProfile profile) {
        Machine machine = Machine.of(MachineConfig.DEFAULT.withMemory(256 << 20));
        Vm vm = Kvm.on(machine, KvmConfig.DEFAULT.withLargestPage(PageSize.SIZE_4K))
                .createVm(profile);
        hva = vm.host().map(BYTES, PageSize.SIZE_4K);
        assertThat(vm.setUserMemoryRegion(0, 0, 0, BYTES, hva).isOk()).isTrue();
        Guest guest = new Guest(machine, null, vm);
        assertThat(vm.enableCap(Capability.SPP).returnValue()).isZero();
        assertThat(vm.setSubPages(GFN, new int[] {1}).returnValue()).isOne();
        return guest;
    }

    /** mov dword [gpa], 0x77; hlt. */
    private static VcpuExit store(Guest guest, long gpa) {
        guest.code(
                0xc7, 0x05, (int) gpa, (int) (gpa >>> 8), (int) (gpa >>> 16), (int) (gpa >>> 24), 0x77, 0, 0, 0, 0xf4);
        return guest.run();
    }

    private void log(Guest guest, boolean on) {
        assertThat(guest.vm
                        .setUserMemoryRegion(0, on ? Memslot.LOG_DIRTY_PAGES : 0, 0, BYTES, hva)
                        .isOk())
                .isTrue();
    }

    private static boolean isDirty(Guest guest) {
        return guest.vm.dirtyLog().get(0).isSet(GFN);
    }

    @Test
    void anAllowedWriteToAnArmedPageIsLogged() {
        Guest guest = guest(SppProfile.FIXED);
        assertThat(store(guest, PAGE)).isInstanceOf(VcpuExit.Hlt.class);
        log(guest, true);
        assertThat(isDirty(guest)).isFalse();
        for (int round = 0; round < 2; round++) {
            assertThat(store(guest, PAGE)).isInstanceOf(VcpuExit.Hlt.class);
            assertThat(isDirty(guest)).as("round %d", round).isTrue();
            assertThat(isDirty(guest)).as("read and cleared").isFalse();
        }
        log(guest, false);
        assertThat(store(guest, PAGE)).isInstanceOf(VcpuExit.Hlt.class);
        assertThat(store(guest, PAGE + 0x80)).isInstanceOf(VcpuExit.Spp.class);
    }

    /** Moved by the host, the page keeps its contents and its protection, and costs a fault. */
    @ParameterizedTest
    @EnumSource(names = {"V12", "FIXED"})
    void aMigratedPageStaysProtected(SppProfile profile) {
        Guest guest = guest(profile);
        assertThat(store(guest, PAGE)).isInstanceOf(VcpuExit.Hlt.class);
        long before = guest.vm.memory().hpa(PAGE);
        guest.vm.host().reclaim().migrate(hva + PAGE);
        assertThat(guest.vm.memory().hpa(PAGE)).isNotEqualTo(before);
        assertThat(store(guest, PAGE + 4)).isInstanceOf(VcpuExit.Hlt.class);
        assertThat(store(guest, PAGE + 0x80)).isInstanceOf(VcpuExit.Spp.class);
        assertThat(guest.readLong(PAGE)).isEqualTo(0x77_0000_0077L);
        assertThat(guest.readLong(PAGE + 0x80)).isZero();
    }
}
