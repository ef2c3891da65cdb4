package org.vmxsim.mmu.spp.fixed;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.ept.MapOutcome;
import org.vmxsim.mmu.ept.Spte;
import org.vmxsim.mmu.ept.SubPageRules.WriteFault;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.spp.SppWorld;
import org.vmxsim.mmu.spp.SubPageProtection;
import org.vmxsim.vmx.ept.EptEntry;

class FixedSubPagesTest {
    private static final long FULL = 0x5555_5555_5555_5555L;
    private static final long ARMED = EptEntry.SPP.mask();
    private static final long SAVED = Spte.SPP_SAVED.mask();

    private SppWorld world = new SppWorld(64 << 20, true, false);
    private FixedSubPages spp = new FixedSubPages(world.environment);

    private Memslot enabled(long sizeBytes, PageSize backing) {
        Memslot slot = world.slot(0, 0, sizeBytes, backing);
        world.mmu.subPageRules(spp);
        assertThat(spp.enable().returnValue()).isZero();
        assertThat(world.rig.loads).as("every vCPU is to load its SPPT").isOne();
        return slot;
    }

    private void flushes(boolean expected) {
        boolean asked = world.rig.takeFlush();
        assertThat(world.mmu.takeFlushRequest() || asked).isEqualTo(expected);
    }

    @Test
    void enableFailsInTheOrderOfV12() {
        assertThat(errnoOfEnable(4 << 20, false, true)).isEqualTo(Errno.EPERM);
        assertThat(errnoOfEnable(4 << 20, true, true)).isEqualTo(Errno.EPERM);
        assertThat(errnoOfEnable(4 << 20, false, false)).isEqualTo(Errno.ENODEV);
        SppWorld full = new SppWorld(4 << 20, true, false);
        exhaust(full, 0);
        FixedSubPages none = new FixedSubPages(full.environment);
        assertThat(none.enable().errno()).isEqualTo(Errno.ENOMEM);
        assertThat(none.isActive()).isFalse();
        assertThat(none.spptp(0)).isEqualTo(SubPageProtection.NO_SPPTP);
    }

    private static Errno errnoOfEnable(long sizeBytes, boolean supported, boolean nested) {
        return new FixedSubPages(new SppWorld(sizeBytes, supported, nested).environment)
                .enable()
                .errno();
    }

    private static void exhaust(SppWorld of, long framesLeft) {
        while (of.frames.freeBytes() > framesLeft * 4096) {
            of.frames.allocate(PageSize.SIZE_4K);
        }
    }

    /** Two pages of 2 MiB need a table each; with one frame for both nothing changes. */
    @ParameterizedTest
    @CsvSource({"0, -12", "1, -12", "2, 4"})
    void aSetThatCannotSplitChangesNothing(long framesLeft, int result) {
        enabled(4 << 20, PageSize.SIZE_2M);
        world.fault(0, 0, true);
        world.fault(0, 2 << 20, true);
        long before = world.spte(0);
        exhaust(world, framesLeft);
        assertThat(spp.set(510, new int[] {0, 0, 0, 0}).returnValue()).isEqualTo(result);
        boolean done = result > 0;
        assertThat(spp.get(510, 4).bitmaps()).containsExactly(done ? new int[4] : new int[] {-1, -1, -1, -1});
        assertThat(world.mmu.mappedPages(PageSize.SIZE_2M)).isEqualTo(done ? 0 : 2);
        assertThat(world.mmu.mappedPages(PageSize.SIZE_4K)).isEqualTo(done ? 1024 : 0);
        assertThat(world.spte(0) == before).isEqualTo(!done);
        flushes(done);
    }

    /** A page of 1 GiB needs one table of 2-MiB pages and one for each region with a protected page. */
    @ParameterizedTest
    @CsvSource({"510, 1, 1, -12", "510, 1, 2, 1", "510, 4, 2, -12", "510, 4, 3, 4"})
    void aHugePageNeedsTwoTables(long gfn, int npages, long framesLeft, int result) {
        world = new SppWorld(3L << 30, true, false);
        spp = new FixedSubPages(world.environment);
        enabled(1L << 30, PageSize.SIZE_1G);
        world.fault(0, 0, true);
        assertThat(world.mmu.mappedPages(PageSize.SIZE_1G)).isOne();
        exhaust(world, framesLeft);
        assertThat(spp.set(gfn, new int[npages]).returnValue()).isEqualTo(result);
        assertThat(world.mmu.mappedPages(PageSize.SIZE_1G)).isEqualTo(result < 0 ? 1 : 0);
        assertThat(world.frames.freeBytes()).isEqualTo(result < 0 ? framesLeft * 4096 : 0);
    }

