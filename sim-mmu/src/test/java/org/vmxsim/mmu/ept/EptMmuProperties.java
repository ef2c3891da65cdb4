package org.vmxsim.mmu.ept;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.BeforeTry;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.mmu.host.FrameAllocator;
import org.vmxsim.mmu.host.HostMemory;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.memslot.MemslotChange;
import org.vmxsim.mmu.memslot.Memslots;
import org.vmxsim.mmu.page.KernelMemory;
import org.vmxsim.mmu.spp.SppRig;
import org.vmxsim.mmu.spp.fixed.FixedSubPages;
import org.vmxsim.vmx.ept.EptViolation;

/**
 * Random sequences of faults, sub-page changes, protections, removals and memslot changes. After each step the tables
 * in memory are read by a plain walker, typed from the manual, that knows nothing of the builder.
 */
class EptMmuProperties {
    private static final long GIB = 1L << 30;

    enum Kind {
        READ,
        WRITE,
        PROTECT,
        UNPROTECT,
        WRITE_PROTECT,
        ZAP,
        DELETE,
        CREATE
    }

    record Step(Kind kind, int place, int page) {}

    /** What a leaf found by the plain walker says of one of its 4-KiB pages. */
    record Page(long hpa, int rights, boolean spp, boolean saved, int level) {}

    private PhysicalMemory memory;
    private HostMemory host;
    private Memslots slots;
    private EptMmu mmu;
    private FixedSubPages subPages;
    /** Id, flags, gpa, size and hva: 4K, 2M and 1G backing, offset bits alike or not, read-only. */
    private long[][] places;

    @BeforeTry
    void fresh() {
        memory = PhysicalMemory.sparse(4 * GIB);
        FrameAllocator frames = new FrameAllocator(memory);
        frames.add(0, 4 * GIB);
        host = new HostMemory(memory, frames);
        slots = new Memslots();
        KernelMemory kernel = new KernelMemory(memory);
        mmu = new EptMmu(kernel, frames, host, slots, PageSize.SIZE_1G);
        subPages = new FixedSubPages(new SppRig().environment(kernel, frames, slots, mmu, true));
        subPages.enable();
        mmu.subPageRules(subPages);
        places = new long[][] {
            {0, 0, 0, 0x60_0000, host.map(0x60_0000, PageSize.SIZE_2M)},
            {1, 0, GIB, 2 * GIB, host.map(2 * GIB, PageSize.SIZE_1G)},
            {2, 0, 0x80_1000, 0x40_0000, host.map(0x80_0000, PageSize.SIZE_2M) + 0x1000},
            {3, 0, 0xd0_0000, 0x40_0000, host.map(0x40_0000, PageSize.SIZE_2M)},
            {4, 2, 0x200_0000, 0x40_0000, host.map(0x40_0000, PageSize.SIZE_2M)},
            {5, 0, 0x300_0000, 0x40_0000, host.map(0x40_0000, PageSize.SIZE_4K)},
        };
        for (int place = 0; place < places.length; place++) {
            create(place);
        }
    }

    private void create(int place) {
        long[] p = places[place];
        MemslotChange change = slots.check((int) p[0], (int) p[1], p[2], p[3], p[4]);
        assertThat(subPages.memslotMade(change.added())).isTrue();
        slots.make(change);
        subPages.memslotChanged(change.removed(), change.added());
    }

    @Provide
    Arbitrary<List<Step>> steps() {
        return Combinators.combine(
                        Arbitraries.of(
                                Kind.READ,
                                Kind.WRITE,
                                Kind.WRITE,
                                Kind.WRITE,
                                Kind.PROTECT,
                                Kind.PROTECT,
                                Kind.UNPROTECT,
                                Kind.WRITE_PROTECT,
                                Kind.ZAP,
                                Kind.DELETE,
                                Kind.CREATE),
                        Arbitraries.integers().between(0, 5),
                        Arbitraries.of(0, 1, 7, 511, 512, 513, 1000, 1023))
                .as(Step::new)
                .list()
                .ofMaxSize(30);
    }

    @Property(tries = 80)
    void tablesAlwaysSayWhatTheRulesSay(@ForAll("steps") List<Step> steps) {
        for (Step step : steps) {
            Map<Long, Page> before = pages();
            mmu.takeFlushRequest();
            run(step);
            Map<Long, Page> after = pages();
            checkTables(after);
            if (before.entrySet().stream().anyMatch(entry -> loses(entry.getValue(), after.get(entry.getKey())))) {
                assertThat(mmu.takeFlushRequest()).as("flush after %s", step).isTrue();
            }
        }
    }

    private static boolean loses(Page before, Page after) {
        return after == null
                || before.hpa != after.hpa
                || (before.rights & ~after.rights) != 0
                // Without write permission bit 61 can only add writes.
                || before.spp && !after.spp && (after.rights & 2) == 0;
    }

