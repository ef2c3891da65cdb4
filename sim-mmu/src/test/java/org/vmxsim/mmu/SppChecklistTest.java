package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmxsim.core.paging.Radix;
import org.vmxsim.mmu.abi.Capability;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.spp.SppEntry;
import org.vmxsim.vmx.Engine;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;
import org.vmxsim.vmx.exit.ExitReason;

/**
 * The checklist of sub-page permissions, C1 to C20, as far as KVM's interface can show it. The numbers that are missing
 * concern tables or controls that this hypervisor never makes; the hardware has tests of them: C1 and C2
 * {@code EntryRulesTest}, C3, C12, C13, C17, C18 and C19 {@code SubPageTest}, C16 {@code GuestEventTest} and
 * {@code GuestMemoryTest}, all in sim-vmx. C15 and C20 are in {@link SubPageExitsTest}.
 */
class SppChecklistTest {
    private static final long PAGE = 0x20_0000;
    private static final long GFN = PAGE >>> 12;

    private static Guest guest(SppProfile profile, PageSize backing) {
        Machine machine = Machine.of(MachineConfig.DEFAULT.withMemory(256 << 20));
        Kvm kvm = Kvm.on(machine);
        Vm vm = kvm.createVm(profile);
        vm.addMemory(0, 0, 16 << 20, backing);
        Guest guest = new Guest(machine, kvm, vm);
        assertThat(vm.enableCap(Capability.SPP).returnValue()).isZero();
        return guest;
    }

    private static Guest guest(SppProfile profile) {
        return guest(profile, PageSize.SIZE_4K);
    }

    private static void set(Guest guest, int bitmap) {
        assertThat(guest.vm.setSubPages(GFN, new int[] {bitmap}).returnValue()).isOne();
    }

    /** mov dword [gpa], 0x77; hlt. */
    private static VcpuExit store(Guest guest, long gpa) {
        guest.code(
                0xc7, 0x05, (int) gpa, (int) (gpa >>> 8), (int) (gpa >>> 16), (int) (gpa >>> 24), 0x77, 0, 0, 0, 0xf4);
        return guest.run();
    }

    private static long events(Guest guest) {
        return guest.vcpu.statistics().snapshot().exits(ExitReason.SPP_RELATED_EVENT);
    }

    /** Where the SPPT entry of a level lies, by plain arithmetic. */
    private static long entryHpa(Guest guest, long gpa, int level) {
        long table = guest.vm.subPages().spptp(0);
        for (int at = 4; at > level; at--) {
            long entry = guest.machine.memory().readLong(table + (gpa >>> 12 + 9 * (at - 1) & 511) * 8);
            table = entry & ~0xfffL;
        }
        return table + (gpa >>> 12 + 9 * (level - 1) & 511) * 8;
    }

    @ParameterizedTest
    @EnumSource(names = {"V12", "FIXED"})
    void C4_aPageThatIsReadOnlyForAnotherReasonIsNotAskedAbout(SppProfile profile) {
        Guest guest = guest(profile);
        long hva = guest.vm.host().map(4096, PageSize.SIZE_4K);
        assertThat(guest.vm
                        .setUserMemoryRegion(1, Memslot.READONLY, 0x1000_0000, 4096, hva)
                        .isOk())
                .isTrue();
        assertThat(store(guest, 0x1000_0000)).isEqualTo(new VcpuExit.Mmio(0x1000_0000, 4, true, 0x77));
        assertThat(events(guest)).isZero();
    }

    @ParameterizedTest
    @EnumSource(names = {"V12", "FIXED"})
    void C5_theFirstWriteMissesAndIsTriedAgain(SppProfile profile) {
        Guest guest = guest(profile);
        set(guest, 1);
        assertThat(store(guest, PAGE)).isInstanceOf(VcpuExit.Hlt.class);
        assertThat(events(guest)).isOne();
        assertThat(guest.vm.statistics().regionsFilled()).isOne();
        assertThat(guest.readLong(PAGE)).isEqualTo(0x77);
    }

    @ParameterizedTest
    @CsvSource({"V12,4", "V12,3", "V12,2", "FIXED,4", "FIXED,3", "FIXED,2"})
    void C6_aReservedBitInAnEntryIsUnknownToTheCaller(SppProfile profile, int level) {
        Guest guest = guest(profile);
        set(guest, 1);
        assertThat(store(guest, PAGE)).isInstanceOf(VcpuExit.Hlt.class);
        long at = entryHpa(guest, PAGE, level);
        guest.machine.memory().writeLong(at, guest.machine.memory().readLong(at) | 2);
        set(guest, 1 | profile.ordinal() << 8);
        if (profile == SppProfile.V12) {
            // A set makes the entry of level 2 invalid: it would be a miss.
            long region = entryHpa(guest, PAGE, Radix.PD);
            guest.machine.memory().writeLong(region, guest.machine.memory().readLong(region) | SppEntry.VALID.mask());
        }
        assertThat(store(guest, PAGE + 0x80)).isEqualTo(new VcpuExit.Unknown(66));
    }

