package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.paging.Radix;
import org.vmxsim.mmu.VcpuExit.DeniedAccess;
import org.vmxsim.mmu.abi.Capability;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.mmu.spp.SubPageProtection;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;
import org.vmxsim.vmx.control.SecondaryControls;
import org.vmxsim.vmx.exit.ExitReason;
import org.vmxsim.vmx.vmcs.ControlField;

/** The hazards of v12 on the running machine, and that the fixed profile has none of them; see docs/spp.md. */
class THazardsTest {
    private static final long PAGE = 0x20_0000;
    private static final long GFN = PAGE >>> 12;
    private static final long SECOND = 0x40_0000;

    /** One hypervisor of its own, so that what virtual machines share is shared within a test only. */
    private static Kvm kvm(int processors) {
        return Kvm.on(Machine.of(MachineConfig.DEFAULT.withMemory(3L << 30).withProcessors(processors)));
    }

    private static Guest guest(Kvm kvm, SppProfile profile) {
        Vm vm = kvm.createVm(profile);
        vm.addMemory(0, 0, 16 << 20, PageSize.SIZE_4K);
        return new Guest(null, kvm, vm);
    }

    private static Guest enabled(SppProfile profile) {
        Guest guest = guest(kvm(2), profile);
        assertThat(guest.vm.enableCap(Capability.SPP).returnValue()).isZero();
        return guest;
    }

    /** Memory in two memslots that meet at 4 MiB. */
    private static Guest twoSlots(SppProfile profile) {
        Vm vm = kvm(1).createVm(profile);
        vm.addMemory(0, 0, SECOND, PageSize.SIZE_4K);
        vm.addMemory(1, SECOND, 4 << 20, PageSize.SIZE_4K);
        Guest guest = new Guest(null, null, vm);
        assertThat(vm.enableCap(Capability.SPP).returnValue()).isZero();
        return guest;
    }

    /** The guest stores 0x77 at an address, which is below 2^32, and halts. */
    private static VcpuExit store(Guest guest, long gpa) {
        guest.code(0xc7, 0x05, (int) gpa, (int) (gpa >>> 8), (int) (gpa >>> 16), (int) (gpa >>> 24), 0x77, 0, 0, 0)
                .store(Guest.CODE + 10, 0xf4);
        return guest.vcpu.run(2000);
    }

    private static void load(Guest guest, long gpa) {
        guest.code(0xa1, (int) gpa, (int) (gpa >>> 8), (int) (gpa >>> 16), (int) (gpa >>> 24), 0xf4);
        guest.expect(VcpuExit.Hlt.class);
    }

    private static void set(Guest guest, long gfn, int... bitmaps) {
        assertThat(guest.vm.setSubPages(gfn, bitmaps).returnValue()).isEqualTo(bitmaps.length);
    }

    private static void denied(VcpuExit exit, long gpa) {
        assertThat(exit).isInstanceOf(VcpuExit.Spp.class);
        assertThat(((VcpuExit.Spp) exit).gpa()).isEqualTo(gpa);
    }

    private static void done(VcpuExit exit) {
        assertThat(exit).isInstanceOf(VcpuExit.Hlt.class);
    }

    private static long misses(Guest guest) {
        return guest.vcpu.statistics().snapshot().exits(ExitReason.SPP_RELATED_EVENT);
    }

    /** The text reads a variable before it sets it; what it means is that the region becomes valid again. */
    @Test
    void T1_anInvalidatedRegionBecomesValidAgain() {
        for (SppProfile profile : new SppProfile[] {SppProfile.V12, SppProfile.FIXED}) {
            Guest guest = enabled(profile);
            set(guest, GFN, 1);
            done(store(guest, PAGE));
            set(guest, GFN, 2);
            done(store(guest, PAGE + 0x80));
            denied(store(guest, PAGE), PAGE);
            assertThat(misses(guest)).as("v12 misses again").isEqualTo(profile == SppProfile.V12 ? 2 : 1);
        }
    }

    @Test
    void T2_aRegionOfWhichOnePageIsInTheRangeKeepsItsVectors() {
        Guest v12 = regionsOfTwoPages(SppProfile.V12);
        done(store(v12, PAGE + 0x80));
        assertThat(v12.readLong(PAGE + 0x80)).as("a denied write is done").isEqualTo(0x77);

        denied(store(regionsOfTwoPages(SppProfile.FIXED), PAGE + 0x80), PAGE + 0x80);
    }

    /** The last page of one region and the first of the next, both with vectors, are set together. */
    private static Guest regionsOfTwoPages(SppProfile profile) {
        Guest guest = enabled(profile);
        set(guest, GFN - 1, 1);
        set(guest, GFN, 2);
        done(store(guest, PAGE - 0x1000));
        done(store(guest, PAGE + 0x80));
        guest.store(PAGE + 0x80, 0, 0, 0, 0);
        set(guest, GFN - 1, 0, 0);
        return guest;
    }