    private void run(Step step) {
        long gfn = (places[step.place][2] >>> 12) + step.page;
        Memslot slot = slots.at(gfn);
        if (step.kind == Kind.CREATE) {
            if (slots.byId(step.place) == null) {
                create(step.place);
            }
            return;
        }
        if (slot == null) {
            return;
        }
        boolean protectedPage = slot.bitmaps().isProtected(gfn, 1);
        switch (step.kind) {
            case READ ->
                assertThat(mmu.fault(0, slot, gfn << 12 | 0x123, EptViolation.READ))
                        .isIn(MapOutcome.MAPPED, MapOutcome.SPURIOUS);
            case WRITE -> checkWrite(slot, gfn);
            case PROTECT, UNPROTECT -> {
                slot.bitmaps().set(gfn, step.kind == Kind.PROTECT ? step.page : -1);
                mmu.applySubPages(slot, gfn);
            }
            case WRITE_PROTECT -> {
                mmu.writeProtect(slot, gfn);
                Page page = pages().get(gfn);
                // The bit of a protected page is put aside until the next write.
                assertThat(page == null
                                || (page.rights & 2) == 0
                                        && !page.spp
                                        && page.saved == (protectedPage && !slot.isReadOnly()))
                        .isTrue();
            }
            case ZAP -> {
                mmu.zap(slot, gfn, gfn);
                assertThat(pages()).doesNotContainKey(gfn);
            }
            case DELETE -> {
                mmu.zap(slot, slot.baseGfn(), slot.lastGfn());
                slots.make(slots.check(slot.id(), 0, 0, 0, 0));
            }
            case CREATE -> throw new AssertionError();
        }
    }

    private void checkWrite(Memslot slot, long gfn) {
        MapOutcome outcome = mmu.fault(0, slot, gfn << 12, EptViolation.WRITE);
        Page page = pages().get(gfn);
        if (outcome == MapOutcome.MAPPED || outcome == MapOutcome.WRITE_ALLOWED && page.spp) {
            outcome = mmu.fault(0, slot, gfn << 12, EptViolation.WRITE);
        }
        if (slot.isReadOnly()) {
            assertThat(outcome).isEqualTo(MapOutcome.READ_ONLY);
        } else if (slot.bitmaps().isProtected(gfn, 1)) {
            assertThat(outcome).isEqualTo(MapOutcome.SUB_PAGE);
        } else {
            assertThat(outcome).isIn(MapOutcome.SPURIOUS, MapOutcome.WRITE_ALLOWED);
            assertThat(pages().get(gfn).rights).isEqualTo(7);
        }
    }

    private void checkTables(Map<Long, Page> pages) {
        long[] leaves = new long[4];
        pages.forEach((gfn, page) -> {
            Memslot slot = slots.at(gfn);
            boolean armed = slot.bitmaps().isProtected(gfn, 1) && !slot.isReadOnly();
            boolean writable = (page.rights & 2) != 0;
            if (page.hpa != host.resolve(slot.hvaOf(gfn))
                    || page.spp == page.saved && armed
                    || (page.spp || page.saved) && !armed
                    || writable && (armed || slot.isReadOnly())
                    || page.level > 1 && slot.bitmaps().isProtected(gfn, page.level)
                    || slot.rmap().get(gfn, page.level) == -1) {
                throw new AssertionError("gfn 0x" + Long.toHexString(gfn) + " armed=" + armed + " " + page);
            }
            leaves[page.level]++;
        });
        for (PageSize size : PageSize.values()) {
            // Of a 1-GiB page, collect() takes the first 1024 pages and then the first of each 2 MiB.
            long perLeaf = size == PageSize.SIZE_1G ? 1024 + 510 : size.pages();
            assertThat(leaves[size.level()]).isEqualTo(mmu.mappedPages(size) * perLeaf);
        }
    }

    /** SDM "EPT Translation Mechanism", by plain arithmetic. */
    private Map<Long, Page> pages() {
        Map<Long, Page> pages = new HashMap<>();
        collect(pages, mmu.root(), 4, 0);
        return pages;
    }

    private void collect(Map<Long, Page> pages, long table, int level, long gpa) {
        for (int i = 0; i < 512; i++) {
            long entry = memory.readLong(table + 8 * i);
            long at = gpa + ((long) i << 12 + 9 * (level - 1));
            if ((entry & 7) == 0) {
                continue;
            }
            long frame = entry & 0xf_ffff_ffff_f000L;
            if (level > 1 && (entry & 0x80) == 0) {
                assertThat(entry & 0x7f).isEqualTo(7);
                collect(pages, frame, level - 1, at);
                continue;
            }
            if ((entry >>> 3 & 7) != 6 || (frame & (1L << 12 + 9 * (level - 1)) - 1) != 0) {
                throw new AssertionError("need an aligned frame and write-back, got 0x" + Long.toHexString(entry));
            }
            long pageCount = 1L << 9 * (level - 1);
            for (long page = 0; page < pageCount; page += level == 3 && page >= 1024 ? 512 : 1) {
                pages.put(
                        (at >>> 12) + page,
                        new Page(
                                frame + (page << 12),
                                (int) entry & 7,
                                (entry >>> 61 & 1) != 0,
                                (entry >>> 56 & 1) != 0,
                                level));
            }
        }
    }
}