    @ParameterizedTest
    @EnumSource(names = {"V12", "FIXED"})
    void C7_anOddBitInAVectorIsUnknownToTheCaller(SppProfile profile) {
        Guest guest = guest(profile);
        set(guest, 1);
        assertThat(store(guest, PAGE)).isInstanceOf(VcpuExit.Hlt.class);
        guest.machine.memory().writeLong(entryHpa(guest, PAGE, Radix.PT), 2);
        assertThat(store(guest, PAGE + 0x80)).isEqualTo(new VcpuExit.Unknown(66));
    }

    @ParameterizedTest
    @EnumSource(names = {"V12", "FIXED"})
    void C8_theBitOfTheSubPageDecides(SppProfile profile) {
        Guest guest = guest(profile);
        set(guest, 1);
        assertThat(store(guest, PAGE)).isInstanceOf(VcpuExit.Hlt.class);
        assertThat(store(guest, PAGE + 0x80)).isInstanceOf(VcpuExit.Spp.class);
        assertThat(guest.readLong(PAGE + 0x80)).isZero();
    }

    @ParameterizedTest
    @CsvSource({"V12,1,false", "V12,2,false", "V12,3,true", "FIXED,1,false", "FIXED,2,false", "FIXED,3,true"})
    void C9_C10_aStoreAcrossSubPagesNeedsBoth(SppProfile profile, int bitmap, boolean allowed) {
        Guest guest = guest(profile);
        set(guest, bitmap);
        VcpuExit exit = store(guest, PAGE + 0x7e);
        assertThat(exit instanceof VcpuExit.Hlt).isEqualTo(allowed);
        assertThat(guest.vm.memory().read(PAGE + 0x7e, 4)[0]).isEqualTo((byte) (allowed ? 0x77 : 0));
    }

    @ParameterizedTest
    @EnumSource(names = {"V12", "FIXED"})
    void C11_readsAndFetchesAreFree(SppProfile profile) {
        Guest guest = guest(profile);
        set(guest, 0);
        guest.store(PAGE, 0xf4);
        // mov eax, [0x200000]; jmp 0x200000
        guest.code(0xa1, 0, 0, 0x20, 0, 0xe9, 0xf6, 0xef, 0x1f, 0);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.vcpu.rip()).isEqualTo(PAGE + 1);
        assertThat(guest.vcpu.gpr(0) & 0xff).isEqualTo(0xf4);
        assertThat(events(guest)).isZero();
    }

    @ParameterizedTest
    @EnumSource(names = {"V12", "FIXED"})
    void C14_aLargePageIsNeverArmed(SppProfile profile) {
        Guest guest = guest(profile, PageSize.SIZE_2M);
        assertThat(store(guest, PAGE)).isInstanceOf(VcpuExit.Hlt.class);
        long large = guest.vm.statistics().pages2m();
        set(guest, ~2);
        assertThat(store(guest, PAGE + 0x80)).isInstanceOf(VcpuExit.Spp.class);
        assertThat(guest.vm.statistics().pages2m()).isEqualTo(large - 1);
        set(guest, -1);
        assertThat(store(guest, PAGE + 0x80)).isInstanceOf(VcpuExit.Hlt.class);
    }

    @ParameterizedTest
    @EnumSource
    void C17_whatIsTakenAwayIsInvalidatedAndWhatIsGrantedIsNot(Engine engine) {
        Guest guest = new Guest(PageSize.SIZE_4K, engine);
        assertThat(guest.vm.enableCap(Capability.SPP).returnValue()).isZero();
        set(guest, 3);
        assertThat(store(guest, PAGE)).isInstanceOf(VcpuExit.Hlt.class);
        assertThat(store(guest, PAGE + 0x100)).isInstanceOf(VcpuExit.Spp.class);
        long before = invalidations(guest);
        set(guest, 7);
        assertThat(store(guest, PAGE + 0x100)).isInstanceOf(VcpuExit.Hlt.class);
        set(guest, -1);
        assertThat(store(guest, PAGE + 0x800)).isInstanceOf(VcpuExit.Hlt.class);
        assertThat(invalidations(guest)).as("grants").isEqualTo(before);
        set(guest, 2);
        assertThat(store(guest, PAGE)).isInstanceOf(VcpuExit.Spp.class);
        assertThat(invalidations(guest)).as("write permission").isEqualTo(before + 1);
        set(guest, 0);
        assertThat(store(guest, PAGE + 0x80)).isInstanceOf(VcpuExit.Spp.class);
        assertThat(invalidations(guest)).as("a sub-page").isEqualTo(before + 2);
        assertThat(guest.vm.setSubPages(GFN + 1, new int[] {0}).isOk()).isTrue();
        assertThat(store(guest, PAGE + 0x1000)).isInstanceOf(VcpuExit.Spp.class);
        assertThat(invalidations(guest)).as("a page that was not mapped").isEqualTo(before + 2);
    }

    private static long invalidations(Guest guest) {
        return guest.vcpu.statistics().snapshot().invalidations();
    }
}