    @Test
    void T3_afterALargePageBitmapsGoToTheWrongPages() {
        Guest v12 = largePageThenSmall(SppProfile.V12);
        assertThat(v12.vm.getSubPages(0x4_0000, 1).bitmaps()).containsExactly(-1);
        assertThat(store(v12, 1 << 30)).as("an unprotected page is armed").isEqualTo(new VcpuExit.Intr());

        Guest fixed = largePageThenSmall(SppProfile.FIXED);
        done(store(fixed, 1 << 30));
    }

    /** Four protected pages at the end of a 1-GiB page, and four open ones behind it in another memslot. */
    private static Guest largePageThenSmall(SppProfile profile) {
        Vm vm = kvm(1).createVm(profile);
        vm.addMemory(0, 0, 1 << 30, PageSize.SIZE_1G);
        vm.addMemory(1, 1 << 30, 1 << 20, PageSize.SIZE_4K);
        Guest guest = new Guest(null, null, vm);
        vm.enableCap(Capability.SPP);
        done(store(guest, 1 << 30));
        assertThat(vm.statistics().pages1g()).isOne();
        set(guest, 0x3_fffc, 0, 0, 0, 0, -1, -1, -1, -1);
        return guest;
    }

    @Test
    void T4_missBetweenFlushAndStoreRebuildsOldBitmaps() {
        Guest v12 = guest(kvm(2), SppProfile.V12);
        done(raced(v12));
        assertThat(v12.readLong(PAGE + 0x80)).as("a denied write is done").isEqualTo(0x77);

        denied(raced(guest(kvm(2), SppProfile.FIXED)), PAGE + 0x80);
    }

    /** Another vCPU writes where the call holds no lock; then the write that the call forbade is tried. */
    private static VcpuExit raced(Guest guest) {
        Vcpu other = guest.vm.createVcpu();
        assertThat(guest.vm.enableCap(Capability.SPP).returnValue()).isZero();
        set(guest, GFN, 2);
        done(store(guest, PAGE + 0x80));
        guest.code(0xc7, 0x05, 0x80, 0, 0x20, 0, 0x55, 0, 0, 0, 0xf4);
        CpuState state = guest.vcpu.state();
        other.setState(state);
        guest.vm.subPages().interleave(point -> assertThat(other.run(1000)).isInstanceOf(VcpuExit.Hlt.class));
        set(guest, GFN, 0);
        return store(guest, PAGE + 0x80);
    }

    @Test
    void T5_theMemslotOfTheFirstPageIsTakenForAll() {
        Guest v12 = acrossSlots(SppProfile.V12);
        assertThat(v12.vm.statistics().pages4k()).as("code, second page").isEqualTo(2);
        denied(v12.vcpu.run(100), SECOND);

        Guest fixed = acrossSlots(SppProfile.FIXED);
        assertThat(fixed.vm.statistics().pages4k()).as("code, both pages").isEqualTo(3);
        done(fixed.vcpu.run(100));
    }

    /** Both pages are protected, used and opened again; then the second is written. */
    private static Guest acrossSlots(SppProfile profile) {
        Guest guest = twoSlots(profile);
        set(guest, (SECOND >>> 12) - 1, 0, 0);
        load(guest, SECOND - 0x1000);
        load(guest, SECOND);
        set(guest, (SECOND >>> 12) - 1, -1, -1);
        guest.code(0xc7, 0x05, 0, 0, 0x40, 0, 0x77, 0, 0, 0, 0xf4);
        return guest;
    }

    @Test
    void T5_ofSeveralMappingsOnlySomeAreDropped() {
        Guest v12 = twoViews(SppProfile.V12);
        done(store(v12, PAGE));
        denied(store(twoViews(SppProfile.FIXED), PAGE), PAGE);
    }

    /** The page is mapped in two views, then protected; the guest goes on in the second view. */
    private static Guest twoViews(SppProfile profile) {
        Guest guest = enabled(profile);
        int view = guest.vm.views().create().returnValue();
        done(store(guest, PAGE));
        guest.vcpu.mmu().switchView(view);
        done(store(guest, PAGE));
        guest.vcpu.mmu().switchView(0);
        load(guest, PAGE);
        set(guest, GFN, 0);
        guest.vcpu.mmu().switchView(view);
        return guest;
    }

    @Test
    void T6_withoutAVcpuTheRootIsZeroAndCountsAsValid() {
        Guest v12 = enabledBeforeItsVcpu(SppProfile.V12);
        done(store(v12, PAGE));
        assertThat(v12.vm.subPages().spptp(0)).isZero();
        assertThat(v12.kvm.memory().readLong(0))
                .as("frame 0 has become a table")
                .isNotZero();

        Guest fixed = enabledBeforeItsVcpu(SppProfile.FIXED);
        done(store(fixed, PAGE));
        assertThat(fixed.kvm.memory().readLong(0)).isZero();
    }

