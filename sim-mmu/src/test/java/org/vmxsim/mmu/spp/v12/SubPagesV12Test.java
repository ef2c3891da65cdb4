package org.vmxsim.mmu.spp.v12;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.ept.MapOutcome;
import org.vmxsim.mmu.ept.Spte;
import org.vmxsim.mmu.ept.SubPageRules.WriteFault;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.page.MmuRole;
import org.vmxsim.mmu.spp.SppWorld;
import org.vmxsim.mmu.spp.SubPageProtection;
import org.vmxsim.vmx.ept.EptEntry;

class SubPagesV12Test {
    private static final long ARMED = EptEntry.SPP.mask();
    private static final long SAVED = Spte.SPP_SAVED.mask();

    private final SppWorld world = new SppWorld(64 << 20, true, false);
    private final Memslot slot = world.slot(0, 0, 8 << 20, PageSize.SIZE_4K);
    private final SubPagesV12 spp = new SubPagesV12(world.environment);

    private SubPagesV12 enabled(int vcpus) {
        world.mmu.subPageRules(spp);
        for (int vcpu = 0; vcpu < vcpus; vcpu++) {
            spp.vcpuCreated(vcpu);
            world.mmu.roots().load(vcpu);
        }
        assertThat(spp.enable().returnValue()).isZero();
        for (int vcpu = 0; vcpu < vcpus; vcpu++) {
            world.mmu.roots().load(vcpu);
        }
        world.rig.takeFlush();
        return spp;
    }

    @Test
    void enableFailsInTheOrderOfTheText() {
        assertThat(new SubPagesV12(new SppWorld(4 << 20, false, true).environment)
                        .enable()
                        .errno())
                .isEqualTo(Errno.EPERM);
        assertThat(new SubPagesV12(new SppWorld(4 << 20, false, false).environment)
                        .enable()
                        .errno())
                .isEqualTo(Errno.ENODEV);
        SppWorld small = new SppWorld(4 << 20, true, false);
        // 4 bytes a page: 2 GiB of memslots need 2 MiB, of which 4 MiB less the first MiB are there.
        small.slot(0, 0, 2L << 30, PageSize.SIZE_4K);
        SubPagesV12 fits = new SubPagesV12(small.environment);
        assertThat(fits.enable().returnValue()).isZero();
        Memslot last = small.slot(1, 2L << 30, 1L << 30, PageSize.SIZE_4K);
        SubPagesV12 tooMuch = new SubPagesV12(small.environment);
        assertThat(tooMuch.enable().errno()).isEqualTo(Errno.ENOMEM);
        assertThat(tooMuch.isActive()).isFalse();
        assertThat(last.bitmaps()).isNull();
        assertThat(small.slots.at(0).bitmaps()).isNull();
    }

    @Test
    void enableAgainChangesNothing() {
        enabled(2);
        assertThat(world.rig.loads).isOne();
        spp.set(1, new int[] {5});
        assertThat(spp.enable().returnValue()).isZero();
        assertThat(spp.get(1, 1).bitmaps()).containsExactly(5);
        assertThat(world.rig.loads).isOne();
        assertThat(spp.controlOn(0)).isTrue();
        assertThat(spp.spptp(1)).isEqualTo(spp.spptp(0)).isNotZero();
    }

    @Test
    void errorsInTheOrderOfTheTable() {
        spp.vcpuCreated(0);
        assertThat(spp.set(0, new int[513]).errno()).isEqualTo(Errno.ENODEV);
        assertThat(spp.get(0, 1).result().errno()).isEqualTo(Errno.ENODEV);
        assertThat(spp.spptp(0)).isEqualTo(SubPageProtection.NO_SPPTP);
        enabled(0);
        assertThat(spp.set(0, new int[513]).errno()).isEqualTo(Errno.EINVAL);
        assertThat(spp.get(0, 513).result().errno()).isEqualTo(Errno.EINVAL);
        assertThat(spp.get(0, -1).result().errno()).isEqualTo(Errno.EINVAL);
        assertThat(spp.set(1 << 20, new int[0]).returnValue()).isZero();
        assertThat(spp.get(1 << 20, 0).result().returnValue()).isZero();
        assertThat(spp.set(0, new int[512]).returnValue()).isEqualTo(512);
        assertThat(spp.get(0, 512).result().returnValue()).isEqualTo(512);
        assertThat(spp.get(2047, 2).result().errno()).isEqualTo(Errno.EFAULT);
        assertThat(spp.get(2047, 2).bitmaps()).isEmpty();
    }

