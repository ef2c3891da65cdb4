package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.vmxsim.mmu.VcpuExit.DeniedAccess;
import org.vmxsim.mmu.abi.Capability;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.abi.KernelOops;
import org.vmxsim.mmu.host.HostFile;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.vmx.Engine;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;
import org.vmxsim.vmx.exit.ExitReason;

/**
 * The hazards of the series' posting of August 2019 (v4), each seen on the machine, and not seen with the repaired
 * profile.
 *
 * <p>Without a test, because nothing behaves otherwise: S2 (the argument {@code mmu_locked} where callers could lock),
 * S4 (operations that only ask for their being there, and a set that builds what the miss handler could build), S13 (a
 * comment that says "not writable" where the test says "not all writable", a misspelt message, messages that user space
 * can cause), S16 (an idea of the review that was withdrawn), S19 (a displaced {@code break} in the import of the
 * series by another one, in a call that is not modelled).
 */
class SHazardsTest {
    private static final long PAGE = 0x20_0000;
    private static final long GFN = PAGE >>> 12;
    private static final int HALT = 0xf4;
    /** Without prefetching: a page is mapped when it is touched. */
    private static final KvmConfig CONFIG = KvmConfig.DEFAULT.withMapping(false, true);

    private static Guest guest(SppProfile profile) {
        return guest(profile, CONFIG, PageSize.SIZE_4K);
    }

    private static Guest guest(SppProfile profile, KvmConfig config, PageSize backing) {
        Machine machine = Machine.of(
                MachineConfig.DEFAULT.withMemory(256 << 20).withProcessors(4).withEngine(Engine.FUNCTIONAL));
        return guest(machine, Kvm.on(machine, config), profile, backing);
    }

    private static Guest guest(Machine machine, Kvm kvm, SppProfile profile, PageSize backing) {
        Vm vm = kvm.createVm(profile);
        vm.addMemory(0, 0, 16 << 20, backing);
        return new Guest(machine, kvm, vm);
    }

    private static void enable(Guest guest) {
        assertThat(guest.vm.enableCap(Capability.SPP).returnValue()).isZero();
    }

    /** The guest reads bytes at these addresses and halts: the pages are mapped then. */
    private static void touch(Guest guest, long... gpas) {
        int[] code = new int[5 * gpas.length + 1];
        for (int i = 0; i < gpas.length; i++) {
            absolute(code, 5 * i, 0xa0, gpas[i]);
        }
        code[5 * gpas.length] = HALT;
        guest.code(code).expect(VcpuExit.Hlt.class);
    }

    private static void absolute(int[] code, int at, int opcode, long gpa) {
        code[at] = opcode;
        for (int i = 0; i < 4; i++) {
            code[at + 1 + i] = (int) (gpa >>> 8 * i) & 0xff;
        }
    }

    /** mov al, value; mov [gpa], al; hlt. */
    private static VcpuExit write(Guest guest, long gpa, int value) {
        return write(guest, guest.vcpu, gpa, value);
    }

    private static VcpuExit write(Guest guest, Vcpu vcpu, long gpa, int value) {
        int[] code = {0xb0, value, 0, 0, 0, 0, 0, HALT};
        absolute(code, 2, 0xa2, gpa);
        guest.code(code);
        vcpu.setState(guest.vcpu.state());
        return vcpu.run(1000);
    }

    private static int read(Guest guest, long gpa) {
        return (int) guest.readLong(gpa) & 0xff;
    }

    private static VcpuExit denied(long gpa) {
        return new VcpuExit.Spp(28, gpa, 0, Guest.CODE + 7, 0, DeniedAccess.INSTRUCTION);
    }

