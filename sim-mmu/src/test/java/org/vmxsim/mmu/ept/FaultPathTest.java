package org.vmxsim.mmu.ept;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vmxsim.vmx.ept.EptViolation.FETCH;
import static org.vmxsim.vmx.ept.EptViolation.READ;
import static org.vmxsim.vmx.ept.EptViolation.WRITE;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.mmu.host.FrameAllocator;
import org.vmxsim.mmu.host.HostMemory;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.memslot.Memslots;
import org.vmxsim.mmu.page.KernelMemory;
import org.vmxsim.mmu.page.PageCache;

/** Faults one by one: which bits an entry has before and after. Bits are typed from the manual and from the brief. */
class FaultPathTest {
    private static final long W = 2;
    private static final long SPP = 1L << 61;
    private static final long HOST_WRITABLE = 1L << 52;
    private static final long MMU_WRITABLE = 1L << 53;
    private static final long SPP_SAVED = 1L << 56;

    /** Rules that answer as told. */
    private static final class ToldRules implements SubPageRules {
        WriteFault answer = WriteFault.NONE;
        long armed;
        final List<Long> installed = new ArrayList<>();
        int freed;
        int loaded;

        @Override
        public long made(Memslot slot, long gfn, long spte) {
            return (armed >>> gfn & 1) != 0 ? spte & ~W | SPP : spte;
        }

        @Override
        public void installed(int vcpu, Memslot slot, long gfn) {
            installed.add(vcpu * 1000 + gfn);
        }

        @Override
        public long writeProtected(long spte) {
            return (spte & SPP) != 0 ? spte & ~SPP | SPP_SAVED : spte;
        }

        @Override
        public WriteFault writeFault(long spte) {
            return answer;
        }

        @Override
        public void rootFreed(int vcpu) {
            freed++;
        }

        @Override
        public void rootLoaded(int vcpu) {
            loaded++;
        }
    }

    private final PhysicalMemory memory = PhysicalMemory.sparse(1L << 30);
    private final FrameAllocator frames = new FrameAllocator(memory);
    private final HostMemory host = new HostMemory(memory, frames);
    private final Memslots slots = new Memslots();
    private final KernelMemory kernel = new KernelMemory(memory);
    private final ToldRules rules = new ToldRules();
    private final EptCursor found = new EptCursor();
    private EptMmu mmu;
    private Memslot slot;

    @BeforeEach
    void oneSlot() {
        frames.add(0, 1L << 30);
        mmu = new EptMmu(kernel, frames, host, slots, PageSize.SIZE_2M);
        mmu.subPageRules(rules);
        slot = add(0, 0, 0, 0x40_0000, PageSize.SIZE_4K);
    }

    private Memslot add(int id, int flags, long gpa, long sizeBytes, PageSize backing) {
        slots.make(slots.check(id, flags, gpa, sizeBytes, host.map(sizeBytes, backing)));
        return slots.byId(id);
    }

    private void log(boolean on) {
        slots.make(slots.check(slot.id(), on ? 1 : 0, slot.baseGfn() << 12, slot.npages() << 12, slot.hva()));
        slot = slots.byId(slot.id());
    }

    private long spte(long gpa) {
        mmu.lookup(gpa, found);
        return found.spte;
    }

    private void set(long gpa, long spte) {
        mmu.lookup(gpa, found);
        memory.writeLong(found.spteHpa, spte);
    }

    private boolean isDirty(long gfn) {
        return slot.dirty().isSet(gfn - slot.baseGfn());
    }

    @ParameterizedTest
    @ValueSource(ints = {READ, WRITE, FETCH, READ | WRITE})
    void aFaultMapsWithAllRightsAndTheSameAccessIsThenSpurious(int access) {
        assertThat(mmu.fault(3, slot, 0x5123, access)).isEqualTo(MapOutcome.MAPPED);
        assertThat(spte(0x5000)).isEqualTo(host.resolve(slot.hva() + 0x5000) | HOST_WRITABLE | MMU_WRITABLE | 0x77);
        assertThat(mmu.fault(3, slot, 0x5123, access)).isEqualTo(MapOutcome.SPURIOUS);
        assertThat(rules.installed).containsExactly(3005L);
        assertThat(mmu.takeFlushRequest()).isFalse();
    }