    @Test
    void pagesBeforeTheHoleKeepWhatWasStored() {
        enabled(1);
        assertThat(spp.set(2046, new int[] {1, 2, 3}).errno()).isEqualTo(Errno.EFAULT);
        assertThat(spp.get(2046, 2).bitmaps()).containsExactly(1, 2);
    }

    @Test
    void aMemslotMadeLaterHasNoBitmaps() {
        enabled(1);
        Memslot late = world.slot(1, 8 << 20, 1 << 20, PageSize.SIZE_4K);
        spp.memslotChanged(null, late);
        assertThat(spp.set(2048, new int[] {0}).errno()).isEqualTo(Errno.EFAULT);
        assertThat(spp.get(2048, 1).result().errno()).isEqualTo(Errno.EFAULT);
        assertThat(spp.allowsWrite(8 << 20, 8)).isTrue();
        assertThat(spp.deniedEmulatedWrite(8 << 20, 8)).isEqualTo(SubPageProtection.ALLOWED);
        assertThat(world.fault(0, 8 << 20, true)).isEqualTo(MapOutcome.MAPPED);
        assertThat(spp.isActive()).isTrue();
    }

    @Test
    void aMemslotThatMovesOrGoesTakesItsBitmapsAlong() {
        enabled(1);
        spp.set(0, new int[] {0});
        world.change(spp, 0, 16 << 20, 8 << 20);
        assertThat(spp.isActive()).isFalse();
        assertThat(slot.bitmaps()).isNull();
        assertThat(world.slots.at(4096).bitmaps()).isNull();
    }

    @Test
    void theRootGoesWithThatOfEptAndIsFoundAgain() {
        enabled(2);
        long root = spp.spptp(0);
        spp.set(0, new int[] {1});
        assertThat(spp.miss(0, 0).isOk()).isTrue();
        world.mmu.roots().unload(1);
        assertThat(spp.set(0, new int[] {1}).errno()).isEqualTo(Errno.EFAULT);
        assertThat(spp.miss(0, 0).isOk()).as("nothing is written").isTrue();
        assertThat(world.mmu.pages().at(root).rootCount())
                .as("the other vCPU's")
                .isOne();
        world.mmu.roots().load(1);
        assertThat(world.mmu.pages().at(root).rootCount()).isEqualTo(2);
        assertThat(spp.set(0, new int[] {1}).returnValue()).isOne();
        assertThat(spp.miss(0, 0).isOk()).isTrue();
        assertThat(spp.spptp(1)).isEqualTo(root);
        assertThat(world.vector(root, 0)).isEqualTo(1);
    }

    /** T2: after an entry of level 2 the walk goes on one page too far. */
    @ParameterizedTest
    @CsvSource({
        "511, 1, true, false",
        "511, 2, true, false",
        "511, 3, true, true",
        "510, 3, true, false",
        "510, 4, true, true",
        "512, 1, false, true",
        "0, 512, true, false"
    })
    void invalidatesTheRegionsOfARange(long gfn, int npages, boolean first, boolean second) {
        enabled(1);
        fillTwoRegions();
        int[] bitmaps = new int[npages];
        assertThat(spp.set(gfn, bitmaps).returnValue()).isEqualTo(npages);
        assertThat(world.vector(spp.spptp(0), 0) == SppWorld.MISS).isEqualTo(first);
        assertThat(world.vector(spp.spptp(0), 512) == SppWorld.MISS).isEqualTo(second);
        assertThat(world.rig.takeFlush()).isTrue();
    }

    private void fillTwoRegions() {
        spp.set(0, new int[] {1});
        spp.set(512, new int[] {1});
        spp.miss(0, 0);
        spp.miss(0, 512 << 12);
        assertThat(spp.tablePages()).isEqualTo(5);
        assertThat(spp.filledRegions()).isEqualTo(2);
        assertThat(world.rig.takeFlush()).as("a miss flushes always").isTrue();
    }

