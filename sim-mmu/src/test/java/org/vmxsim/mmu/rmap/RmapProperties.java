package org.vmxsim.mmu.rmap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** The reverse map against a sorted map of lists. */
class RmapProperties {
    /** Not aligned to anything, and in a third 1-GiB range. */
    private static final long BASE = 0x8_01ffL;

    private static final long PAGES = 0x4_0403L;

    record Step(boolean add, int level, int place, int entry) {}

    record Key(int level, long gfn) implements Comparable<Key> {
        @Override
        public int compareTo(Key other) {
            return level != other.level ? Integer.compare(level, other.level) : Long.compare(gfn, other.gfn);
        }
    }

    record Visit(long gfn, int level, long spteHpa) {}

    private static final long[] PLACES = {0, 1, 2, 511, 512, 513, 0x1ffff, 0x20000, 0x4_0401L, 0x4_0402L};

    @Provide
    Arbitrary<List<Step>> steps() {
        return Combinators.combine(
                        Arbitraries.of(true, true, false),
                        Arbitraries.integers().between(1, 3),
                        Arbitraries.integers().between(0, PLACES.length - 1),
                        Arbitraries.integers().between(0, 9))
                .as(Step::new)
                .list()
                .ofMinSize(20)
                .ofMaxSize(150);
    }

    private static long firstGfn(Step step) {
        return BASE + PLACES[step.place] & -1L << 9 * (step.level - 1);
    }

    @Property(tries = 150)
    void holdsWhatWasAddedAndNotRemoved(@ForAll("steps") List<Step> steps) {
        Rmap rmap = new Rmap(BASE, PAGES);
        TreeMap<Key, List<Long>> model = new TreeMap<>();
        for (Step step : steps) {
            long gfn = firstGfn(step);
            List<Long> entries = model.computeIfAbsent(new Key(step.level, gfn), key -> new ArrayList<>());
            long spteHpa = 0x1000L * (step.place + 1) + 8 * step.entry;
            if (step.add && !entries.contains(spteHpa)) {
                rmap.add(gfn, step.level, spteHpa);
                entries.add(spteHpa);
            } else if (!step.add && !entries.isEmpty()) {
                Long removed = entries.remove(step.entry % entries.size());
                rmap.remove(gfn, step.level, removed);
            }
            check(rmap, BASE + PLACES[step.place], step.level, entries);
        }
        for (int level = 1; level <= 3; level++) {
            int wanted = level;
            assertThat(rmap.count(level))
                    .isEqualTo(model.entrySet().stream()
                            .filter(e -> e.getKey().level == wanted)
                            .mapToLong(e -> e.getValue().size())
                            .sum());
        }
        assertThat(visits(rmap, BASE, BASE + PAGES - 1)).isEqualTo(expected(model, BASE, BASE + PAGES - 1));
        assertThat(visits(rmap, BASE + 1, BASE + 512)).isEqualTo(expected(model, BASE + 1, BASE + 512));
        List<Visit> all = new ArrayList<>();
        rmap.forEach((gfn, level, spteHpa) -> all.add(new Visit(gfn, level, spteHpa)));
        assertThat(all).isEqualTo(expected(model, BASE, BASE + PAGES - 1));
        rmap.forEach(rmap::remove);
        assertThat(rmap.count(1) + rmap.count(2) + rmap.count(3)).isZero();
        assertThat(visits(rmap, BASE, BASE + PAGES - 1)).isEmpty();
    }

    private static void check(Rmap rmap, long gfn, int level, List<Long> entries) {
        assertThat(rmap.size(gfn, level)).isEqualTo(entries.size());
        assertThat(rmap.get(gfn, level)).isEqualTo(entries.isEmpty() ? Rmap.NONE : entries.get(entries.size() - 1));
        for (int i = 0; i < entries.size(); i++) {
            assertThat(rmap.get(gfn, level, i)).isEqualTo(entries.get(i));
        }
    }

    private static List<Visit> visits(Rmap rmap, long first, long last) {
        List<Visit> visits = new ArrayList<>();
        rmap.forEach(first, last, (gfn, level, spteHpa) -> visits.add(new Visit(gfn, level, spteHpa)));
        return visits;
    }

    private static List<Visit> expected(Map<Key, List<Long>> model, long first, long last) {
        List<Visit> expected = new ArrayList<>();
        model.forEach((key, entries) -> {
            long pages = 1L << 9 * (key.level - 1);
            for (int i = entries.size() - 1; i >= 0 && key.gfn <= last && key.gfn + pages > first; i--) {
                expected.add(new Visit(key.gfn, key.level, entries.get(i)));
            }
        });
        return expected;
    }

    @Example
    void whatIsNotThereCannotBeRemovedOrAsked() {
        Rmap rmap = new Rmap(0, 1);
        assertThatExceptionOfType(AssertionError.class).isThrownBy(() -> rmap.remove(0, 1, Rmap.NONE));
        rmap.add(0, 1, 0x1000);
        assertThatExceptionOfType(AssertionError.class)
                .isThrownBy(() -> rmap.remove(0, 1, 0x1008))
                .withMessage("no entry at 0x1008 maps gfn 0x0 at level 1");
        assertThatIllegalArgumentException().isThrownBy(() -> rmap.get(0, 1, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> rmap.get(0, 1, -1));
        rmap.add(0, 1, 0x1008);
        assertThatExceptionOfType(AssertionError.class).isThrownBy(() -> rmap.remove(0, 1, 0x1010));
        assertThatExceptionOfType(AssertionError.class).isThrownBy(() -> rmap.add(0, 1, 0x1008));
    }

    @Example
    void addingTheOnlyEntryAgainIsSeen() {
        Rmap rmap = new Rmap(5, 1);
        rmap.add(5, 1, 0x2000);
        assertThatExceptionOfType(AssertionError.class).isThrownBy(() -> rmap.add(5, 1, 0x2000));
    }

    @Example
    void aVisitorMaySplitWhatItIsToldOf() {
        Rmap rmap = new Rmap(0, 1024);
        rmap.add(0, 2, 0x1000);
        rmap.add(512, 2, 0x1008);
        rmap.forEach(0, 600, (gfn, level, spteHpa) -> {
            assertThat(level).isEqualTo(2);
            rmap.remove(gfn, level, spteHpa);
            rmap.add(gfn, 1, 0x8000 + 8 * gfn);
        });
        assertThat(rmap.count(1)).isEqualTo(2);
        assertThat(rmap.get(512, 1)).isEqualTo(0x9000);
    }

    @Example
    void theLastFrameOfAMemslotIsVisitedAndNothingBehindIt() {
        Rmap rmap = new Rmap(0, 512);
        rmap.add(511, 1, 0x1000);
        List<Visit> all = new ArrayList<>();
        rmap.forEach((gfn, level, spteHpa) -> all.add(new Visit(gfn, level, spteHpa)));
        assertThat(all).containsExactly(new Visit(511, 1, 0x1000));
    }
}