    @Test
    void S1_nestedContextHasNoSpptAndProtectionIsOff() {
        Guest v4 = guest(SppProfile.V4);
        enable(v4);
        v4.vm.setSubPages(GFN, new int[] {~2});
        assertThat(write(v4, PAGE + 0x80, 1)).isEqualTo(denied(PAGE + 0x80));
        v4.expect(VcpuExit.Hlt.class);
        v4.vcpu.mmu().nested(true);
        assertThat(write(v4, PAGE + 0x80, 2)).isInstanceOf(VcpuExit.Hlt.class);
        assertThat(read(v4, PAGE + 0x80)).as("written").isEqualTo(2);
        v4.vcpu.mmu().nested(false);
        assertThat(write(v4, PAGE + 0x80, 3)).isEqualTo(denied(PAGE + 0x80));
        assertThat(read(v4, PAGE + 0x80)).isEqualTo(2);

        Guest fixed = guest(SppProfile.FIXED);
        enable(fixed);
        fixed.vm.setSubPages(GFN, new int[] {~2});
        fixed.vcpu.mmu().nested(true);
        assertThat(write(fixed, PAGE + 0x80, 2)).isInstanceOf(VcpuExit.Spp.class);
        assertThat(read(fixed, PAGE + 0x80)).isZero();
    }

    @Test
    void S3_missingMemslotAfterArmedPageReturnsZero() {
        Guest v4 = guest(SppProfile.V4);
        enable(v4);
        assertThat(v4.vm.setSubPages(0xfff, new int[] {0, 0}).returnValue())
                .as("nothing armed")
                .isEqualTo(-14);
        touch(v4, 0xff_f000);
        assertThat(v4.vm.setSubPages(0xfff, new int[] {0, 0}).returnValue())
                .as("neither an error nor a count")
                .isZero();
        assertThat(v4.vm.setSubPages(0xfff, new int[] {-1, 0}).returnValue())
                .as("disarmed counts like armed")
                .isZero();

        Guest fixed = guest(SppProfile.FIXED);
        enable(fixed);
        touch(fixed, 0xff_f000);
        assertThat(fixed.vm.setSubPages(0xfff, new int[] {0, 0}).returnValue()).isEqualTo(-14);
    }

    @Test
    void S5_pagesBeforeTheFailingOneStayProtected() {
        for (SppProfile profile : new SppProfile[] {SppProfile.V4, SppProfile.FIXED}) {
            Guest guest = guest(profile);
            enable(guest);
            touch(guest, 0xff_f000);
            guest.vm.setSubPages(0xffe, new int[] {~1, ~2, 0});
            int[] stored = guest.vm.getSubPages(0xffe, 2).bitmaps();
            VcpuExit exit = write(guest, 0xff_f080, 1);
            if (profile == SppProfile.V4) {
                assertThat(stored).containsExactly(~1, ~2);
                assertThat(exit).isEqualTo(denied(0xff_f080));
            } else {
                assertThat(stored).containsExactly(-1, -1);
                assertThat(exit).isInstanceOf(VcpuExit.Hlt.class);
            }
        }
    }

    /** Each 2-MiB region takes a table from each vCPU's cache of 40, which only that vCPU's own faults fill again. */
    @Test
    void S6_setEmptiesPageCachesThatNobodyTopsUp() {
        Guest v4 = guest(SppProfile.V4);
        v4.vm.addMemory(1, 0x1000_0000, 96 << 20, PageSize.SIZE_4K);
        v4.vm.createVcpu();
        enable(v4);
        long[] pages = new long[48];
        for (int i = 0; i < pages.length; i++) {
            pages[i] = 0x1000_0000L + ((long) i << 21);
        }
        touch(v4, pages);
        int sets = 0;
        while (v4.vm.setSubPages(pages[sets] >>> 12, new int[] {0}).isOk()) {
            sets++;
        }
        assertThat(v4.vm.oops().function()).isEqualTo("mmu_memory_cache_alloc");
        assertThat(sets)
                .as("38 tables of vectors: 40 pages less the root, L3 and L2")
                .isLessThanOrEqualTo(37);
        assertThat(v4.vm.getSubPages(0, 1).result().oops()).isEqualTo(v4.vm.oops());
        assertThat(v4.run()).isEqualTo(new VcpuExit.Oops(v4.vm.oops()));
    }