    @Test
    void aSetWithoutTablesAndMappingsFlushesNothing() {
        enabled(1);
        spp.set(0, new int[] {1, 2, 3});
        assertThat(world.rig.takeFlush()).isFalse();
        assertThat(spp.tablePages()).isOne();
    }

    @Test
    void aMissFillsTheProtectedPagesOfItsRegionOnly() {
        enabled(1);
        spp.set(511, new int[] {7, 9});
        spp.set(3, new int[] {6});
        spp.miss(0, 5 << 12);
        long root = spp.spptp(0);
        assertThat(world.vector(root, 511)).isEqualTo(0b010101);
        assertThat(world.vector(root, 3)).isEqualTo(0b010100);
        assertThat(world.vector(root, 4)).as("not protected").isZero();
        assertThat(world.vector(root, 512)).isEqualTo(SppWorld.MISS);
        spp.miss(0, 513 << 12);
        MmuRole vectors = new MmuRole(1, 0, false, false, false, true);
        assertThat(world.mmu.pages().find(512, vectors))
                .as("by its first frame")
                .isNotNull();
        assertThat(world.vector(root, 512)).isEqualTo(0b1000001);
    }

    @Test
    void withoutAFrameForTheRootTheCallCrashes() {
        spp.vcpuCreated(0);
        while (world.frames.freeBytes() > 2 * 4096) {
            world.frames.allocate(PageSize.SIZE_4K);
        }
        assertThat(spp.enable().oops().function())
                .as("two frames of bitmaps, none for a table")
                .isEqualTo("kvm_spp_get_page");
        assertThat(spp.isActive()).isFalse();
    }

    @Test
    void aRootThatGoesBeforeTheCallIsNoTable() {
        spp.vcpuCreated(0);
        spp.rootFreed(0);
        assertThat(spp.oops()).isNull();
        assertThat(spp.enable().returnValue()).isZero();
    }

    /** T4: what others do while the lock is dropped is looked at again. */
    @Test
    void whatChangesWhileTheLockIsDroppedIsSeen() {
        enabled(1);
        spp.interleave(point -> world.mmu.roots().unload(0));
        assertThat(spp.set(1, new int[] {5}).errno()).isEqualTo(Errno.EFAULT);
        spp.interleave(point -> world.change(spp, 0, 0, 0));
        world.mmu.roots().load(0);
        assertThat(spp.set(1, new int[] {5}).errno()).isEqualTo(Errno.ENODEV);
    }

    /** {@code kvm_spp_flush_rmap} asks for a flush wherever it drops something, used lately or not. */
    @Test
    void droppingAMappingFlushesAlsoIfItsAccessIsTracked() {
        enabled(1);
        world.fault(0, 0x1000, true);
        world.mmu.updates().change(slot, 1, 1, Spte::accessTracked);
        world.mmu.takeFlushRequest();
        spp.set(1, new int[] {1});
        assertThat(world.spte(0x1000)).isZero();
        assertThat(world.rig.takeFlush()).isTrue();
    }

    @Test
    void aMissThatFindsThePageCacheEmptyCrashes() {
        enabled(1);
        spp.set(0, new int[] {1});
        assertThat(spp.miss(1, 0).oops().function()).isEqualTo("kvm_spp_setup_structure");
        assertThat(spp.miss(0, 0).oops()).isNotNull();
        assertThat(spp.get(0, 1).result().oops()).isNotNull();
        assertThat(spp.enable().oops()).isNotNull();
    }

    @Test
    void aMappedPageIsDroppedAndArmedByItsNextFault() {
        enabled(1);
        world.fault(0, 0x1000, true);
        world.fault(0, 0x2000, true);
        assertThat(EptEntry.WRITE.isSet(world.spte(0x1000))).isTrue();
        spp.set(1, new int[] {1});
        assertThat(world.rig.takeFlush()).isTrue();
        assertThat(world.spte(0x1000)).isZero();
        assertThat(world.spte(0x2000)).isNotZero();
        assertThat(world.fault(0, 0x1000, true)).isEqualTo(MapOutcome.MAPPED);
        assertThat(Spte.isArmed(world.spte(0x1000))).isTrue();
        assertThat(world.fault(0, 0x1000, true)).isEqualTo(MapOutcome.SUB_PAGE);
        assertThat(world.rig.takeFlush()).isFalse();
    }

