package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vmxsim.mmu.abi.Capability;
import org.vmxsim.mmu.abi.KernelOops;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.ioctl.KvmIoctl;
import org.vmxsim.mmu.ioctl.KvmRunPage;
import org.vmxsim.mmu.ioctl.UserMemory;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;

/** A crash of the host's kernel ends the virtual machine that caused it, and nothing else. */
class KernelOopsTest {
    private final Machine machine =
            Machine.of(MachineConfig.DEFAULT.withMemory(256 << 20).withProcessors(3));
    private final Kvm kvm = Kvm.on(machine);
    private Guest broken;
    private Guest other;

    @BeforeEach
    void twoVirtualMachines() {
        broken = guest(SppProfile.V4);
        other = guest(SppProfile.V4);
    }

    private Guest guest(SppProfile profile) {
        Vm vm = kvm.createVm(profile);
        vm.addMemory(0, 0, 16 << 20, PageSize.SIZE_4K);
        return new Guest(machine, kvm, vm);
    }

    /** S8: a fault in a memslot that has no bitmaps. */
    private KernelOops crash() {
        broken.vm.enableCap(Capability.SPP);
        broken.vm.addMemory(1, 0x1000_0000, 1 << 20, PageSize.SIZE_4K);
        broken.code(0xa1, 0, 0, 0, 0x10, 0xf4); // mov eax, [0x10000000]; hlt
        VcpuExit.Oops exit = broken.expect(VcpuExit.Oops.class);
        return exit.oops();
    }

    @Test
    void everyLaterCallGivesTheSame() {
        KernelOops oops = crash();
        Vm vm = broken.vm;
        KvmResult crashed = KvmResult.crashed(oops);
        assertThat(vm.oops()).isEqualTo(oops);
        assertThat(broken.vcpu.run(1000)).isEqualTo(new VcpuExit.Oops(oops));
        assertThat(broken.vcpu.run(0)).isEqualTo(new VcpuExit.Oops(oops));
        assertThat(vm.createVcpu().run(1000)).isEqualTo(new VcpuExit.Oops(oops));
        assertThat(vm.setUserMemoryRegion(5, 0, 1, 2, 3)).isEqualTo(crashed);
        assertThat(vm.addMemory(2, 0x2000_0000, 0x1000, PageSize.SIZE_4K)).isEqualTo(crashed);
        assertThat(vm.resizeMemory(0, 0x1000)).isEqualTo(crashed);
        assertThat(vm.enableCap(Capability.SPP)).isEqualTo(crashed);
        assertThat(vm.enableCap(Capability.MANUAL_DIRTY_LOG_PROTECT2, 99)).isEqualTo(crashed);
        assertThat(vm.dirtyLog().get(0).result()).isEqualTo(crashed);
        assertThat(vm.dirtyLog().clear(0, 0, 64, new long[1])).isEqualTo(crashed);
        assertThat(vm.setSubPages(0, new int[0])).isEqualTo(crashed);
        assertThat(vm.getSubPages(0, 1000).result()).isEqualTo(crashed);
        assertThat(vm.getSubPages(0, 1000).bitmaps()).isEmpty();
    }

    @Test
    void aCrashOfTheLastPostingEndsItsVirtualMachineToo() {
        Vm vm = kvm.createVm(SppProfile.V12);
        vm.addMemory(0, 0, 1 << 20, PageSize.SIZE_4K);
        assertThat(vm.enableCap(Capability.SPP).isOk()).isTrue();
        KvmResult crashed = vm.setSubPages(0, new int[] {0});
        assertThat(crashed.oops().function()).isEqualTo("spp_flush_sppt");
        assertThat(vm.oops()).isEqualTo(crashed.oops());
        assertThat(vm.setSubPages(0, new int[] {0})).isEqualTo(crashed);
        assertThat(vm.addMemory(1, 1 << 30, 0x1000, PageSize.SIZE_4K)).isEqualTo(crashed);
        assertThat(vm.dirtyLog().get(0).result()).isEqualTo(crashed);
        assertThat(new KvmIoctl(vm, new UserMemory()).ioctl(0xAE03, 0)).isEqualTo(crashed);
        assertThat(vm.createVcpu().run(1000)).isEqualTo(new VcpuExit.Oops(crashed.oops()));
    }

    @Test
    void theCallsByBytesToo() {
        KernelOops oops = crash();
        KvmIoctl fd = new KvmIoctl(broken.vm, new UserMemory());
        for (int request : new int[] {0x8008AE49, 0x4008AE4A, 0x4008AE4B, 0x4020AE46, 0xAE03, 0xAE99}) {
            assertThat(fd.ioctl(request, 0)).isEqualTo(KvmResult.crashed(oops));
        }
        KvmRunPage page = new KvmRunPage();
        assertThat(page.run(broken.vcpu, 10)).isEqualTo(KvmResult.crashed(oops));
        assertThat(page.bytes().getLong(8)).as("nothing is written").isZero();
        assertThatThrownBy(() -> fd.ioctl(0xAE03, 0).returnValue()).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void whatWasThereCanStillBeLookedAt() {
        crash();
        assertThat(broken.readLong(Guest.CODE) & 0xff).isEqualTo(0xa1);
        assertThat(broken.vcpu.rip()).isEqualTo(Guest.CODE);
        assertThat(broken.vm.statistics().pages4k()).isPositive();
    }

    @Test
    void otherVirtualMachinesGoOn() {
        other.vm.enableCap(Capability.SPP);
        // mov eax, [0x300000]; hlt; mov [0x300000], eax; hlt
        other.code(0xa1, 0, 0, 0x30, 0, 0xf4, 0xa3, 0, 0, 0x30, 0, 0xf4);
        other.expect(VcpuExit.Hlt.class);
        crash();
        assertThat(other.vm.oops()).isNull();
        assertThat(other.vm.setSubPages(0x300, new int[] {0}).returnValue()).isOne();
        other.expect(VcpuExit.Spp.class);
        other.expect(VcpuExit.Hlt.class);
        Guest later = guest(SppProfile.FIXED);
        later.code(0xf4).expect(VcpuExit.Hlt.class);
        assertThat(later.vm.enableCap(Capability.SPP).returnValue()).isZero();
    }
}