    /** As S6, by faults of one vCPU alone: each that maps a protected page builds tables for all vCPUs. */
    @Test
    void S12_aFaultUsesThePageCachesOfOtherVcpus() {
        Guest v4 = guest(SppProfile.V4);
        v4.vm.addMemory(2, 0x1000_0000, 96 << 20, PageSize.SIZE_4K);
        v4.vm.createVcpu();
        enable(v4);
        long[] pages = new long[48];
        for (int i = 0; i < pages.length; i++) {
            pages[i] = 0x1000_0000L + ((long) i << 21);
            assertThat(v4.vm.setSubPages(pages[i] >>> 12, new int[] {0}).isOk()).isTrue();
        }
        int[] code = new int[5 * pages.length];
        for (int i = 0; i < pages.length; i++) {
            absolute(code, 5 * i, 0xa0, pages[i]);
        }
        VcpuExit.Oops oops = v4.code(code).expect(VcpuExit.Oops.class);
        assertThat(oops.oops().cause()).contains("vCPU 1");
        assertThat(v4.vcpu.rip()).as("guest got as far as").isBetween(Guest.CODE + 5 * 30, Guest.CODE + 5 * 40);
    }

    /** A vCPU that enters while the call is at work uses up the request to load before there is something to load. */
    @Test
    void S12_initDoesNotStopTheVcpus() {
        Guest v4 = guest(SppProfile.V4);
        v4.vm.createVcpu();
        touch(v4, PAGE);
        v4.vm.subPages().interleave(point -> {
            if (point.contains("vCPU 0")) {
                touch(v4, PAGE);
            }
        });
        enable(v4);
        v4.vm.setSubPages(GFN, new int[] {2});
        assertThat(write(v4, PAGE + 0x80, 1)).as("misses without end").isInstanceOf(VcpuExit.Intr.class);
        assertThat(read(v4, PAGE + 0x80)).isZero();
        v4.vm.requests().loadMmu(v4.vcpu.id());
        assertThat(write(v4, PAGE + 0x80, 1)).isInstanceOf(VcpuExit.Hlt.class);
        assertThat(read(v4, PAGE + 0x80)).isOne();
    }

    @Test
    void S7_aVcpuMadeAfterInitHasItsTablesInPhysicalPageZero() {
        Guest one = guest(SppProfile.V4);
        enable(one);
        Vcpu late = one.vm.createVcpu();
        touch(one, PAGE);
        assertThat(write(one, late, PAGE + 0x80, 0)).isInstanceOf(VcpuExit.Hlt.class);
        assertThat(one.vm.memory().physical().readLong(0)).isZero();
        one.vm.setSubPages(GFN, new int[] {~2});
        assertThat(one.vm.memory().physical().readLong(0) & 1)
                .as("an entry in page 0")
                .isOne();
        assertThat(write(one, late, PAGE + 0x80, 1)).isEqualTo(denied(PAGE + 0x80));

        // Another virtual machine has such a vCPU too: they share their permissions.
        Guest other = guest(one.machine, one.kvm, SppProfile.V4, PageSize.SIZE_4K);
        enable(other);
        Vcpu otherLate = other.vm.createVcpu();
        assertThat(write(other, otherLate, PAGE, 0)).isInstanceOf(VcpuExit.Hlt.class);
        other.vm.setSubPages(GFN, new int[] {2});
        late.vm().requests().flush(late.id());
        assertThat(late.run(1000)).isInstanceOf(VcpuExit.Hlt.class);
        assertThat(write(one, late, PAGE + 0x80, 1)).isInstanceOf(VcpuExit.Hlt.class);
        assertThat(read(one, PAGE + 0x80)).as("written past its own bitmap").isOne();
        assertThat(write(one, PAGE + 0x80, 2)).as("the early vCPU").isEqualTo(denied(PAGE + 0x80));
    }

