package org.vmxsim.mmu.ept;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.mmu.host.FrameAllocator;
import org.vmxsim.mmu.host.HostMemory;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.memslot.Memslots;
import org.vmxsim.mmu.memslot.SubPageBitmaps;
import org.vmxsim.mmu.page.KernelMemory;
import org.vmxsim.mmu.spp.SppRig;
import org.vmxsim.mmu.spp.fixed.FixedSubPages;
import org.vmxsim.vmx.ept.EptViolation;

class EptMmuTest {
    private static final long GIB = 1L << 30;

    private final PhysicalMemory memory = PhysicalMemory.sparse(8 * GIB);
    private final FrameAllocator frames = new FrameAllocator(memory);
    private final HostMemory host = new HostMemory(memory, frames);
    private final Memslots slots = new Memslots();
    private final EptCursor found = new EptCursor();

    EptMmuTest() {
        frames.add(0, 8 * GIB);
    }

    private Memslot slot(long gpa, long sizeBytes, long hva) {
        slots.make(slots.check(slots.all().size(), 0, gpa, sizeBytes, hva));
        Memslot slot = slots.at(gpa >>> 12);
        slot.bitmaps(new SubPageBitmaps(slot.baseGfn(), slot.npages()));
        return slot;
    }

    private EptMmu mmu(PageSize largest) {
        KernelMemory kernel = new KernelMemory(memory);
        EptMmu mmu = new EptMmu(kernel, frames, host, slots, largest);
        FixedSubPages subPages = new FixedSubPages(new SppRig().environment(kernel, frames, slots, mmu, true));
        subPages.enable();
        mmu.subPageRules(subPages);
        return mmu;
    }

    private int levelAt(EptMmu mmu, long gpa) {
        mmu.lookup(gpa, found);
        return found.isMapped() ? found.level : 0;
    }

    @Test
    void aWritableSmallPageIsTheManualsEntry() {
        Memslot slot = slot(0, 0x1000, host.map(0x1000, PageSize.SIZE_4K));
        EptMmu mmu = mmu(PageSize.SIZE_4K);
        mmu.fault(0, slot, 0, EptViolation.WRITE);
        mmu.lookup(0, found);
        // Read, write, execute; type write-back (6) in bits 5:3; ignore PAT (bit 6); software's bits 52 and 53.
        assertThat(found.spte).isEqualTo(host.resolve(slot.hva()) | 0x0030_0000_0000_0077L);
        assertThat(found.spteHpa & ~0xfffL).isNotEqualTo(mmu.root());
        assertThat(mmu.tablePages()).isEqualTo(4);
        assertThat(mmu.takeFlushRequest())
                .as("nothing to flush when something appears")
                .isFalse();
    }

    @Test
    void pageSizeIsTheLargestThatEveryRuleAllows() {
        Memslot slot = slot(0, 4 * GIB, host.map(4 * GIB, PageSize.SIZE_1G));
        EptMmu mmu = mmu(PageSize.SIZE_1G);
        slot.bitmaps().set(GIB >>> 12 | 3, 0);
        mmu.fault(0, slot, 0, EptViolation.READ);
        mmu.fault(0, slot, GIB, EptViolation.READ);
        mmu.fault(0, slot, GIB + 0x20_0000, EptViolation.READ);
        assertThat(levelAt(mmu, 0)).isEqualTo(3);
        assertThat(levelAt(mmu, GIB))
                .as("a neighbour in the 2 MiB is protected")
                .isEqualTo(1);
        assertThat(levelAt(mmu, GIB + 0x20_0000)).as("one in the 1 GiB is").isEqualTo(2);

        EptMmu smaller = mmu(PageSize.SIZE_2M);
        Memslot other = slot(8 * GIB, GIB, host.map(GIB, PageSize.SIZE_1G));
        smaller.fault(0, other, 8 * GIB, EptViolation.READ);
        assertThat(levelAt(smaller, 8 * GIB)).as("as asked").isEqualTo(2);
    }

    @Test
    void offsetsThatDifferForbidALargePage() {
        Memslot slot = slot(0x20_0000, 0x40_0000, host.map(0x60_0000, PageSize.SIZE_2M) + 0x1000);
        EptMmu mmu = mmu(PageSize.SIZE_1G);
        mmu.fault(0, slot, 0x20_0000, EptViolation.READ);
        assertThat(levelAt(mmu, 0x20_0000)).isEqualTo(1);
    }

    @Test
    void aHugePageIsSplitAroundAProtectedPageAndComesBack() {
        Memslot slot = slot(0, GIB, host.map(GIB, PageSize.SIZE_1G));
        EptMmu mmu = mmu(PageSize.SIZE_1G);
        mmu.fault(0, slot, 0, EptViolation.WRITE);
        slot.bitmaps().set(0x12345, 0xff);
        mmu.applySubPages(slot, 0x12345);

        assertThat(mmu.mappedPages(PageSize.SIZE_1G)).isZero();
        assertThat(mmu.mappedPages(PageSize.SIZE_2M)).isEqualTo(511);
        assertThat(mmu.mappedPages(PageSize.SIZE_4K)).isEqualTo(512);
        mmu.lookup(0x12345000, found);
        assertThat(Spte.isArmed(found.spte)).isTrue();
        assertThat(mmu.takeFlushRequest()).isTrue();

        slot.bitmaps().set(0x12345, -1);
        mmu.applySubPages(slot, 0x12345);
        assertThat(mmu.takeFlushRequest()).isTrue();
        mmu.fault(0, slot, 0x12345000, EptViolation.READ);
        assertThat(mmu.mappedPages(PageSize.SIZE_1G)).isEqualTo(1);
        assertThat(mmu.mappedPages(PageSize.SIZE_2M)).isZero();
        assertThat(mmu.mappedPages(PageSize.SIZE_4K)).isZero();
        assertThat(mmu.tablePages()).isEqualTo(2);
    }

    @Test
    void withoutMemoryForTablesAHugePageIsRemovedInstead() {
        Memslot slot = slot(0, GIB, host.map(GIB, PageSize.SIZE_1G));
        EptMmu mmu = mmu(PageSize.SIZE_1G);
        mmu.fault(0, slot, 0, EptViolation.WRITE);
        mmu.caches().clear();
        while (frames.allocate(PageSize.SIZE_2M) != FrameAllocator.NONE) {}
        while (frames.allocate(PageSize.SIZE_4K) != FrameAllocator.NONE) {}
        slot.bitmaps().set(5, 0);
        mmu.applySubPages(slot, 5);
        assertThat(levelAt(mmu, 0x5000)).isZero();
        assertThat(mmu.fault(0, slot, 0x5000, EptViolation.WRITE)).isEqualTo(MapOutcome.NO_MEMORY);
    }

    @Test
    void nothingBehindTheMemslotIsSaid() {
        Memslot slot = slot(0, 0x2000, 0x1000);
        assertThat(mmu(PageSize.SIZE_1G).fault(0, slot, 0, EptViolation.READ)).isEqualTo(MapOutcome.UNMAPPED);
    }
}
