package org.vmxsim.mmu.ept;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.vmxsim.vmx.ept.EptViolation.READ;
import static org.vmxsim.vmx.ept.EptViolation.WRITE;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.mmu.host.FrameAllocator;
import org.vmxsim.mmu.host.HostMemory;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.memslot.Memslots;
import org.vmxsim.mmu.page.KernelMemory;
import org.vmxsim.mmu.page.MmuPage;
import org.vmxsim.mmu.page.MmuRole;

/** The life of EPT roots: who holds them, when they are freed, and what is rebuilt. */
class EptRootsTest {
    private final PhysicalMemory memory = PhysicalMemory.sparse(64 << 20);
    private final FrameAllocator frames = new FrameAllocator(memory);
    private final HostMemory host = new HostMemory(memory, frames);
    private final Memslots slots = new Memslots();
    private final EptCursor found = new EptCursor();
    private int freed;
    private int loaded;
    private EptMmu mmu;
    private EptRoots roots;
    private Memslot slot;

    @BeforeEach
    void oneSlot() {
        frames.add(0, 64 << 20);
        mmu = new EptMmu(new KernelMemory(memory), frames, host, slots, PageSize.SIZE_2M);
        mmu.subPageRules(new SubPageRules() {
            @Override
            public void rootFreed(int vcpu) {
                freed++;
            }

            @Override
            public void rootLoaded(int vcpu) {
                loaded++;
            }
        });
        roots = mmu.roots();
        slots.make(slots.check(0, 0, 0, 0x40_0000, host.map(0x40_0000, PageSize.SIZE_2M)));
        slot = slots.byId(0);
    }

    private boolean isMapped(long rootHpa, long gpa) {
        mmu.lookup(rootHpa, gpa, found);
        return found.isMapped();
    }

    @Test
    void vcpusOfOneModeShareARootAndOthersDoNot() {
        assertThat(roots.needsLoad(0)).isTrue();
        for (int vcpu = 0; vcpu < 5; vcpu++) {
            roots.mode(vcpu, vcpu == 2 ? 7 : 0, vcpu == 3 ? 1 : 0, vcpu == 4);
            assertThat(roots.load(vcpu)).isTrue();
            assertThat(roots.needsLoad(vcpu)).isFalse();
        }
        assertThat(loaded).isEqualTo(5);
        assertThat(mmu.vcpu(0).root()).isSameAs(mmu.vcpu(1).root());
        assertThat(mmu.vcpu(0).root().rootCount()).isEqualTo(2);
        assertThat(mmu.vcpu(0).root().role()).isEqualTo(new MmuRole(4, 0, false, false, true, false));
        assertThat(mmu.vcpu(2).root().role()).isEqualTo(new MmuRole(4, 7, false, false, true, false));
        assertThat(mmu.vcpu(3).root().role()).isEqualTo(new MmuRole(4, 0, true, false, true, false));
        assertThat(mmu.vcpu(4).root().role()).isEqualTo(new MmuRole(4, 0, false, true, true, false));
        assertThat(mmu.vcpu(0).root().tableHpa()).isEqualTo(mmu.root());
        assertThat(roots.hpa(7, 0)).isEqualTo(mmu.vcpu(2).root().tableHpa());
        assertThat(roots.hpa(0, 1)).isEqualTo(mmu.vcpu(3).root().tableHpa());
        Set<Long> different = new HashSet<>();
        for (int vcpu = 0; vcpu < 5; vcpu++) {
            different.add(mmu.vcpu(vcpu).root().tableHpa());
        }
        assertThat(different).hasSize(4);
        assertThat(mmu.vcpu(3).addressSpace()).isEqualTo(1);
        assertThat(mmu.vcpu(2).id()).isEqualTo(2);
    }

    @Test
    void aRootThatIsLetGoIsKeptForTheNext() {
        mmu.fault(0, slot, 0, WRITE);
        long root = mmu.vcpu(0).root().tableHpa();
        roots.unload(0);
        roots.unload(0);
        assertThat(freed).isEqualTo(1);
        assertThat(roots.needsLoad(0)).isTrue();
        roots.load(0);
        roots.load(0);
        assertThat(loaded).isEqualTo(2);
        assertThat(mmu.vcpu(0).root().tableHpa()).isEqualTo(root);
        assertThat(mmu.vcpu(0).root().rootCount()).isEqualTo(1);
        assertThat(isMapped(root, 0)).isTrue();
    }