    @Test
    void S7_resettingALateVcpuCrashes() {
        Guest v4 = guest(SppProfile.V4);
        enable(v4);
        Vcpu late = v4.vm.createVcpu();
        touch(v4, PAGE);
        assertThat(write(v4, late, PAGE, 1)).isInstanceOf(VcpuExit.Hlt.class);
        late.mmu().reset();
        assertThat(v4.vm.oops().function()).isEqualTo("mmu_free_root_page");
    }

    @Test
    void S8_aMemslotMadeAfterInitCrashes() {
        for (boolean byFault : new boolean[] {false, true}) {
            Guest v4 = guest(SppProfile.V4);
            enable(v4);
            v4.vm.addMemory(1, 0x1000_0000, 1 << 20, PageSize.SIZE_4K);
            KernelOops oops = byFault
                    ? ((VcpuExit.Oops) write(v4, 0x1000_0000, 1)).oops()
                    : v4.vm.getSubPages(0x10000, 1).result().oops();
            assertThat(oops.function()).isEqualTo("kvm_mmu_get_subpages");
            assertThat(oops.cause()).contains("NULL");
        }
        Guest v4 = guest(SppProfile.V4);
        enable(v4);
        v4.vm.addMemory(1, 0x1000_0000, 1 << 20, PageSize.SIZE_4K);
        assertThat(v4.vm.setSubPages(0x10000, new int[] {0}).oops().function()).isEqualTo("kvm_mmu_set_subpages");

        Guest fixed = guest(SppProfile.FIXED);
        enable(fixed);
        fixed.vm.addMemory(1, 0x1000_0000, 1 << 20, PageSize.SIZE_4K);
        assertThat(write(fixed, 0x1000_0000, 1)).isInstanceOf(VcpuExit.Hlt.class);
        assertThat(fixed.vm.getSubPages(0x10000, 1).bitmaps()).containsExactly(-1);
    }

    @Test
    void S9_aResetTakesTheSpptAwayAndNobodyMakesAnother() {
        for (SppProfile profile : new SppProfile[] {SppProfile.V4, SppProfile.FIXED}) {
            Guest guest = guest(profile);
            enable(guest);
            touch(guest, PAGE);
            guest.vcpu.mmu().reset();
            assertThat(guest.vm.subPages().isActive()).isTrue();
            assertThat(guest.vm.setSubPages(GFN, new int[] {2}).returnValue()).isOne();
            VcpuExit exit = write(guest, PAGE + 0x80, 1);
            if (profile == SppProfile.V4) {
                assertThat(exit).as("misses without end").isInstanceOf(VcpuExit.Intr.class);
                assertThat(guest.vcpu.statistics().snapshot().subPageMisses()).isGreaterThan(100);
                assertThat(read(guest, PAGE + 0x80)).isZero();
            } else {
                assertThat(exit).isInstanceOf(VcpuExit.Hlt.class);
                assertThat(read(guest, PAGE + 0x80)).isOne();
            }
        }
    }

    @Test
    void S10_everyLoadFlushesTheTlb() {
        for (SppProfile profile : new SppProfile[] {SppProfile.V4, SppProfile.FIXED}) {
            Guest guest = guest(profile);
            enable(guest);
            guest.code(0xeb, 0xfe).run(); // jmp $
            long before = guest.vcpu.statistics().snapshot().invalidations();
            for (int i = 0; i < 10; i++) {
                guest.vm.requests().loadMmu(guest.vcpu.id());
                guest.vcpu.run(100);
            }
            assertThat(guest.vcpu.statistics().snapshot().invalidations() - before)
                    .isEqualTo(profile == SppProfile.V4 ? 10 : 0);
        }
    }

