package org.vmxsim.mmu.page;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.mmu.host.FrameAllocator;
import org.vmxsim.mmu.host.PageSize;

/** The two indices of tables against a list. */
class MmuPagesProperties {
    private static final MmuRole ROLE = new MmuRole(1, 0, false, false, false, false);

    private final FrameAllocator frames;

    MmuPagesProperties() {
        PhysicalMemory memory = PhysicalMemory.sparse(16 << 20);
        frames = new FrameAllocator(memory);
        frames.add(0, 16 << 20);
    }

    enum Kind {
        MAKE,
        FREE,
        INVALIDATE,
        GENERATION
    }

    record Step(Kind kind, int gfn, int level, boolean spp) {}

    @Provide
    Arbitrary<List<Step>> steps() {
        return Combinators.combine(
                        Arbitraries.frequency(
                                Tuple.of(20, Kind.MAKE),
                                Tuple.of(8, Kind.FREE),
                                Tuple.of(2, Kind.INVALIDATE),
                                Tuple.of(1, Kind.GENERATION)),
                        Arbitraries.integers().between(0, 7),
                        Arbitraries.integers().between(1, 3),
                        Arbitraries.of(true, false))
                .as(Step::new)
                .list()
                .ofMaxSize(200);
    }

    @Property(tries = 40)
    void findsEachTableByItsFrameAndTheLatestOfARange(@ForAll("steps") List<Step> steps) {
        MmuPages pages = new MmuPages(frames);
        List<MmuPage> model = new ArrayList<>();
        long free = frames.freeBytes();
        for (Step step : steps) {
            run(pages, model, step);
            check(pages, model, step);
        }
        for (MmuPage page : model) {
            pages.free(page);
            assertThat(pages.at(page.tableHpa())).isNull();
        }
        assertThat(frames.freeBytes()).isEqualTo(free);
        assertThat(pages.newest()).isNull();
    }

    private void run(MmuPages pages, List<MmuPage> model, Step step) {
        MmuRole role = new MmuRole(step.level, 0, false, false, false, step.spp);
        switch (step.kind) {
            case MAKE -> model.add(pages.make(512L * step.gfn, role, frames.allocate(PageSize.SIZE_4K)));
            case FREE -> {
                if (!model.isEmpty()) {
                    pages.free(model.remove((7 * step.gfn + step.level) % model.size()));
                }
            }
            case INVALIDATE -> {
                if (!model.isEmpty()) {
                    model.get(step.gfn % model.size()).invalidate();
                }
            }
            case GENERATION -> pages.newGeneration();
        }
    }

    private void check(MmuPages pages, List<MmuPage> model, Step step) {
        assertThat(pages.count()).isEqualTo(model.size());
        assertThat(pages.count(true))
                .isEqualTo(model.stream().filter(p -> p.role().spp()).count());
        assertThat(pages.count(false))
                .isEqualTo(model.stream().filter(p -> !p.role().spp()).count());
        MmuRole role = new MmuRole(step.level, 0, false, false, false, step.spp);
        MmuPage latest = null;
        MmuPage oldestObsolete = null;
        long generation = currentGeneration(pages);
        for (MmuPage page : model) {
            assertThat(pages.at(page.tableHpa())).isSameAs(page);
            boolean current = !page.isInvalid() && page.generation() == generation;
            assertThat(pages.isCurrent(page)).isEqualTo(current);
            if (current && page.gfn() == 512L * step.gfn && page.role().equals(role)) {
                latest = page;
            }
            if (oldestObsolete == null && !page.isInvalid() && page.generation() != generation) {
                oldestObsolete = page;
            }
        }
        assertThat(pages.find(512L * step.gfn, role)).isSameAs(latest);
        assertThat(pages.obsolete()).isSameAs(oldestObsolete);
        List<MmuPage> walked = new ArrayList<>();
        for (MmuPage page = pages.newest(); page != null; page = pages.older(page)) {
            walked.add(0, page);
        }
        assertThat(walked).isEqualTo(model);
    }

    /** As a table made now would tell. */
    private long currentGeneration(MmuPages pages) {
        MmuPage probe = pages.make(-1, ROLE, frames.allocate(PageSize.SIZE_4K));
        long generation = probe.generation();
        pages.free(probe);
        return generation;
    }