    @Test
    void aWriteProtectedPageGetsItsRightBackFast() {
        mmu.fault(0, slot, 0x5000, READ);
        mmu.writeProtect(slot, 5);
        assertThat(spte(0x5000) & 7).isEqualTo(5);
        assertThat(mmu.takeFlushRequest()).isTrue();
        assertThat(mmu.fault(0, slot, 0x5000, READ)).isEqualTo(MapOutcome.SPURIOUS);
        assertThat(mmu.fault(0, slot, 0x5000, FETCH)).isEqualTo(MapOutcome.SPURIOUS);
        long loads = kernel.loads();
        assertThat(mmu.fault(0, slot, 0x5000, WRITE)).isEqualTo(MapOutcome.WRITE_ALLOWED);
        assertThat(kernel.loads() - loads).as("one walk").isEqualTo(4);
        assertThat(spte(0x5000) & 7).isEqualTo(7);
        assertThat(mmu.takeFlushRequest()).isFalse();
        assertThat(rules.installed).as("mapped once").hasSize(1);
    }

    @ParameterizedTest
    @EnumSource(SubPageRules.WriteFault.class)
    void subPageRulesDecideAboutAWriteFault(SubPageRules.WriteFault answer) {
        log(true);
        mmu.fault(0, slot, 0x5000, READ);
        slot.dirty().clear(0, -1);
        long before = spte(0x5000) & ~W | SPP_SAVED;
        set(0x5000, before);
        rules.answer = answer;
        MapOutcome outcome = mmu.fault(0, slot, 0x5000, WRITE);
        long after = spte(0x5000);
        switch (answer) {
            case NONE -> {
                assertThat(outcome).isEqualTo(MapOutcome.WRITE_ALLOWED);
                assertThat(after).isEqualTo(before | W);
            }
            case RESTORE -> {
                assertThat(outcome).isEqualTo(MapOutcome.WRITE_ALLOWED);
                assertThat(after).isEqualTo(before & ~SPP_SAVED | SPP);
            }
            case RESTORE_AND_DENY -> {
                assertThat(outcome).isEqualTo(MapOutcome.SUB_PAGE);
                assertThat(after).isEqualTo(before & ~SPP_SAVED | SPP);
            }
            case DENY -> {
                assertThat(outcome).isEqualTo(MapOutcome.SUB_PAGE);
                assertThat(after).isEqualTo(before);
            }
        }
        assertThat(isDirty(5)).isEqualTo(answer != SubPageRules.WriteFault.DENY);
    }

    @Test
    void anAccessTrackedPageComesBackAtTheNextAccess() {
        mmu.fault(0, slot, 0x5000, WRITE);
        long full = spte(0x5000);
        long tracked = Spte.accessTracked(full & ~W);
        assertThat(tracked & 7).isZero();
        assertThat(tracked >>> 54 & 3).as("saved read and execute").isEqualTo(3);
        set(0x5000, tracked);
        assertThat(mmu.fault(0, slot, 0x5000, READ)).isEqualTo(MapOutcome.WRITE_ALLOWED);
        assertThat(spte(0x5000)).isEqualTo(full & ~W);
        set(0x5000, tracked);
        assertThat(mmu.fault(0, slot, 0x5000, WRITE)).isEqualTo(MapOutcome.WRITE_ALLOWED);
        assertThat(spte(0x5000)).isEqualTo(full);
        assertThat(mmu.takeFlushRequest()).isFalse();
    }