    private static Guest enabledBeforeItsVcpu(SppProfile profile) {
        Kvm kvm = kvm(2);
        Guest other = guest(kvm, profile);
        other.vm.enableCap(Capability.SPP);
        done(store(other, PAGE));
        Vm vm = kvm.createVm(profile);
        vm.addMemory(0, 0, 16 << 20, PageSize.SIZE_4K);
        assertThat(vm.enableCap(Capability.SPP).returnValue()).isZero();
        Guest guest = new Guest(null, kvm, vm);
        set(guest, GFN, 1);
        return guest;
    }

    @Test
    void T6_aSetBeforeThereIsAVcpuCrashes() {
        Vm v12 = kvm(1).createVm(SppProfile.V12);
        v12.addMemory(0, 0, 16 << 20, PageSize.SIZE_4K);
        v12.enableCap(Capability.SPP);
        assertThat(v12.setSubPages(GFN, new int[] {0}).oops().function()).isEqualTo("spp_flush_sppt");
        assertThat(v12.getSubPages(GFN, 1).result().isOk()).isFalse();

        Vm fixed = kvm(1).createVm(SppProfile.FIXED);
        fixed.addMemory(0, 0, 16 << 20, PageSize.SIZE_4K);
        fixed.enableCap(Capability.SPP);
        assertThat(fixed.setSubPages(GFN, new int[] {0}).returnValue()).isOne();
    }

    @Test
    void T6_freeingRootZeroCrashes() {
        Guest v12 = enabledBeforeItsVcpu(SppProfile.V12);
        done(store(v12, PAGE));
        v12.vcpu.mmu().reset();
        v12.vcpu.run(1);
        assertThat(v12.vm.setSubPages(GFN, new int[] {0}).oops().function()).isEqualTo("mmu_free_root_page");
    }

    @Test
    void T7_otherVirtualMachinesGetTheControlWithoutTables() {
        assertThat(newcomer(SppProfile.V12)).isNotZero();
        assertThat(newcomer(SppProfile.FIXED)).isZero();
    }

    /** The control of a vCPU whose virtual machine has not enabled anything, on a host where another has. */
    private static long newcomer(SppProfile profile) {
        Kvm kvm = kvm(2);
        Guest first = guest(kvm, profile);
        first.vm.enableCap(Capability.SPP);
        done(store(first, PAGE));
        Guest second = guest(kvm, profile);
        done(store(second, PAGE));
        assertThat(second.vcpu.vmx().vmread(ControlField.SUB_PAGE_PERMISSION_TABLE_POINTER))
                .isZero();
        return second.vcpu.vmx().vmread(ControlField.SECONDARY_PROCESSOR_CONTROLS) & SecondaryControls.SUB_PAGE_WRITE;
    }

    @Test
    void T7_aLateVcpuHasTheControlOnlyIfAnotherHasRun() {
        Guest v12 = enabled(SppProfile.V12);
        Guest late = new Guest(null, v12.kvm, v12.vm);
        set(late, GFN, 1);
        denied(store(late, PAGE), PAGE);
        done(store(v12, PAGE));

        Guest fixed = enabled(SppProfile.FIXED);
        late = new Guest(null, fixed.kvm, fixed.vm);
        set(late, GFN, 1);
        done(store(late, PAGE));
    }

    @Test
    void T8_anArmedPageThatIsNotProtectedMissesForEver() {
        Guest v12 = acrossSlots(SppProfile.V12);
        denied(v12.vcpu.run(100), SECOND);
        long before = misses(v12);
        assertThat(v12.vcpu.run(1000)).isEqualTo(new VcpuExit.Intr());
        assertThat(misses(v12) - before)
                .as("one a round, until the budget ends")
                .isEqualTo(1000);
        assertThat(v12.vcpu.rip()).isEqualTo(Guest.CODE);

        Guest fixed = acrossSlots(SppProfile.FIXED);
        done(fixed.vcpu.run(1000));
        assertThat(misses(fixed)).isZero();
    }

    /** movsd from a device to an address. */
    private static VcpuExit storeEmulated(Guest guest, long gpa) {
        guest.code(0xbe, 0, 0, 0, 0x40, 0xbf, (int) gpa, (int) (gpa >>> 8), (int) (gpa >>> 16), 0, 0xa5, 0xf4);
        return guest.run();
    }

