package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmxsim.mmu.abi.Capability;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;

/** The arrays of bitmaps, 4 bytes a page, are in the machine's memory: a MiB for each GiB of guest memory. */
class BitmapMemoryTest {
    private static final long GIB = 1L << 30;

    private final Kvm kvm = Kvm.on(Machine.of(MachineConfig.DEFAULT.withMemory(64 << 20)));

    private Vm vm(SppProfile profile, long sizeBytes) {
        Vm vm = kvm.createVm(profile);
        assertThat(vm.addMemory(0, 0, sizeBytes, PageSize.SIZE_4K).isOk()).isTrue();
        return vm;
    }

    @ParameterizedTest
    // One SPPT root besides in the repaired profile; the others have no vCPU that they could make one for.
    @CsvSource({"V4, 0", "V12, 0", "FIXED, 1"})
    void aMebibyteForEachGibibyteAndAFrameForLess(SppProfile profile, int roots) {
        Vm vm = vm(profile, 4 * GIB);
        assertThat(vm.addMemory(1 << 16, 0, 4096, PageSize.SIZE_4K).isOk()).isTrue();
        long before = kvm.freeBytes();
        assertThat(vm.enableCap(Capability.SPP).returnValue()).isZero();
        assertThat(before - kvm.freeBytes()).isEqualTo((4 << 20) + 4096 + roots * 4096L);
        assertThat(vm.enableCap(Capability.SPP).returnValue()).isZero();
        assertThat(before - kvm.freeBytes()).isEqualTo((4 << 20) + 4096 + roots * 4096L);
    }

    @ParameterizedTest
    @EnumSource(SppProfile.class)
    void withoutTheMemoryNothingIsEnabledAndNothingTaken(SppProfile profile) {
        Vm vm = vm(profile, 63 * GIB);
        long before = kvm.freeBytes();
        assertThat(vm.addMemory(1, 63 * GIB, GIB, PageSize.SIZE_4K).isOk()).isTrue();
        assertThat(vm.enableCap(Capability.SPP).errno()).isEqualTo(Errno.ENOMEM);
        assertThat(kvm.freeBytes()).isEqualTo(before);
        assertThat(vm.setSubPages(0, new int[1]).errno()).isEqualTo(Errno.ENODEV);
        assertThat(vm.setUserMemoryRegion(0, 0, 0, 0, 0).isOk()).isTrue();
        assertThat(vm.enableCap(Capability.SPP).returnValue()).isZero();
    }

    @Test
    void theRootOfTheRepairedProfileIsNotThereAloneOrTheBitmapsWithoutIt() {
        Vm vm = vm(SppProfile.FIXED, 4096 * (kvm.freeBytes() / 4));
        long before = kvm.freeBytes();
        assertThat(vm.enableCap(Capability.SPP).errno()).isEqualTo(Errno.ENOMEM);
        assertThat(kvm.freeBytes()).isEqualTo(before);
        assertThat(vm.slots().at(0).bitmaps()).isNull();
    }

    @ParameterizedTest
    @EnumSource(SppProfile.class)
    void theMemoryComesBackWithTheMemslot(SppProfile profile) {
        Vm vm = vm(profile, GIB);
        long hva = vm.slots().at(0).hva();
        long before = kvm.freeBytes();
        assertThat(vm.enableCap(Capability.SPP).isOk()).isTrue();
        long enabled = kvm.freeBytes();
        assertThat(vm.setUserMemoryRegion(0, 0, 4 * GIB, GIB, hva).isOk()).isTrue();
        // In v12 a memslot that moves has none at its new place.
        assertThat(kvm.freeBytes()).isEqualTo(profile == SppProfile.V12 ? before : enabled);
        assertThat(vm.setUserMemoryRegion(0, 0, 0, 0, 0).isOk()).isTrue();
        assertThat(kvm.freeBytes()).isEqualTo(profile == SppProfile.FIXED ? before - 4096 : before);
    }

    @Test
    void aMemslotThatComesLaterNeedsMemoryToo() {
        Vm vm = vm(SppProfile.FIXED, GIB);
        assertThat(vm.enableCap(Capability.SPP).isOk()).isTrue();
        assertThat(vm.setSubPages(7, new int[] {5}).isOk()).isTrue();
        long before = kvm.freeBytes();
        assertThat(vm.addMemory(1, GIB, 63 * GIB, PageSize.SIZE_4K).errno()).isEqualTo(Errno.ENOMEM);
        assertThat(vm.resizeMemory(0, 63 * GIB).errno()).isEqualTo(Errno.ENOMEM);
        assertThat(kvm.freeBytes()).isEqualTo(before);
        assertThat(vm.getSubPages(7, 1).bitmaps()).containsExactly(5);
        assertThat(vm.getSubPages(GIB >> 12, 1).result().errno()).isEqualTo(Errno.EFAULT);
        assertThat(vm.resizeMemory(0, 2 * GIB).isOk()).isTrue();
        assertThat(before - kvm.freeBytes()).isEqualTo(1 << 20);
        assertThat(vm.getSubPages(7, 1).bitmaps()).containsExactly(5);
    }
}