    @Test
    void aLoggedPageIsMappedForReadingAndMarkedAtItsFirstWrite() {
        log(true);
        mmu.fault(0, slot, 0x5000, READ);
        assertThat(spte(0x5000) & 7).isEqualTo(5);
        assertThat(isDirty(5)).isFalse();
        assertThat(mmu.fault(0, slot, 0x5000, WRITE)).isEqualTo(MapOutcome.WRITE_ALLOWED);
        assertThat(isDirty(5)).isTrue();
        assertThat(isDirty(6)).isFalse();
        assertThat(mmu.fault(0, slot, 0x6000, WRITE)).isEqualTo(MapOutcome.MAPPED);
        assertThat(spte(0x6000) & 7).isEqualTo(7);
        assertThat(isDirty(6)).isTrue();
    }

    @Test
    void aLoggedArmedPageIsMappedWithItsBitSaved() {
        log(true);
        rules.armed = 1 << 5;
        mmu.fault(0, slot, 0x5000, READ);
        assertThat(spte(0x5000) & (SPP | SPP_SAVED | W)).isEqualTo(SPP_SAVED);
        mmu.fault(0, slot, 0x6000, READ);
        assertThat(spte(0x6000) & (SPP | SPP_SAVED | W)).isZero();
        mmu.zap(slot, 5, 5);
        mmu.fault(0, slot, 0x5000, WRITE);
        assertThat(spte(0x5000) & (SPP | SPP_SAVED | W)).isEqualTo(SPP);
    }

    @Test
    void whereTheProcessorLogsNothingIsProtected() {
        mmu.roots().accessedDirty(true);
        mmu.pageModificationLog(true);
        log(true);
        mmu.fault(0, slot, 0x5000, READ);
        assertThat(spte(0x5000) & 0x307).as("writable, not accessed, not dirty").isEqualTo(7);
        mmu.fault(0, slot, 0x6000, WRITE);
        assertThat(spte(0x6000) & 0x307).isEqualTo(7);
        assertThat(isDirty(6)).as("the processor will log it").isFalse();
        mmu.roots().accessedDirty(false);
        mmu.fault(0, slot, 0x5000, READ);
        assertThat(spte(0x5000) & 7).as("without flags there is no log").isEqualTo(5);
    }

    @Test
    void aLoggedLargePageIsSplitForItsFirstWrite() {
        Memslot large = add(1, 0, 0x80_0000, 0x40_0000, PageSize.SIZE_2M);
        mmu.fault(0, large, 0x80_0000, READ);
        assertThat(mmu.mappedPages(PageSize.SIZE_2M)).isEqualTo(1);
        slot = large;
        log(true);
        mmu.writeProtect(slot, slot.baseGfn());
        set(0x80_0000, spte(0x80_0000) | 0x300);
        assertThat(mmu.fault(0, slot, 0x80_7000, WRITE)).isEqualTo(MapOutcome.MAPPED);
        assertThat(mmu.mappedPages(PageSize.SIZE_2M)).isZero();
        assertThat(mmu.mappedPages(PageSize.SIZE_4K)).isEqualTo(512);
        assertThat(spte(0x80_7000) & 0x307)
                .as("accessed as the large page was, dirty when it is written")
                .isEqualTo(0x107);
        assertThat(spte(0x80_8000) & 0x307).isEqualTo(0x105);
        assertThat(spte(0x80_8000) & 0xf_ffff_ffff_f000L).isEqualTo(host.resolve(slot.hva() + 0x8000));
        assertThat(isDirty(0x807)).isTrue();
        assertThat(isDirty(0x808)).isFalse();
    }

    @Test
    void anUnloggedLargePageIsMadeWritableAsItIs() {
        Memslot large = add(1, 0, 0x80_0000, 0x40_0000, PageSize.SIZE_2M);
        mmu.fault(0, large, 0x80_0000, READ);
        mmu.writeProtect(large, 0x9ff);
        rules.answer = SubPageRules.WriteFault.DENY;
        assertThat(mmu.fault(0, large, 0x80_7000, WRITE)).isEqualTo(MapOutcome.WRITE_ALLOWED);
        assertThat(mmu.mappedPages(PageSize.SIZE_2M)).isEqualTo(1);
        assertThat(spte(0x80_0000) & 7).isEqualTo(7);
    }