    @Test
    void S11_endingProtectionLosesWritesForTheDirtyLog() {
        for (SppProfile profile : new SppProfile[] {SppProfile.V4, SppProfile.FIXED}) {
            Guest guest = guest(profile, CONFIG.withFlags(false, false), PageSize.SIZE_4K);
            enable(guest);
            touch(guest, PAGE);
            guest.vm.setSubPages(GFN, new int[] {~2});
            Memslot slot = guest.vm.slots().byId(0);
            guest.vm.setUserMemoryRegion(0, Memslot.LOG_DIRTY_PAGES, 0, 16 << 20, slot.hva());
            guest.vm.dirtyLog().get(0);
            guest.vm.setSubPages(GFN, new int[] {-1});
            assertThat(write(guest, PAGE + 0x80, 1)).isInstanceOf(VcpuExit.Hlt.class);
            assertThat(read(guest, PAGE + 0x80)).isOne();
            long logged = guest.vm.dirtyLog().get(0).words()[(int) GFN / 64] >>> GFN % 64 & 1;
            assertThat(logged).isEqualTo(profile == SppProfile.V4 ? 0 : 1);
        }
    }

    @Test
    void S11_endingProtectionLetsTheGuestWriteToAFileThatIsNotItsOwn() {
        for (SppProfile profile : new SppProfile[] {SppProfile.V4, SppProfile.FIXED}) {
            Guest guest = guest(profile);
            HostFile file = new HostFile(guest.kvm.hostFrames(), 0x4000, PageSize.SIZE_4K);
            long hva = guest.vm.host().mapFile(file, 0, 0x4000, false);
            guest.vm.setUserMemoryRegion(1, 0, 0x1000_0000, 0x4000, hva);
            enable(guest);
            touch(guest, 0x1000_0000);
            guest.vm.setSubPages(0x10000, new int[] {~2});
            guest.vm.setSubPages(0x10000, new int[] {-1});
            assertThat(write(guest, 0x1000_0000, 0x5a)).isInstanceOf(VcpuExit.Hlt.class);
            assertThat(read(guest, 0x1000_0000)).isEqualTo(0x5a);
            assertThat(file.read(0, 1)[0]).as("the mapping is private").isEqualTo((byte)
                    (profile == SppProfile.V4 ? 0x5a : 0));
        }
    }

    /** Access tracking had taken all permissions; W=1 alone is an EPT misconfiguration. */
    @Test
    void S11_endingProtectionOfATrackedPageMakesAnEntryThatIsMisconfigured() {
        for (SppProfile profile : new SppProfile[] {SppProfile.V4, SppProfile.FIXED}) {
            Guest guest = guest(profile, CONFIG.withFlags(false, false), PageSize.SIZE_4K);
            enable(guest);
            guest.vm.setSubPages(GFN, new int[] {2});
            assertThat(write(guest, PAGE + 0x80, 1)).isInstanceOf(VcpuExit.Hlt.class);
            guest.vm.host().reclaim().age(guest.vm.slots().byId(0).hvaOf(GFN), 4096, true);
            assertThat(guest.vm.setSubPages(GFN, new int[] {-1}).returnValue()).isOne();
            VcpuExit exit = write(guest, PAGE + 0x80, 2);
            if (profile == SppProfile.V4) {
                assertThat(exit).isInstanceOf(VcpuExit.InternalError.class);
                assertThat(exit.toString()).contains("EPT_MISCONFIGURATION");
            } else {
                assertThat(exit).isInstanceOf(VcpuExit.Hlt.class);
            }
        }
    }

    @Test
    void S14_aLargePageIsNotProtectedUntilItIsMappedInSmallOnes() {
        for (SppProfile profile : new SppProfile[] {SppProfile.V4, SppProfile.FIXED}) {
            Guest guest = guest(profile, CONFIG.withFlags(false, false), PageSize.SIZE_2M);
            enable(guest);
            touch(guest, PAGE);
            assertThat(guest.vm.setSubPages(GFN, new int[] {0}).returnValue()).isOne();
            VcpuExit exit = write(guest, PAGE, 1);
            if (profile == SppProfile.V4) {
                assertThat(exit).isInstanceOf(VcpuExit.Hlt.class);
                assertThat(read(guest, PAGE)).as("written").isOne();
                assertThat(guest.vm.getSubPages(GFN, 1).bitmaps()).containsExactly(0);
                // Logging writes maps in small pages.
                Memslot slot = guest.vm.slots().byId(0);
                guest.vm.setUserMemoryRegion(0, Memslot.LOG_DIRTY_PAGES, 0, 16 << 20, slot.hva());
                assertThat(write(guest, PAGE, 2)).isEqualTo(denied(PAGE));
            } else {
                assertThat(exit).isInstanceOf(VcpuExit.Spp.class);
            }
        }
    }