    @Test
    void aSetThatOpensNeedsNoMemory() {
        enabled(4 << 20, PageSize.SIZE_2M);
        world.fault(0, 0, true);
        exhaust(world, 0);
        assertThat(spp.set(0, new int[] {-1, -1}).returnValue()).isEqualTo(2);
        assertThat(world.mmu.mappedPages(PageSize.SIZE_2M)).isOne();
    }

    @Test
    void onlyWhatIsTakenAwayIsInvalidated() {
        enabled(4 << 20, PageSize.SIZE_4K);
        spp.set(1, new int[] {0});
        flushes(false);
        world.fault(0, 0x1000, true);
        world.fault(0, 0x2000, true);
        flushes(false);
        spp.set(1, new int[] {1});
        spp.set(1, new int[] {0});
        assertThat(world.rig.takeFlush())
                .as("armed, but there is no vector to cache yet")
                .isFalse();
        spp.miss(0, 0x1000);
        flushes(false);
        spp.set(1, new int[] {0xff});
        flushes(false);
        spp.set(1, new int[] {0xff});
        flushes(false);
        spp.set(1, new int[] {0xfe});
        flushes(true);
        spp.set(1, new int[] {-1});
        flushes(false);
        spp.set(1, new int[] {1});
        flushes(true);
        spp.set(2, new int[] {1});
        flushes(true);
        spp.set(3, new int[] {1});
        flushes(false);
        assertThat(world.vector(spp.spptp(0), 3)).isEqualTo(1);
        spp.set(3, new int[] {2});
        flushes(false);
    }

    @Test
    void aLargePageIsSplitAroundTheProtectedPageAndComesBack() {
        Memslot slot = enabled(4 << 20, PageSize.SIZE_2M);
        world.fault(0, 0, true);
        assertThat(spp.largestLevel(slot, 0)).isEqualTo(3);
        spp.set(7, new int[] {1});
        assertThat(spp.largestLevel(slot, 0)).isEqualTo(1);
        assertThat(spp.largestLevel(slot, 512)).isEqualTo(2);
        assertThat(Spte.isArmed(world.spte(0x7000))).isTrue();
        assertThat(EptEntry.WRITE.isSet(world.spte(0x8000))).isTrue();
        flushes(true);
        spp.set(7, new int[] {-1});
        assertThat(world.mmu.mappedPages(PageSize.SIZE_4K)).isZero();
        flushes(true);
        world.fault(0, 0, true);
        assertThat(world.mmu.mappedPages(PageSize.SIZE_2M)).isOne();
    }

    @Test
    void aSavedBitComesBackAndTheWriteIsTriedAgain() {
        Memslot slot = enabled(4 << 20, PageSize.SIZE_4K);
        spp.set(1, new int[] {1});
        world.fault(0, 0x1000, true);
        world.mmu.writeProtect(slot, 1);
        assertThat(world.spte(0x1000) & (ARMED | SAVED)).isEqualTo(SAVED);
        flushes(true);
        assertThat(world.fault(0, 0x1000, true)).isEqualTo(MapOutcome.WRITE_ALLOWED);
        assertThat(world.spte(0x1000) & (ARMED | SAVED)).isEqualTo(ARMED);
        assertThat(world.fault(0, 0x1000, true)).isEqualTo(MapOutcome.SUB_PAGE);
        flushes(false);
        assertThat(spp.writeFault(0)).isEqualTo(WriteFault.NONE);
        assertThat(spp.writeProtected(5)).isEqualTo(5);
    }