    @Test
    void aReadOnlyMemslotIsReadButNeverWritten() {
        Memslot readOnly = add(1, Memslot.READONLY, 0x80_0000, 0x1000, PageSize.SIZE_4K);
        assertThat(mmu.fault(0, readOnly, 0x80_0000, READ | WRITE)).isEqualTo(MapOutcome.READ_ONLY);
        assertThat(mmu.fault(0, readOnly, 0x80_0000, READ)).isEqualTo(MapOutcome.MAPPED);
        assertThat(spte(0x80_0000) & (HOST_WRITABLE | 7)).isEqualTo(5);
        assertThat(mmu.fault(0, readOnly, 0x80_0000, WRITE)).isEqualTo(MapOutcome.READ_ONLY);
        set(0x80_0000, spte(0x80_0000) & ~7L);
        mmu.applySubPages(readOnly, 0x800);
        assertThat(spte(0x80_0000) & 7).as("nothing is added").isZero();
    }

    @Test
    void whatTheHostDoesNotLetWriteIsResolvedAgain() {
        mmu.fault(0, slot, 0x5000, WRITE);
        set(0x5000, spte(0x5000) & ~(W | HOST_WRITABLE));
        assertThat(mmu.fault(0, slot, 0x5000, WRITE)).as("the slow path").isEqualTo(MapOutcome.MAPPED);
        assertThat(spte(0x5000) & (HOST_WRITABLE | 7)).isEqualTo(HOST_WRITABLE | 7);
        assertThat(slot.rmap().size(5, 1)).isEqualTo(1);
        set(0x5000, spte(0x5000) & ~(W | MMU_WRITABLE));
        assertThat(mmu.fault(0, slot, 0x5000, WRITE)).isEqualTo(MapOutcome.MAPPED);
    }

    @Test
    void aFaultIsRestrictedByTheViewAndMapsNothingThen() {
        mmu.accessRules(new AccessRules() {
            @Override
            public int permissions(int view, Memslot of, long gfn) {
                return view == 1 && gfn == 5 ? READ : ALL;
            }

            @Override
            public int largestLevel(int view, Memslot of, long gfn) {
                return view == 1 ? 1 : 3;
            }
        });
        mmu.roots().mode(0, 1, 0, false);
        rules.armed = 1 << 5;
        assertThat(mmu.fault(0, slot, 0x5000, WRITE)).isEqualTo(MapOutcome.RESTRICTED);
        assertThat(mmu.fault(0, slot, 0x5000, FETCH)).isEqualTo(MapOutcome.RESTRICTED);
        assertThat(mmu.mappedPages(PageSize.SIZE_4K)).isZero();
        assertThat(mmu.fault(0, slot, 0x5000, READ)).isEqualTo(MapOutcome.MAPPED);
        mmu.lookup(mmu.roots().hpa(1, 0), 0x5000, found);
        assertThat(found.spte & (SPP | MMU_WRITABLE | HOST_WRITABLE | 7))
                .as("not armed, not fixable")
                .isEqualTo(HOST_WRITABLE | 1);
        mmu.roots().mode(0, 0, 0, false);
        assertThat(mmu.fault(0, slot, 0x5000, READ)).isEqualTo(MapOutcome.MAPPED);
        assertThat(spte(0x5000) & (SPP | 7)).isEqualTo(SPP | 5);
        assertThat(slot.rmap().size(5, 1)).isEqualTo(2);
    }

    @Test
    void neighboursThatTheHostHasAreMappedToo() {
        mmu.roots().accessedDirty(true);
        mmu.prefetch(true);
        for (long page : new long[] {7, 8, 9, 15, 16}) {
            host.resolve(slot.hva() + (page << 12));
        }
        rules.armed = 1 << 9;
        mmu.fault(0, slot, 0xc000, READ);
        assertThat(slot.rmap().count(1)).as("8, 9, 12 and 15").isEqualTo(4);
        assertThat(spte(0x8000)).isEqualTo(host.resolve(slot.hva() + 0x8000) | HOST_WRITABLE | MMU_WRITABLE | 0x77);
        assertThat(spte(0x9000) & (SPP | 7)).isEqualTo(SPP | 5);
        assertThat(spte(0xf000)).isEqualTo(host.resolve(slot.hva() + 0xf000) | HOST_WRITABLE | MMU_WRITABLE | 0x77);
        assertThat(rules.installed).containsExactly(12L);
        mmu.zap(slot, 12, 12);
        mmu.fault(0, slot, 0xc000, READ);
        assertThat(slot.rmap().count(1)).as("mapped ones stay as they are").isEqualTo(4);
    }