    @Example
    void manyTablesAreFoundAsFewAre() {
        MmuPages pages = new MmuPages(frames);
        List<MmuPage> made = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            made.add(pages.make(512L * i, ROLE, frames.allocate(PageSize.SIZE_4K)));
        }
        for (int i = 0; i < 300; i++) {
            assertThat(pages.find(512L * i, ROLE)).isSameAs(made.get(i));
            assertThat(pages.at(made.get(i).tableHpa())).isSameAs(made.get(i));
        }
        made.forEach(pages::free);
        assertThat(pages.count(false)).isZero();
        assertThat(pages.find(512, ROLE)).isNull();
    }

    @Example
    void aTableInUseIsNotFreed() {
        MmuPages pages = new MmuPages(frames);
        MmuPage page = pages.make(0, ROLE, frames.allocate(PageSize.SIZE_4K));
        page.hold();
        assertThatExceptionOfType(AssertionError.class).isThrownBy(() -> pages.free(page));
        assertThat(page.release()).isTrue();
        page.addParent(0x5008);
        assertThatExceptionOfType(AssertionError.class).isThrownBy(() -> pages.free(page));
        page.removeParent(0x5008);
        pages.free(page);
        assertThatExceptionOfType(AssertionError.class).isThrownBy(() -> pages.free(page));
        assertThatExceptionOfType(AssertionError.class).isThrownBy(page::release);
        assertThat(page.toString()).contains("gfn=0x0");
    }

    @Example
    void aTableKnowsWhatRefersToIt() {
        MmuPage page = new MmuPages(frames).make(512, ROLE, 0x3000);
        for (int i = 0; i < 5; i++) {
            page.addParent(0x1000 + 8 * i);
        }
        page.hold();
        page.hold();
        assertThat(page.release()).isFalse();
        assertThat(page.rootCount()).isEqualTo(1);
        assertThat(page.parentCount()).isEqualTo(5);
        assertThat(page.parent(4)).isEqualTo(0x1020);
        page.removeParent(0x1008);
        assertThat(List.of(page.parent(0), page.parent(1), page.parent(2), page.parent(3)))
                .containsExactlyInAnyOrder(0x1000L, 0x1010L, 0x1018L, 0x1020L);
        assertThatIllegalArgumentException().isThrownBy(() -> page.parent(4));
        assertThatIllegalArgumentException().isThrownBy(() -> page.parent(-1));
        assertThatExceptionOfType(AssertionError.class).isThrownBy(() -> page.removeParent(0x1008));
    }

    @Example
    void anEntryDoesNotReferToATableTwice() {
        MmuPage page = new MmuPages(frames).make(512, ROLE, 0x3000);
        page.addParent(0x1000);
        page.addParent(0x1008);
        page.removeParent(0x1008);
        assertThatExceptionOfType(AssertionError.class).isThrownBy(() -> page.removeParent(0x1008));
        assertThat(page.parentCount()).isOne();
    }

    /** KVM's {@code max_mmu_page_hash_collisions}: a search among many tables passes over few. */
    @Example
    void aSearchPassesOverFewTables() {
        MmuPages pages = new MmuPages(frames);
        for (int i = 0; i < 3000; i++) {
            pages.make(512L * i, ROLE, frames.allocate(PageSize.SIZE_4K));
        }
        for (int i = 0; i < 3000; i++) {
            assertThat(pages.find(512L * i, ROLE)).isNotNull();
        }
        assertThat(pages.mostCollisions()).isBetween(1, 9);
    }

    @Example
    void aRoleSaysWhatIsBelowIt() {
        MmuRole root = new MmuRole(4, 3, true, true, true, false);
        assertThat(root.child()).isEqualTo(new MmuRole(3, 3, true, true, true, false));
        assertThat(root.addressSpace()).isEqualTo(1);
        assertThat(ROLE.addressSpace()).isZero();
        assertThatIllegalArgumentException().isThrownBy(ROLE::child);
        assertThatIllegalArgumentException().isThrownBy(() -> new MmuRole(6, 0, false, false, false, false));
        assertThatIllegalArgumentException().isThrownBy(() -> new MmuRole(1, -1, false, false, false, false));
        assertThatIllegalArgumentException().isThrownBy(() -> new MmuRole(1, 0x10000, false, false, false, false));
        assertThat(new MmuRole(5, 0xffff, false, false, false, false).view()).isEqualTo(0xffff);
    }
}
