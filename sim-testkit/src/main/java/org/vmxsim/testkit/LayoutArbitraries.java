package org.vmxsim.testkit;

import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;
import org.vmxsim.testkit.value.MemoryLayout;
import org.vmxsim.testkit.value.MemoryLayout.Slot;

/** Layouts of memslots: with and without holes, across 2-MiB regions. They shrink towards one memslot of one page. */
public final class LayoutArbitraries {
    private static final int MAX_SLOTS = 4;

    private LayoutArbitraries() {}

    private record Shape(int gapPages, int npages, boolean readOnly) {}

    /**
     * Layouts of one to four memslots.
     *
     * @param firstGfn where the first may begin
     * @return an arbitrary of layouts
     */
    public static Arbitrary<MemoryLayout> layouts(long firstGfn) {
        Arbitrary<Integer> gaps =
                Arbitraries.frequencyOf(Tuple.of(2, Arbitraries.just(0)), Tuple.of(1, Arbitraries.of(1, 3, 511, 512)));
        Arbitrary<Integer> sizes = Arbitraries.frequencyOf(
                Tuple.of(3, Arbitraries.integers().between(1, 8)), Tuple.of(1, Arbitraries.of(511, 512, 513)));
        Arbitrary<Boolean> readOnly = Arbitraries.frequency(Tuple.of(5, false), Tuple.of(1, true));
        return Combinators.combine(gaps, sizes, readOnly)
                .as(Shape::new)
                .list()
                .ofMinSize(1)
                .ofMaxSize(MAX_SLOTS)
                .map(shapes -> layout(firstGfn, shapes));
    }

    private static MemoryLayout layout(long firstGfn, List<Shape> shapes) {
        List<Slot> slots = new ArrayList<>();
        long gfn = firstGfn;
        for (Shape shape : shapes) {
            gfn += shape.gapPages();
            slots.add(new Slot(slots.size(), gfn, shape.npages(), shape.readOnly()));
            gfn += shape.npages();
        }
        return new MemoryLayout(slots);
    }
}