    @Test
    void S15_aPageProtectedForAccessTrackingIsTakenForADeniedWrite() {
        for (SppProfile profile : new SppProfile[] {SppProfile.V4, SppProfile.FIXED}) {
            Guest guest = guest(profile, CONFIG.withFlags(false, false), PageSize.SIZE_4K);
            enable(guest);
            guest.vm.setSubPages(GFN, new int[] {2});
            assertThat(write(guest, PAGE + 0x80, 1)).isInstanceOf(VcpuExit.Hlt.class);
            long hva = guest.vm.slots().byId(0).hvaOf(GFN);
            assertThat(guest.vm.host().reclaim().age(hva, 4096, true)).isTrue();
            VcpuExit exit = write(guest, PAGE + 0x80, 2);
            if (profile == SppProfile.V4) {
                assertThat(exit).isEqualTo(denied(PAGE + 0x80));
                assertThat(read(guest, PAGE + 0x80))
                        .as("an allowed write is lost")
                        .isOne();
            } else {
                assertThat(exit).isInstanceOf(VcpuExit.Hlt.class);
                assertThat(read(guest, PAGE + 0x80)).isEqualTo(2);
            }
        }
    }

    @Test
    void S15_writesToAllowedSubPagesAreMissingInTheDirtyLog() {
        for (SppProfile profile : new SppProfile[] {SppProfile.V4, SppProfile.FIXED}) {
            Guest guest = guest(profile, CONFIG.withFlags(false, false), PageSize.SIZE_4K);
            enable(guest);
            guest.vm.setSubPages(GFN, new int[] {2});
            assertThat(write(guest, PAGE + 0x80, 1)).isInstanceOf(VcpuExit.Hlt.class);
            Memslot slot = guest.vm.slots().byId(0);
            guest.vm.setUserMemoryRegion(0, Memslot.LOG_DIRTY_PAGES, 0, 16 << 20, slot.hva());
            guest.vm.dirtyLog().get(0);
            assertThat(write(guest, PAGE + 0x80, 2)).isInstanceOf(VcpuExit.Hlt.class);
            assertThat(read(guest, PAGE + 0x80)).isEqualTo(2);
            long logged = guest.vm.dirtyLog().get(0).words()[(int) GFN / 64] >>> GFN % 64 & 1;
            assertThat(logged).isEqualTo(profile == SppProfile.V4 ? 0 : 1);
        }
    }

    @Test
    void S17_theInstructionIsSkippedByTheKernel() {
        Guest v4 = guest(SppProfile.V4);
        enable(v4);
        v4.vm.setSubPages(GFN, new int[] {~2});
        assertThat(write(v4, PAGE + 0x84, 0x77)).isEqualTo(denied(PAGE + 0x84));
        assertThat(v4.vcpu.skip()).as("too late to choose").isEqualTo(SkipOutcome.NO_DENIED_WRITE);
        v4.vm.setSubPages(GFN, new int[] {-1});
        v4.expect(VcpuExit.Hlt.class);
        assertThat(read(v4, PAGE + 0x84))
                .as("allowing it does not bring it back")
                .isZero();

        Guest fixed = guest(SppProfile.FIXED);
        enable(fixed);
        fixed.vm.setSubPages(GFN, new int[] {~2});
        assertThat(write(fixed, PAGE + 0x84, 0x77)).isInstanceOf(VcpuExit.Spp.class);
        fixed.vm.setSubPages(GFN, new int[] {-1});
        fixed.expect(VcpuExit.Hlt.class);
        assertThat(read(fixed, PAGE + 0x84)).isEqualTo(0x77);
    }