    @Test
    void aSavedBitComesBackAndTheFaultIsDeniedAtOnce() {
        enabled(1);
        spp.set(1, new int[] {1});
        world.fault(0, 0x1000, false);
        world.mmu.writeProtect(slot, 1);
        assertThat(world.spte(0x1000) & (ARMED | SAVED)).isEqualTo(SAVED);
        assertThat(spp.writeFault(world.spte(0x1000))).isEqualTo(WriteFault.RESTORE_AND_DENY);
        assertThat(world.fault(0, 0x1000, true)).isEqualTo(MapOutcome.SUB_PAGE);
        assertThat(world.spte(0x1000) & (ARMED | SAVED)).isEqualTo(ARMED);
        assertThat(spp.writeFault(world.spte(0x1000))).isEqualTo(WriteFault.DENY);
        assertThat(spp.writeFault(0)).isEqualTo(WriteFault.NONE);
    }

    @Test
    void aRetargetedPageIsArmedAndItsBitSaved() {
        enabled(1);
        spp.set(1, new int[] {1});
        assertThat(spp.retargeted(slot, 1, 5)).isEqualTo(5 | SAVED);
        assertThat(spp.retargeted(slot, 2, 5)).isEqualTo(5);
        assertThat(spp.made(slot, 1, 7)).isEqualTo(5 | ARMED);
        assertThat(spp.made(slot, 2, 7)).isEqualTo(7);
        assertThat(EptRange.marked(7, false)).isEqualTo(5);
        assertThat(EptRange.marked(5 | ARMED, false)).isEqualTo(5 | SAVED);
        assertThat(EptRange.marked(5 | ARMED, true)).isEqualTo(5 | SAVED | ARMED);
    }

    /** T5: entries of a list that is walked while they are removed: the first half goes. */
    @ParameterizedTest
    @CsvSource({"1, 0", "2, 1", "3, 1", "4, 2", "5, 2"})
    void entriesOfOtherRootsSurvive(int roots, int left) {
        enabled(1);
        for (int view = 0; view < roots; view++) {
            world.mmu.roots().mode(0, view, 0, false);
            world.mmu.roots().load(0);
            assertThat(world.fault(0, 0x1000, true)).isEqualTo(MapOutcome.MAPPED);
        }
        assertThat(slot.rmap().size(1, 1)).isEqualTo(roots);
        spp.set(1, new int[] {0});
        assertThat(slot.rmap().size(1, 1)).isEqualTo(left);
    }

    @Test
    void largePagesGoWhereOneOfThemIsProtected() {
        SppWorld large = new SppWorld(64 << 20, true, false);
        large.slot(0, 0, 8 << 20, PageSize.SIZE_2M);
        SubPagesV12 v12 = new SubPagesV12(large.environment);
        large.mmu.subPageRules(v12);
        v12.vcpuCreated(0);
        large.mmu.roots().load(0);
        v12.enable();
        large.mmu.roots().load(0);
        large.fault(0, 0, true);
        large.fault(0, 2 << 20, true);
        assertThat(large.mmu.mappedPages(PageSize.SIZE_2M)).isEqualTo(2);
        v12.set(511, new int[] {0});
        assertThat(large.mmu.mappedPages(PageSize.SIZE_2M)).isOne();
        assertThat(v12.largestLevel(large.slots.at(0), 0)).isEqualTo(1);
        assertThat(v12.largestLevel(large.slots.at(0), 512)).isEqualTo(2);
        v12.set(1024, new int[] {-1});
        assertThat(large.mmu.mappedPages(PageSize.SIZE_2M))
                .as("dropped, though open")
                .isOne();
        large.fault(0, 4 << 20, true);
        v12.set(1025, new int[] {-1});
        assertThat(large.mmu.mappedPages(PageSize.SIZE_2M))
                .as("from any of its pages")
                .isOne();
        large.fault(0, 0, true);
        assertThat(large.mmu.mappedPages(PageSize.SIZE_4K)).isOne();
        v12.set(511, new int[] {-1});
        assertThat(v12.largestLevel(large.slots.at(0), 0)).isEqualTo(3);
    }