    @Test
    void aPageThatGetsAnotherFrameStaysProtected() {
        Memslot slot = enabled(4 << 20, PageSize.SIZE_4K);
        spp.set(1, new int[] {1});
        world.fault(0, 0x1000, false);
        long spte = world.spte(0x1000) & ~ARMED;
        assertThat(spp.retargeted(slot, 1, spte)).isEqualTo(spte | ARMED);
        assertThat(spp.retargeted(slot, 2, spte)).isEqualTo(spte);
    }

    @Test
    void bitmapsMoveWithTheMemory() {
        enabled(4 << 20, PageSize.SIZE_4K);
        spp.set(511, new int[] {1, 2});
        spp.set(1000, new int[] {4});
        spp.miss(0, 0);
        spp.miss(0, 512 << 12);
        world.fault(0, 511 << 12, false);
        flushes(false);
        world.change(spp, 0, 3 << 12, 4 << 20);
        flushes(true);
        assertThat(spp.get(511, 4).bitmaps()).containsExactly(-1, -1, -1, 1);
        assertThat(spp.get(515, 1).bitmaps()).containsExactly(2);
        long root = spp.spptp(0);
        assertThat(world.vector(root, 511)).isEqualTo(FULL);
        assertThat(world.vector(root, 512)).isEqualTo(FULL);
        assertThat(world.vector(root, 514)).isEqualTo(1);
        assertThat(world.vector(root, 515)).isEqualTo(4);
        assertThat(world.vector(root, 1003)).isEqualTo(16);
        assertThat(world.vector(root, 1000)).isEqualTo(FULL);
    }

    @Test
    void aMemslotThatGoesLeavesTheOthersProtected() {
        enabled(4 << 20, PageSize.SIZE_4K);
        Memslot late = world.slot(1, 4 << 20, 1 << 20, PageSize.SIZE_4K);
        assertThat(spp.memslotMade(late)).isTrue();
        spp.memslotChanged(null, late);
        assertThat(spp.set(1023, new int[] {1, 2}).returnValue()).isEqualTo(2);
        spp.miss(0, 1024 << 12);
        world.change(spp, 1, 0, 0);
        assertThat(spp.get(1023, 1).bitmaps()).containsExactly(1);
        assertThat(spp.get(1024, 1).result().errno()).isEqualTo(Errno.EFAULT);
        assertThat(world.vector(spp.spptp(0), 1024)).isEqualTo(FULL);
        assertThat(spp.isActive()).isTrue();
    }

    @Test
    void memslotsBeforeItIsEnabledHaveNoBitmaps() {
        Memslot slot = world.slot(0, 0, 4 << 20, PageSize.SIZE_4K);
        assertThat(spp.memslotMade(slot)).isTrue();
        spp.memslotChanged(null, slot);
        assertThat(slot.bitmaps()).isNull();
        assertThat(spp.allowsWrite(0, 8)).isTrue();
        assertThat(spp.largestLevel(slot, 0)).isEqualTo(3);
        assertThat(spp.made(slot, 0, 7)).isEqualTo(7);
        assertThat(spp.tablePages()).isZero();
        assertThat(spp.controlOn(0)).isFalse();
    }

    @Test
    void aMissWithoutMemoryIsRefused() {
        enabled(4 << 20, PageSize.SIZE_4K);
        spp.set(0, new int[] {1});
        exhaust(world, 2);
        assertThat(spp.miss(0, 0).errno()).isEqualTo(Errno.ENOMEM);
        assertThat(world.vector(spp.spptp(0), 0)).isEqualTo(SppWorld.MISS);
    }

    @Test
    void emulatedWritesAreJudgedByTheSubPage() {
        enabled(4 << 20, PageSize.SIZE_4K);
        spp.set(2, new int[] {1});
        assertThat(spp.deniedEmulatedWrite(0x2000, 128)).isEqualTo(SubPageProtection.ALLOWED);
        assertThat(spp.deniedEmulatedWrite(0x207f, 2)).isEqualTo(0x207f);
        assertThat(spp.deniedEmulatedWrite(0x1ffc, 4)).isEqualTo(SubPageProtection.ALLOWED);
        assertThat(spp.deniedEmulatedWrite(1L << 40, 4)).isEqualTo(SubPageProtection.ALLOWED);
    }
}