    @Test
    void changingModeHoldsTheOtherRoot() {
        roots.load(0);
        MmuPage before = mmu.vcpu(0).root();
        roots.mode(0, 0, 0, false);
        assertThat(mmu.vcpu(0).root()).isSameAs(before);
        roots.mode(0, 3, 0, false);
        assertThat(before.rootCount()).isZero();
        assertThat(mmu.vcpu(0).root().role().view()).isEqualTo(3);
        assertThat(freed).as("a switch is no reset").isZero();
        roots.unload(0);
        roots.mode(0, 0, 0, false);
        assertThat(mmu.vcpu(0).root()).as("none until it loads").isNull();
    }

    @Test
    void everythingZappedLeavesHeldRootsEmptyUntilTheyAreLetGo() {
        mmu.fault(0, slot, 0, WRITE);
        roots.mode(1, 1, 0, false);
        mmu.fault(1, slot, 0x20_0000, WRITE);
        roots.hpa(2, 0);
        mmu.markDevice(0, 0x100_0000);
        long old = mmu.vcpu(0).root().tableHpa();
        assertThat(mmu.takeFlushRequest()).isFalse();
        mmu.zapAllFast();
        assertThat(mmu.takeFlushRequest()).isTrue();
        assertThat(mmu.mappedPages(PageSize.SIZE_2M)).isZero();
        assertThat(mmu.tablePages()).as("two roots that vCPUs hold").isEqualTo(2);
        assertThat(isMapped(old, 0)).isFalse();
        assertThat(mmu.vcpu(0).root().isInvalid()).isTrue();
        assertThat(roots.needsLoad(0)).isTrue();
        mmu.zapAllFast();
        assertThat(mmu.tablePages()).as("they are zapped once").isEqualTo(2);
        roots.load(0);
        roots.load(1);
        assertThat(freed).isEqualTo(2);
        assertThat(mmu.takeFlushRequest())
                .as("an empty table leaves nothing in any cache")
                .isFalse();
        assertThat(mmu.tablePages()).isEqualTo(2);
        assertThat(mmu.vcpu(0).root().isInvalid()).isFalse();
        mmu.fault(0, slot, 0, READ);
        assertThat(isMapped(mmu.vcpu(0).root().tableHpa(), 0)).isTrue();
    }

    @Test
    void aViewIsZappedAlone() {
        mmu.fault(0, slot, 0, WRITE);
        roots.mode(1, 1, 0, false);
        mmu.fault(1, slot, 0, WRITE);
        roots.mode(2, 1, 1, false);
        roots.load(2);
        roots.unload(2);
        assertThat(mmu.mappedPages(PageSize.SIZE_2M)).isEqualTo(2);
        roots.zapView(1);
        assertThat(mmu.mappedPages(PageSize.SIZE_2M)).isEqualTo(1);
        assertThat(roots.needsLoad(1)).isTrue();
        assertThat(roots.needsLoad(0)).isFalse();
        assertThat(isMapped(mmu.root(), 0)).isTrue();
        assertThat(mmu.tablePages()).as("three of view 0, one held").isEqualTo(4);
        roots.zapView(1);
        roots.mode(1, 0, 0, false);
        assertThat(mmu.tablePages()).isEqualTo(3);
        assertThat(mmu.vcpu(1).root()).isSameAs(mmu.vcpu(0).root());
    }

    @Test
    void otherFlagsMakeOtherTables() {
        mmu.fault(0, slot, 0, WRITE);
        roots.accessedDirty(false);
        assertThat(mmu.mappedPages(PageSize.SIZE_2M)).as("no change").isEqualTo(1);
        roots.accessedDirty(true);
        assertThat(roots.accessedDirty()).isTrue();
        assertThat(mmu.mappedPages(PageSize.SIZE_2M)).isZero();
        mmu.fault(0, slot, 0, WRITE);
        assertThat(mmu.vcpu(0).root().role().adDisabled()).isFalse();
    }