    /** T3: the index of the bitmaps goes on by one where the frame jumps to the end of the large page. */
    @ParameterizedTest
    @CsvSource({"-1, 0, 0, false", "0, -1, -1, true"})
    void a1GibPageGoesAndThePageBehindItGetsTheSecondBitmap(int second, int third, int fourth, boolean armed) {
        SppWorld large = new SppWorld(3L << 30, true, false);
        large.slot(0, 0, 1L << 30, PageSize.SIZE_1G);
        large.slot(1, 1L << 30, 1L << 20, PageSize.SIZE_4K);
        SubPagesV12 v12 = new SubPagesV12(large.environment);
        large.mmu.subPageRules(v12);
        v12.vcpuCreated(0);
        large.mmu.roots().load(0);
        v12.enable();
        large.mmu.roots().load(0);
        large.fault(0, 0, true);
        large.fault(0, 1L << 30, true);
        assertThat(large.mmu.mappedPages(PageSize.SIZE_1G)).isOne();
        large.mmu.updates().change(large.slots.at(0), 0, 3, Spte::accessTracked);
        large.mmu.takeFlushRequest();
        large.rig.takeFlush();
        v12.set(0x3_fffd, new int[] {0, second, third, fourth, 0});
        assertThat(large.mmu.mappedPages(PageSize.SIZE_1G)).isZero();
        assertThat(large.rig.takeFlush()).isTrue();
        assertThat(EptEntry.SPP.isSet(large.spte(1L << 30))).isEqualTo(armed);
        assertThat(EptEntry.WRITE.isSet(large.spte(1L << 30))).as("either way").isFalse();
    }

    @Test
    void emulatedWritesAreJudgedByPagesAndTheOneBehind() {
        enabled(1);
        spp.set(2, new int[] {1});
        assertThat(spp.deniedEmulatedWrite(0x2000, 1)).isEqualTo(2);
        assertThat(spp.deniedEmulatedWrite(0x1ffc, 4)).isEqualTo(2);
        assertThat(spp.deniedEmulatedWrite(0x1ffb, 4)).isEqualTo(SubPageProtection.ALLOWED);
        assertThat(spp.deniedEmulatedWrite(0x3000, 4)).isEqualTo(SubPageProtection.ALLOWED);
        assertThat(spp.allowsWrite(0x2000, 128)).isTrue();
        assertThat(spp.allowsWrite(0x2000, 129)).isFalse();
    }

    record Step(boolean set, int page, int bitmap) {}

    @Provide
    Arbitrary<List<Step>> steps() {
        return Combinators.combine(
                        Arbitraries.of(true, false),
                        Arbitraries.of(0, 1, 511, 512, 513, 1535, 2047),
                        Arbitraries.integers())
                .as(Step::new)
                .list()
                .ofMaxSize(40);
    }

    /** Single pages, where T2 has no part: the tables say what the bitmaps said at the last miss of the region. */
    @Property(tries = 300)
    void tablesFollowMisses(@ForAll("steps") List<Step> steps) {
        SppWorld fresh = new SppWorld(64 << 20, true, false);
        fresh.slot(0, 0, 8 << 20, PageSize.SIZE_4K);
        SubPagesV12 v12 = new SubPagesV12(fresh.environment);
        v12.vcpuCreated(0);
        v12.enable();
        fresh.environment.caches().of(0).topUp(8);
        v12.rootLoaded(0);
        Map<Integer, Integer> bitmaps = new HashMap<>();
        Map<Integer, Long> vectors = new HashMap<>();
        Set<Integer> valid = new HashSet<>();
        for (Step step : steps) {
            if (step.set) {
                v12.set(step.page, new int[] {step.bitmap});
                bitmaps.put(step.page, step.bitmap);
                valid.remove(step.page / 512);
            } else {
                v12.miss(0, (long) step.page << 12);
                bitmaps.forEach((page, bitmap) -> {
                    if (page / 512 == step.page / 512 && bitmap != -1) {
                        vectors.put(page, SppWorld.spread(bitmap));
                        valid.add(page / 512);
                    }
                });
            }
        }
        for (int page : new int[] {0, 1, 511, 512, 513, 600, 1535, 2047}) {
            long expected = valid.contains(page / 512) ? vectors.getOrDefault(page, 0L) : SppWorld.MISS;
            assertThat(fresh.vector(v12.spptp(0), page)).as("page %d", page).isEqualTo(expected);
        }
    }
}