    /** The frame of a breakpoint is pushed to a denied sub-page: RIP moves on, and the event is delivered again. */
    @Test
    void S17_skippingWhileAnEventIsDeliveredLosesThePlace() {
        Guest v4 = guest(SppProfile.V4);
        v4.code(0xbc, 0x80, 0, 0x20, 0, 0xcc); // mov esp, 0x200080; int3
        v4.store(0x1100, HALT);
        v4.gate(3, 0x1100);
        enable(v4);
        v4.vm.setSubPages(GFN, new int[] {~1});
        for (int i = 1; i <= 3; i++) {
            VcpuExit.Spp denied = v4.expect(VcpuExit.Spp.class);
            assertThat(denied.access()).isEqualTo(DeniedAccess.EVENT_DELIVERY);
            assertThat(denied.gpa()).isEqualTo(PAGE + 0x7c);
            assertThat(denied.rip()).as("one more byte each time").isEqualTo(Guest.CODE + 5 + i);
        }
        v4.vm.setSubPages(GFN, new int[] {-1});
        v4.expect(VcpuExit.Hlt.class);
        assertThat(v4.readLong(PAGE + 0x74) & 0xffff_ffffL)
                .as("return address; right were the one behind int3, CODE + 6")
                .isEqualTo(Guest.CODE + 9);
    }

    @Test
    void S18_theExitReasonOfTheRunBeforeIsTakenForANewDenial() {
        Guest v4 = guest(SppProfile.V4);
        enable(v4);
        v4.vm.setSubPages(GFN, new int[] {~2});
        // mov al, 1; mov [0x200080], al; mov [0x300000], al; mov [0x40000000], al; hlt
        v4.code(0xb0, 1, 0xa2, 0x80, 0, 0x20, 0, 0xa2, 0, 0, 0x30, 0, 0xa2, 0, 0, 0, 0x40, HALT);
        assertThat(v4.run()).isEqualTo(denied(PAGE + 0x80));
        assertThat(v4.run())
                .as("mapping another page, by the old address")
                .isEqualTo(new VcpuExit.Spp(28, PAGE + 0x80, 0, Guest.CODE + 7, 0, DeniedAccess.INSTRUCTION));
        assertThat(v4.run())
                .as("marking a device")
                .isEqualTo(new VcpuExit.Spp(28, PAGE + 0x80, 0, Guest.CODE + 12, 0, DeniedAccess.INSTRUCTION));
        assertThat(read(v4, 0x30_0000)).as("nothing was denied there").isOne();
        assertThat(v4.run()).isEqualTo(new VcpuExit.Mmio(0x4000_0000, 1, true, 1));
        v4.expect(VcpuExit.Hlt.class);
        assertThat(v4.vcpu.statistics().snapshot().subPageDenied()).isOne();
    }

    /**
     * An armed page whose memslot is gone, as if its mapping had been missed: the miss handler has no bitmap to use.
     */
    @Test
    void S20_aMissWithoutMemslotFailsTheRunWithoutAWord() {
        Guest v4 = guest(SppProfile.V4);
        v4.vm.addMemory(1, 0x1000_0000, 1 << 20, PageSize.SIZE_4K);
        enable(v4);
        touch(v4, 0x1000_0000);
        v4.vm.setSubPages(0x10000, new int[] {2});
        Vcpu late = v4.vm.createVcpu();
        v4.vm.slots().make(v4.vm.slots().check(1, 0, 0, 0, 0));
        assertThat(write(v4, late, 0x1000_0080, 1)).isEqualTo(new VcpuExit.Failed(Errno.EFAULT));
        assertThat(late.rip()).isEqualTo(Guest.CODE + 2);
    }

