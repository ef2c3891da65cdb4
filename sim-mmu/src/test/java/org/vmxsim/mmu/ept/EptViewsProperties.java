package org.vmxsim.mmu.ept;

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
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.mmu.host.FrameAllocator;
import org.vmxsim.mmu.host.HostMemory;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.memslot.Memslots;
import org.vmxsim.mmu.page.KernelMemory;
import org.vmxsim.mmu.spp.HardwareWalk;
import org.vmxsim.mmu.spp.SppRig;
import org.vmxsim.mmu.spp.fixed.FixedSubPages;
import org.vmxsim.mmu.upkeep.DirtyLogging;
import org.vmxsim.vmx.ept.EptOutcome;
import org.vmxsim.vmx.ept.EptViolation;

/**
 * Several EPT roots of one virtual machine under random changes: overlays of views, sub-page bitmaps, logs of writes,
 * removals, resets. The model says for each page and view what may be done; the hardware walk must never allow more,
 * and after the faults that it takes, no less.
 */
class EptViewsProperties {
    private static final long SIZE_BYTES = 4 << 20;
    private static final int VIEWS = 3;
    private static final int[] PAGES = {0, 5, 6, 511, 512, 1023};

    enum Kind {
        ACCESS,
        OVERLAY,
        PROTECT,
        LOG,
        WRITE_PROTECT,
        ZAP,
        ZAP_VIEW,
        ZAP_ALL,
        RESET,
        COLLAPSE,
        TRACK,
        SUBSTITUTE
    }

    record Step(Kind kind, int view, int page, int access, int number) {}

    /** Three views without processors, and what must hold. */
    private static final class World {
        final PhysicalMemory memory = PhysicalMemory.sparse(64 << 20);
        final KernelMemory kernel = new KernelMemory(memory);
        final FrameAllocator frames = new FrameAllocator(memory);
        final HostMemory host = new HostMemory(memory, frames);
        final Memslots slots = new Memslots();
        final EptMmu mmu;
        final FixedSubPages spp;
        final DirtyLogging logging;
        final HardwareWalk walk;
        final Map<Integer, Integer> overlay = new HashMap<>();
        final Map<Integer, Integer> bitmaps = new HashMap<>();
        /** Which page's memory a page of a view has, where it is another's. */
        final Map<Integer, Integer> backings = new HashMap<>();

        final Set<Integer> written = new HashSet<>();
        boolean logged;

        World(PageSize backing, boolean accessedDirty) {
            frames.add(0, 64 << 20);
            slots.make(slots.check(0, 0, 0, SIZE_BYTES, host.map(SIZE_BYTES, backing)));
            mmu = new EptMmu(kernel, frames, host, slots, PageSize.SIZE_1G);
            spp = new FixedSubPages(new SppRig().environment(kernel, frames, slots, mmu, true));
            mmu.subPageRules(spp);
            mmu.roots().accessedDirty(accessedDirty);
            mmu.prefetch(true);
            mmu.accessRules(new AccessRules() {
                @Override
                public int permissions(int view, Memslot slot, long gfn) {
                    boolean substituted = backing(view, slot, gfn) != gfn;
                    boolean open =
                            World.this.isOpen((int) gfn) && World.this.isOpen(World.this.backing(view, (int) gfn));
                    int sub = substituted && !open ? ALL & ~2 : ALL;
                    return overlay.getOrDefault(1024 * view + (int) gfn, ALL) & sub;
                }

                @Override
                public long backing(int view, Memslot slot, long gfn) {
                    return World.this.backing(view, (int) gfn);
                }

                @Override
                public int largestLevel(int view, Memslot slot, long gfn) {
                    return view == 0 ? 3 : 1;
                }
            });
            spp.enable();
            logging = new DirtyLogging(mmu, false);
            walk = new HardwareWalk(memory, spp.spptp(0));
            for (int view = 0; view < VIEWS; view++) {
                mmu.roots().mode(view, view, 0, false);
            }
        }

        Memslot slot() {
            return slots.byId(0);
        }

        /** What the hardware makes of an access to the first byte of a page, in the root of a view. */
        EptOutcome hardware(int view, int page, int kind) {
            long eptp = mmu.roots().eptp(mmu.vcpu(view).root().tableHpa());
            return walk.access(eptp, page * 4096L, 1, kind);
        }

        int backing(int view, int page) {
            return backings.getOrDefault(1024 * view + page, page);
        }

        boolean isOpen(int page) {
            return bitmaps.getOrDefault(page, -1) == -1;
        }

        /** The hardware writes a page with another's memory only where neither has a bitmap. */
        boolean allowed(int view, int page, int rights) {
            boolean substituted = backing(view, page) != page;
            boolean closed = substituted && !(isOpen(page) && isOpen(backing(view, page)));
            return (rights & ~overlay.getOrDefault(1024 * view + page, 7)) == 0 && !(closed && (rights & 2) != 0);
        }

        boolean mayWrite(int page) {
            return (bitmaps.getOrDefault(page, -1) & 1) != 0;
        }