    @Test
    void T9_emulatedWritesAreJudgedByThePageAndReportedByNumber() {
        Guest v12 = enabled(SppProfile.V12);
        set(v12, GFN, 1);
        VcpuExit.Spp report = new VcpuExit.Spp(29, GFN, PAGE, Guest.CODE + 10, 1, DeniedAccess.INSTRUCTION);
        assertThat(storeEmulated(v12, PAGE)).as("the sub-page is writable").isEqualTo(report);
        assertThat(v12.vcpu.skip()).isEqualTo(SkipOutcome.SKIPPED);
        done(v12.run());
        denied(storeEmulated(v12, PAGE - 4), GFN);

        Guest fixed = enabled(SppProfile.FIXED);
        set(fixed, GFN, 1);
        assertThat(storeEmulated(fixed, PAGE - 4)).isInstanceOf(VcpuExit.Mmio.class);
        fixed.vcpu.answer(0x55);
        done(fixed.run());
        assertThat(storeEmulated(fixed, PAGE)).isInstanceOf(VcpuExit.Mmio.class);
        fixed.vcpu.answer(0x1234);
        done(fixed.run());
        assertThat(fixed.readLong(PAGE)).isEqualTo(0x1234);
        denied(storeEmulated(fixed, PAGE + 0x80), PAGE + 0x80);
    }

    @Test
    void T10_oneMemslotThatGoesTakesTheProtectionOfAll() {
        Guest v12 = withoutItsSecondSlot(SppProfile.V12);
        assertThat(v12.vm.getSubPages(GFN, 1).result().errno()).isEqualTo(Errno.ENODEV);
        done(store(v12, PAGE));
        assertThat(v12.vm.enableCap(Capability.SPP).returnValue()).isZero();
        assertThat(v12.vm.getSubPages(GFN, 1).bitmaps())
                .as("what was set is lost")
                .containsExactly(-1);

        Guest fixed = withoutItsSecondSlot(SppProfile.FIXED);
        assertThat(fixed.vm.getSubPages(GFN, 1).bitmaps()).containsExactly(0);
        denied(store(fixed, PAGE), PAGE);
    }

    private static Guest withoutItsSecondSlot(SppProfile profile) {
        Guest guest = twoSlots(profile);
        set(guest, GFN, 0);
        denied(store(guest, PAGE), PAGE);
        assertThat(guest.vm.setUserMemoryRegion(1, 0, 0, 0, 0).isOk()).isTrue();
        return guest;
    }

    @Test
    void T11_theCapabilityIsThereWithoutHardware() {
        Kvm without =
                Kvm.on(Machine.of(MachineConfig.DEFAULT.withCpu("skylake-sp").withMemory(64 << 20)));
        assertThat(without.createVm(SppProfile.V12).subPages().checkExtension()).isEqualTo(512);
        assertThat(without.createVm(SppProfile.FIXED).subPages().checkExtension())
                .isZero();
        assertThat(kvm(1).createVm(SppProfile.FIXED).subPages().checkExtension())
                .isEqualTo(512);
        assertThat(without.createVm(SppProfile.V12).enableCap(Capability.SPP).errno())
                .isEqualTo(Errno.ENODEV);
    }

    /** With 5-level EPT the level would be 5 here; this hypervisor's EPT has 4 levels, so that both agree. */
    @Test
    void T12_theRootIsKeptUnderTheLevelOfTheEptRoot() {
        Guest v12 = enabled(SppProfile.V12);
        done(store(v12, PAGE));
        SubPageProtection spp = v12.vm.subPages();
        assertThat(v12.vm.mmu().pages().at(spp.spptp(0)).role().level()).isEqualTo(Radix.PML4);
        long root = spp.spptp(0);
        v12.vcpu.mmu().reset();
        assertThat(v12.vm.setSubPages(GFN, new int[] {1}).errno())
                .as("the root went with that of EPT")
                .isEqualTo(Errno.EFAULT);
        done(store(v12, PAGE));
        assertThat(spp.spptp(0)).as("found again after a reset").isEqualTo(root);
    }

    /** Without a number: {@code kvm_spp_set_permission} asks the first vCPU whether there are mappings to change. */
    @Test
    void mappingsDoNotFollowAsLongAsTheFirstVcpuHasNoTables() {
        for (SppProfile profile : new SppProfile[] {SppProfile.V12, SppProfile.FIXED}) {
            Guest first = guest(kvm(2), profile);
            Guest second = new Guest(null, first.kvm, first.vm);
            assertThat(first.vm.enableCap(Capability.SPP).returnValue()).isZero();
            done(store(second, PAGE));
            set(second, GFN, 0);
            VcpuExit exit = store(second, PAGE);
            if (profile == SppProfile.FIXED) {
                denied(exit, PAGE);
                continue;
            }
            assertThat(exit).as("a denied write is done").isEqualTo(new VcpuExit.Hlt());
            load(first, PAGE);
            set(second, GFN, 0);
            denied(store(second, PAGE), PAGE);
        }
    }
}