    @Test
    void S21_aMissFillsOnePageAndDeniesItsNeighbours() {
        for (SppProfile profile : new SppProfile[] {SppProfile.V4, SppProfile.FIXED}) {
            Guest guest = guest(profile);
            enable(guest);
            touch(guest, PAGE, PAGE + 0x1000);
            guest.vm.setSubPages(GFN, new int[] {1, 1});
            Vcpu late = guest.vm.createVcpu();
            assertThat(write(guest, late, PAGE, 1)).isInstanceOf(VcpuExit.Hlt.class);
            VcpuExit exit = write(guest, late, PAGE + 0x1000, 1);
            if (profile == SppProfile.V4) {
                assertThat(late.statistics().snapshot().exits(ExitReason.SPP_RELATED_EVENT))
                        .isOne();
                assertThat(exit).as("allowed, but its vector is 0").isEqualTo(denied(PAGE + 0x1000));
            } else {
                assertThat(exit).isInstanceOf(VcpuExit.Hlt.class);
            }
        }
    }

    @Test
    void S22_systemManagementModeIsNotProtected() {
        for (SppProfile profile : new SppProfile[] {SppProfile.V4, SppProfile.FIXED}) {
            Guest guest = guest(profile);
            Memslot slot = guest.vm.slots().byId(0);
            guest.vm.setUserMemoryRegion(1 << 16, 0, 0, 16 << 20, slot.hva());
            enable(guest);
            guest.vm.setSubPages(GFN, new int[] {0});
            guest.vcpu.mmu().systemManagement(true);
            assertThat(write(guest, PAGE, 1))
                    .as("the same memory by the other address space")
                    .isInstanceOf(VcpuExit.Hlt.class);
            guest.vcpu.mmu().systemManagement(false);
            assertThat(write(guest, PAGE, 2)).isInstanceOf(VcpuExit.Spp.class);
            assertThat(read(guest, PAGE)).isOne();
        }
    }

    /** Not numbered: writes by emulated instructions are not looked at (spp.md 3.17). */
    @Test
    void emulatedWritesBypassProtection() {
        for (SppProfile profile : new SppProfile[] {SppProfile.V4, SppProfile.FIXED}) {
            Guest guest = guest(profile);
            enable(guest);
            guest.vm.setSubPages(GFN, new int[] {0});
            // mov esi, 0x40000000 (a device); mov edi, 0x200080; movsb; hlt
            guest.code(0xbe, 0, 0, 0, 0x40, 0xbf, 0x80, 0, 0x20, 0, 0xa4, HALT);
            if (profile == SppProfile.V4) {
                guest.expect(VcpuExit.Mmio.class);
                guest.vcpu.answer(0x5a);
                guest.expect(VcpuExit.Hlt.class);
                assertThat(read(guest, PAGE + 0x80)).isEqualTo(0x5a);
            } else {
                guest.expect(VcpuExit.Spp.class);
            }
        }
    }

    /** Not numbered; v9 added the check: a neighbour that is prefetched is not armed. */
    @Test
    void prefetchedPagesAreNotProtected() {
        for (SppProfile profile : new SppProfile[] {SppProfile.V4, SppProfile.FIXED}) {
            Guest guest = guest(profile, KvmConfig.DEFAULT, PageSize.SIZE_4K);
            guest.store(PAGE, 0, 0, 0, 0);
            guest.store(PAGE + 0x1000, 0, 0, 0, 0);
            enable(guest);
            guest.vm.setSubPages(GFN + 1, new int[] {0});
            touch(guest, PAGE);
            VcpuExit exit = write(guest, PAGE + 0x1000, 1);
            if (profile == SppProfile.V4) {
                assertThat(exit).isInstanceOf(VcpuExit.Hlt.class);
                assertThat(read(guest, PAGE + 0x1000)).isOne();
            } else {
                assertThat(exit).isInstanceOf(VcpuExit.Spp.class);
            }
        }
    }
}