    @Test
    void aNeighbourThatTheViewHidesIsNotPrefetched() {
        mmu.roots().accessedDirty(true);
        mmu.prefetch(true);
        mmu.accessRules(new AccessRules() {
            @Override
            public int permissions(int view, Memslot of, long gfn) {
                return gfn == 3 ? 0 : ALL;
            }
        });
        host.read(slot.hva(), 0x5000);
        mmu.fault(0, slot, 0x1000, READ);
        assertThat(slot.rmap().count(1)).as("0, 1, 2 and 4").isEqualTo(4);
        assertThat(spte(0x3000)).isZero();
    }

    /** A change of the bitmap leaves pages closed that are closed for another reason. */
    @Test
    void aChangedBitmapOpensNoPageThatTheHostOrTheLogKeepsClosed() {
        mmu.fault(0, slot, 0x5000, WRITE);
        set(0x5000, spte(0x5000) & ~(HOST_WRITABLE | W));
        long closed = spte(0x5000);
        rules.armed = 1 << 5;
        mmu.applySubPages(slot, 5);
        assertThat(spte(0x5000)).isEqualTo(closed);
        rules.armed = 0;
        log(true);
        mmu.fault(0, slot, 0x6000, READ);
        mmu.applySubPages(slot, 6);
        assertThat(spte(0x6000) & (W | SPP))
                .as("its first write is to be logged")
                .isZero();
        mmu.fault(0, slot, 0x6000, WRITE);
        rules.armed = 1 << 6;
        mmu.applySubPages(slot, 6);
        assertThat(spte(0x6000) & (W | SPP | SPP_SAVED)).as("logged already").isEqualTo(SPP);
        rules.armed = 0;
        mmu.applySubPages(slot, 6);
        assertThat(spte(0x6000) & (W | SPP | SPP_SAVED)).isEqualTo(W);
    }

    @Test
    void withoutSubPageProtectionAWriteProtectedPageIsOpenedAgain() {
        mmu.subPageRules(SubPageRules.NONE);
        mmu.fault(0, slot, 0x5000, WRITE);
        mmu.writeProtect(slot, 5);
        assertThat(mmu.fault(0, slot, 0x5000, WRITE)).isEqualTo(MapOutcome.WRITE_ALLOWED);
        assertThat(SubPageRules.NONE.retargeted(slot, 5, 0x77)).isEqualTo(0x77);
    }

    @Test
    void nothingIsPrefetchedWithoutFlagsOrWhereWritesAreLoggedOrOutsideTheMemslot() {
        mmu.prefetch(true);
        Memslot edge = add(1, 0, 0x80_2000, 0x3000, PageSize.SIZE_4K);
        for (long page = 0; page < 16; page++) {
            host.resolve(slot.hva() + (page << 12));
        }
        host.read(edge.hva(), 0x3000);
        mmu.fault(0, slot, 0x5000, READ);
        assertThat(slot.rmap().count(1)).as("without accessed flags").isEqualTo(1);
        mmu.roots().accessedDirty(true);
        mmu.fault(0, edge, 0x80_4000, READ);
        assertThat(edge.rmap().count(1)).isEqualTo(3);
        log(true);
        mmu.fault(0, slot, 0x5000, READ);
        assertThat(slot.rmap().count(1)).as("logged").isEqualTo(1);
    }

