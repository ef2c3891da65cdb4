package org.vmxsim.testkit;

import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;
import org.vmxsim.testkit.value.SubPageBitmap;
import org.vmxsim.testkit.value.SubPageVector;

/** Bitmaps and vectors. They shrink towards a page that is not protected: one sub-page after the other is freed. */
public final class SubPageArbitraries {
    private static final int LAST_SUB_PAGE = 31;

    private SubPageArbitraries() {}

    /**
     * Bitmaps: the edges (full, none, halves, first, last, alternating), few protected sub-pages, and any.
     *
     * @return an arbitrary of bitmaps
     */
    public static Arbitrary<SubPageBitmap> bitmaps() {
        Arbitrary<Integer> edges = Arbitraries.of(
                0, -1, 1 << LAST_SUB_PAGE, 1, 0xffff_0000, 0x0000_ffff, 0x5555_5555, 0xaaaa_aaaa, 0x7fff_fffe);
        Arbitrary<Integer> few = Arbitraries.integers()
                .between(0, LAST_SUB_PAGE)
                .set()
                .ofMaxSize(4)
                .map(SubPageArbitraries::mask);
        return Arbitraries.frequencyOf(Tuple.of(3, few), Tuple.of(3, edges), Tuple.of(1, Arbitraries.integers()))
                .map(forbidden -> new SubPageBitmap(~forbidden));
    }

    /**
     * Bitmaps of protected pages.
     *
     * @return an arbitrary of bitmaps without {@link SubPageBitmap#FULL}
     */
    public static Arbitrary<SubPageBitmap> protectedBitmaps() {
        return bitmaps().filter(SubPageBitmap::isProtected);
    }

    /**
     * Vectors without reserved bits.
     *
     * @return an arbitrary of vectors
     */
    public static Arbitrary<SubPageVector> legalVectors() {
        return bitmaps().map(SubPageVector::of);
    }

    /**
     * Vectors, one in four with one or a few reserved bits.
     *
     * @return an arbitrary of vectors
     */
    public static Arbitrary<SubPageVector> vectors() {
        Arbitrary<Integer> reserved = Arbitraries.integers()
                .between(0, LAST_SUB_PAGE)
                .set()
                .ofMinSize(1)
                .ofMaxSize(3)
                .map(SubPageArbitraries::mask);
        return Arbitraries.frequencyOf(Tuple.of(3, legalVectors()), Tuple.of(1, withReserved(reserved)));
    }

    private static Arbitrary<SubPageVector> withReserved(Arbitrary<Integer> reserved) {
        return Combinators.combine(
                        legalVectors(), reserved.map(SubPageBitmap::new).map(SubPageVector::of))
                .as((legal, odd) -> new SubPageVector(legal.bits() | odd.bits() << 1));
    }

    private static int mask(Set<Integer> bits) {
        int mask = 0;
        for (int bit : bits) {
            mask |= 1 << bit;
        }
        return mask;
    }
}