    @Test
    void whereViolationsMayBecomeVeWhatIsNotMappedSuppressesIt() {
        mmu.fault(0, slot, 0, WRITE);
        mmu.convertibleViolations(true);
        assertThat(mmu.mappedPages(PageSize.SIZE_2M)).isZero();
        mmu.fault(0, slot, 0x20_0000, WRITE);
        long root = mmu.vcpu(0).root().tableHpa();
        assertThat(memory.readLong(root + 8)).isEqualTo(1L << 63);
        assertThat(isMapped(root, 0)).isFalse();
        assertThat(found.level).isEqualTo(2);
        assertThat(found.spte).isEqualTo(1L << 63);
        assertThat(isMapped(root, 0x20_0000)).isTrue();
        assertThat(found.spte >>> 63).as("AccessRules.NONE suppresses").isEqualTo(1);
        mmu.zap(slot, 0x200, 0x200);
        assertThat(isMapped(root, 0x20_0000)).isFalse();
        assertThat(found.spte).isEqualTo(1L << 63);
        mmu.convertibleViolations(true);
        assertThat(mmu.vcpu(0).root().isInvalid()).as("no change").isFalse();
    }

    @Test
    void tablesKnowWhatTheyMapAndWhatRefersToThem() {
        mmu.fault(0, slot, 0x20_0000, WRITE);
        int tables = 0;
        for (MmuPage page = mmu.pages().newest();
                page != null;
                page = mmu.pages().older(page)) {
            tables++;
            assertThat(page.gfn()).isZero();
            if (page.role().level() < 4) {
                assertThat(page.parentCount()).isEqualTo(1);
                assertThat(memory.readLong(page.parent(0))).isEqualTo(page.tableHpa() | 7);
                MmuPage parent = mmu.pages().at(page.parent(0) & ~0xfffL);
                assertThat(parent.role().child()).isEqualTo(page.role());
            }
        }
        assertThat(tables).isEqualTo(3);
        mmu.updates().split(slot, 0x200, 0x200, 1);
        MmuPage small = mmu.pages().newest();
        assertThat(small.gfn()).isEqualTo(0x200);
        assertThat(small.role().level()).isEqualTo(1);
        assertThat(small.parentCount()).isEqualTo(1);
        assertThat(mmu.takeFlushRequest())
                .as("the parts say what the whole said")
                .isFalse();
    }

    @Test
    void aHeldTableIsFreedWhenItIsLetGo() {
        MmuRole role = new MmuRole(4, 0, false, false, false, true);
        MmuPage sppt = mmu.pages().make(0, role, frames.allocate(PageSize.SIZE_4K));
        sppt.hold();
        sppt.hold();
        mmu.zapAllFast();
        assertThat(mmu.pages().count(true)).isEqualTo(1);
        roots.release(sppt);
        assertThat(mmu.pages().count(true)).isEqualTo(1);
        roots.release(sppt);
        assertThat(mmu.pages().count(true)).isZero();
        assertThatExceptionOfType(AssertionError.class).isThrownBy(() -> roots.release(sppt));
    }

    @Test
    void tablesOfSubPageVectorsAreZappedWithoutALookAtTheVectors() {
        MmuRole role = new MmuRole(2, 0, false, false, false, true);
        MmuPage upper = mmu.pages().make(0, role, frames.allocate(PageSize.SIZE_4K));
        MmuPage leaf = mmu.pages().make(0, role.child(), frames.allocate(PageSize.SIZE_4K));
        memory.writeLong(upper.tableHpa(), leaf.tableHpa() | 1);
        leaf.addParent(upper.tableHpa());
        memory.writeLong(leaf.tableHpa() + 16, 0x5555_5555_5555_5555L);
        mmu.zapAllFast();
        assertThat(mmu.pages().count(true)).isZero();
    }

    @Test
    void withoutAFrameThereIsNoRoot() {
        while (frames.allocate(PageSize.SIZE_4K) != FrameAllocator.NONE) {}
        roots.mode(0, 5, 0, false);
        assertThat(roots.load(0)).isFalse();
        assertThat(loaded).isZero();
        assertThat(mmu.fault(0, slot, 0, READ)).isEqualTo(MapOutcome.NO_MEMORY);
        assertThatIllegalArgumentException().isThrownBy(() -> roots.hpa(5, 0)).withMessageContaining("freeBytes=0");
    }
}