    @Test
    void aPageWithoutMemslotIsMarkedUntilMemslotsChange() {
        mmu.memslotsChanged();
        mmu.markDevice(0, 0x1234_5678L);
        long mark = spte(0x1234_5000L);
        assertThat(mark & 7).as("SDM: write without read").isEqualTo(6);
        assertThat(Spte.isDevice(mark)).isTrue();
        assertThat(mmu.misconfiguration(0, 0x1234_5fffL)).isEqualTo(EptMmu.Misconfiguration.DEVICE);
        assertThat(mmu.misconfiguration(0, 0x1234_4000L)).isEqualTo(EptMmu.Misconfiguration.BROKEN);
        assertThat(mmu.misconfiguration(1, 0x1234_4000L)).isEqualTo(EptMmu.Misconfiguration.BROKEN);
        Memslot added = add(1, 0, 0x1234_5000L, 0x1000, PageSize.SIZE_4K);
        assertThat(mmu.misconfiguration(0, 0x1234_5000L)).isEqualTo(EptMmu.Misconfiguration.STALE);
        assertThat(spte(0x1234_5000L)).isZero();
        assertThat(mmu.takeFlushRequest())
                .as("no processor caches a misconfiguration")
                .isFalse();
        mmu.fault(0, added, 0x1234_5000L, READ);
        assertThat(spte(0x1234_5000L) & 7).isEqualTo(7);
    }

    @Test
    void aMarkMakesWayForAMappingAndForEverythingBeingZapped() {
        mmu.markDevice(0, 0x80_0000);
        mmu.markDevice(0, 1L << 48);
        assertThat(mmu.tablePages()).as("beyond four levels nothing is marked").isEqualTo(4);
        Memslot added = add(1, 0, 0x80_0000, 0x40_0000, PageSize.SIZE_2M);
        mmu.fault(0, added, 0x80_0000, READ);
        assertThat(mmu.mappedPages(PageSize.SIZE_2M)).isEqualTo(1);
        assertThat(mmu.tablePages()).isEqualTo(3);
        mmu.markDevice(0, 0x1234_5000L);
        mmu.zapAllFast();
        assertThat(mmu.tablePages()).as("the old root, still held").isEqualTo(1);
    }

    @Test
    void withoutFramesNothingChanges() {
        mmu.fault(0, slot, 0x5000, READ);
        mmu.caches().clear();
        long before = mmu.tablePages();
        while (frames.freeBytes() > 7 * 4096) {
            frames.allocate(PageSize.SIZE_4K);
        }
        assertThat(mmu.fault(0, slot, 0x20_0000, READ)).isEqualTo(MapOutcome.NO_MEMORY);
        mmu.markDevice(0, 0x1234_5000L);
        assertThat(mmu.tablePages()).isEqualTo(before);
        assertThat(mmu.fault(0, slot, 0x5000, WRITE))
                .as("needs none, but asks first")
                .isEqualTo(MapOutcome.NO_MEMORY);
        assertThat(mmu.roots().load(1))
                .as("there is a root, but no frame for tables")
                .isFalse();
    }

    @Test
    void whenGenerationsBeginAgainAllMarksGo() {
        mmu.markDevice(0, 0x1234_5000L);
        assertThat(slots.generation() % Spte.GENERATIONS).isNotZero();
        mmu.memslotsChanged();
        assertThat(Spte.isDevice(spte(0x1234_5000L))).isTrue();
        while (slots.generation() % Spte.GENERATIONS != 0) {
            log(slot.dirty() == null);
        }
        mmu.memslotsChanged();
        assertThat(spte(0x1234_5000L)).isZero();
    }

    /** Tables of other purposes, like those of SPP misses, count on what the last EPT violation has left. */
    @Test
    void everyFaultFillsTheCacheFirst() {
        mmu.fault(0, slot, 0x5000, READ);
        PageCache cache = mmu.caches().of(0);
        while (cache.count() >= PageCache.MIN) {
            cache.take();
        }
        assertThat(mmu.fault(0, slot, 0x5000, WRITE)).isEqualTo(MapOutcome.SPURIOUS);
        assertThat(cache.count()).isEqualTo(PageCache.CAPACITY);
    }
}
