package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vmxsim.mmu.abi.Capability;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.mmu.track.TrackMode;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;

/** What is needed before a guest can be entered may not be there; the call says so, and succeeds once it is. */
class EntryWithoutMemoryTest {
    private static final long FILLER_BYTES = 32 << 20;

    private final Guest guest = guest(SppProfile.FIXED);
    private long filler;

    private static Guest guest(SppProfile profile) {
        Machine machine = Machine.of(MachineConfig.DEFAULT.withMemory(32 << 20));
        Kvm kvm = Kvm.on(machine);
        Vm vm = kvm.createVm(profile);
        vm.addMemory(0, 0, 1 << 20, PageSize.SIZE_4K);
        return new Guest(machine, kvm, vm);
    }

    @BeforeEach
    void running() {
        guest.code(0xf4, 0xf4, 0xf4);
        guest.expect(VcpuExit.Hlt.class);
        filler = guest.vm.host().map(FILLER_BYTES, PageSize.SIZE_4K);
    }

    /** Takes every frame but those that are kept for the vCPU's tables. */
    private void exhaust() {
        long hva = filler;
        while (guest.vm.host().resolve(hva) >= 0) {
            hva += 4096;
        }
        assertThat(guest.kvm.freeBytes()).isZero();
    }

    private void needsMemory() {
        VcpuExit.InternalError exit = guest.expect(VcpuExit.InternalError.class);
        assertThat(exit.suberror()).isEqualTo(VcpuExit.Suberror.NO_MEMORY);
        assertThat(guest.run()).as("not forgotten").isEqualTo(exit);
        guest.vm.host().ranges().discard(filler, FILLER_BYTES);
        guest.expect(VcpuExit.Hlt.class);
    }

    @Test
    void theRootOfAnotherView() {
        int view = guest.vm.views().create().returnValue();
        exhaust();
        guest.vcpu.mmu().switchView(view);
        needsMemory();
        assertThat(guest.vcpu.mmu().view()).isEqualTo(view);
    }

    @Test
    void theListOfViewsAndTheRootsInIt() {
        int view = guest.vm.views().create().returnValue();
        assertThat(guest.vm.views().visible(0, true).isOk()).isTrue();
        assertThat(guest.vm.views().visible(view, true).isOk()).isTrue();
        exhaust();
        needsMemory();
    }

    @Test
    void theRootOfANestedGuest() {
        guest.vm.mmu().caches().clear();
        exhaust();
        guest.vcpu.mmu().nested(true);
        needsMemory();
    }

    @Test
    void thePageOfAnEmulatedAccess() {
        guest.code(0xa1, 0, 0, 8, 0, 0xf4); // mov eax, [0x80000]; hlt
        guest.vm.pageTracking().add(guest.vm.slots().at(0x80), 0x80, TrackMode.PREREAD);
        exhaust();
        needsMemory();
    }

    @Test
    void aCrashBeforeTheEntryComesBeforeTheGuest() {
        Machine machine = Machine.of(MachineConfig.DEFAULT.withMemory(32 << 20));
        Kvm kvm = Kvm.on(machine);
        Vm vm = kvm.createVm(SppProfile.V12);
        vm.addMemory(0, 0, 1 << 20, PageSize.SIZE_4K);
        // Enabled before there is a vCPU: the root is physical page 0 (T6), which nobody can free.
        vm.enableCap(Capability.SPP);
        Guest v12 = new Guest(machine, kvm, vm).code(0xf4, 0x40, 0xf4); // hlt; inc eax; hlt
        v12.expect(VcpuExit.Hlt.class);
        assertThat(vm.addMemory(1, 1 << 30, 4096, PageSize.SIZE_4K).isOk()).isTrue();
        assertThat(vm.setUserMemoryRegion(1, 0, 0, 0, 0).isOk()).isTrue();
        assertThat(vm.oops()).isNull();
        long eax = v12.get(0);
        v12.expect(VcpuExit.Oops.class);
        assertThat(v12.get(0)).as("EAX").isEqualTo(eax);
    }
}