        void run(Step step) {
            switch (step.kind) {
                case ACCESS -> access(step);
                case OVERLAY -> {
                    // View 0 is without overlay, so that large pages are possible in it.
                    overlay.put(1024 * (1 + step.view % 2) + step.page, new int[] {0, 1, 3, 5, 7}[step.number % 5]);
                    mmu.zap(slot(), step.page, step.page);
                }
                case PROTECT -> {
                    int bitmap = step.number % 3 == 0 ? -1 : step.number;
                    bitmaps.put(step.page, bitmap);
                    mmu.dropSubstitutes(step.page, step.page);
                    spp.set(step.page, new int[] {bitmap});
                }
                case SUBSTITUTE -> {
                    // As for overlays: view 0 keeps its large pages.
                    backings.put(1024 * (1 + step.view % 2) + step.page, PAGES[step.number % PAGES.length]);
                    mmu.zap(slot(), step.page, step.page);
                }
                case LOG -> log(!logged);
                case WRITE_PROTECT -> mmu.writeProtect(slot(), step.page);
                case ZAP -> mmu.zap(slot(), step.page, step.page);
                case ZAP_VIEW -> mmu.roots().zapView(step.view);
                case ZAP_ALL -> mmu.zapAllFast();
                case RESET -> mmu.roots().unload(step.view);
                case COLLAPSE -> mmu.updates().collapse(slot(), step.page, step.page);
                case TRACK ->
                    mmu.updates()
                            .change(
                                    slot(),
                                    step.page,
                                    1,
                                    spte -> Spte.isAccessTracked(spte)
                                            ? spte
                                            : Spte.accessTracked(mmu.updates().writeProtected(spte, 1)));
            }
        }

        void log(boolean on) {
            logged = on;
            written.clear();
            slots.make(slots.check(0, on ? 1 : 0, 0, SIZE_BYTES, slot().hva()));
            if (on) {
                logging.begin(slot(), false);
            } else {
                logging.end(slot());
            }
        }

        void access(Step step) {
            int rights = 1 << step.access;
            int kind = new int[] {AccessContext.READ, AccessContext.WRITE, AccessContext.FETCH}[step.access];
            boolean write = rights == EptViolation.WRITE;
            mmu.roots().load(step.view);
            for (int exits = 0; exits < 6; exits++) {
                EptOutcome outcome = hardware(step.view, step.page, kind);
                if (outcome == EptOutcome.TRANSLATED) {
                    assertThat(allowed(step.view, step.page, rights)).isTrue();
                    written.addAll(write ? Set.of(backing(step.view, step.page)) : Set.of());
                    return;
                }
                if (outcome == EptOutcome.SPP_MISS) {
                    spp.miss(0, step.page * 4096L);
                    continue;
                }
                assertThat(outcome).isEqualTo(EptOutcome.VIOLATION);
                switch (mmu.fault(step.view, slot(), step.page * 4096L, rights)) {
                    case MAPPED, WRITE_ALLOWED, SPURIOUS ->
                        written.addAll(write ? Set.of(backing(step.view, step.page)) : Set.of());
                    case RESTRICTED -> {
                        assertThat(allowed(step.view, step.page, rights)).isFalse();
                        return;
                    }
                    case SUB_PAGE -> {
                        assertThat(write && !mayWrite(step.page)).isTrue();
                        return;
                    }
                    case UNJUDGED -> {
                        // A byte that the emulator would find allowed.
                        assertThat(write && mayWrite(step.page)).isTrue();
                        mmu.landing(step.view, slot(), step.page * 4096L, rights);
                        written.add(step.page);
                    }
                    case READ_ONLY, UNMAPPED, NO_MEMORY -> throw new AssertionError(step);
                }
            }
            throw new AssertionError("no end of exits for " + step);
        }

        /** Whatever the tables say right now, the hardware does nothing that the model denies. */
        void check() {
            for (int view = 0; view < VIEWS; view++) {
                if (mmu.roots().needsLoad(view)) {
                    continue;
                }
                for (int page : PAGES) {
                    check(view, page);
                }
            }
            long leaves = mmu.mappedPages(PageSize.SIZE_4K) + mmu.mappedPages(PageSize.SIZE_2M);
            assertThat(leaves).isLessThanOrEqualTo(VIEWS * 1024);
            if (logged) {
                for (int page : PAGES) {
                    assertThat(slot().dirty().isSet(page) && !written.contains(page))
                            .as("dirty without a write, page %s", page)
                            .isFalse();
                }
            }
        }

        private void check(int view, int page) {
            mmu.lookup(mmu.vcpu(view).root().tableHpa(), page * 4096L, new EptCursor());
            if (hardware(view, page, AccessContext.READ) == EptOutcome.TRANSLATED) {
                assertThat(allowed(view, page, 1)).isTrue();
                assertThat(walk.hpa()).isEqualTo(host.resolve(slot().hva() + backing(view, page) * 4096L));
            }
            if (hardware(view, page, AccessContext.FETCH) == EptOutcome.TRANSLATED) {
                assertThat(allowed(view, page, 4)).isTrue();
            }
            if (hardware(view, page, AccessContext.WRITE) == EptOutcome.TRANSLATED) {
                assertThat(allowed(view, page, 2))
                        .as("view %s page %s", view, page)
                        .isTrue();
                assertThat(mayWrite(page)).isTrue();
                assertThat(!logged || slot().dirty().isSet(backing(view, page)))
                        .as("page %s is written without a note", page)
                        .isTrue();
            }
        }
    }

    @Provide
    Arbitrary<List<Step>> steps() {
        Arbitrary<Kind> kinds = Arbitraries.of(Kind.values());
        return Combinators.combine(
                        Arbitraries.oneOf(Arbitraries.just(Kind.ACCESS), kinds),
                        Arbitraries.integers().between(0, VIEWS - 1),
                        Arbitraries.of(0, 5, 6, 511, 512, 1023),
                        Arbitraries.integers().between(0, 2),
                        Arbitraries.integers().between(0, 1000))
                .as(Step::new)
                .list()
                .ofMinSize(5)
                .ofMaxSize(60);
    }

    @Property(tries = 150)
    void hardwareDoesInEachViewWhatTheModelSays(
            @ForAll("steps") List<Step> steps, @ForAll boolean large, @ForAll boolean accessedDirty) {
        World world = new World(large ? PageSize.SIZE_2M : PageSize.SIZE_4K, accessedDirty);
        for (Step step : steps) {
            world.run(step);
            world.check();
        }
    }
}
