package org.vmxsim.testkit;

import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;
import org.vmxsim.testkit.value.GuestAccess;
import org.vmxsim.testkit.value.GuestAccess.Kind;

/**
 * Accesses to a range of guest-physical memory, biased towards the ends of sub-pages and pages. They shrink towards one
 * byte at the beginning of the range.
 */
public final class AccessArbitraries {
    private static final int SUB_PAGE_BYTES = 128;
    private static final int PAGE_SUB_PAGES = 32;
    private static final int MAX_SIZE_BYTES = 64;
    private static final int MAX_COUNT = 80;

    private AccessArbitraries() {}

    /**
     * Accesses of every kind, size and alignment.
     *
     * @param firstGpa first byte of the range
     * @param sizeBytes size of the range, at least 64
     * @return an arbitrary of accesses that lie in the range
     */
    public static Arbitrary<GuestAccess> accesses(long firstGpa, int sizeBytes) {
        return Arbitraries.frequencyOf(
                        Tuple.of(4, plain(Kind.WRITE, firstGpa, sizeBytes)),
                        Tuple.of(1, plain(Kind.READ, firstGpa, sizeBytes)),
                        Tuple.of(1, plain(Kind.FETCH, firstGpa, sizeBytes)),
                        Tuple.of(2, atomics(firstGpa, sizeBytes)),
                        Tuple.of(2, strings(Kind.STRING_WRITE, firstGpa, sizeBytes)),
                        Tuple.of(1, strings(Kind.STRING_READ, firstGpa, sizeBytes)))
                .withoutEdgeCases();
    }

    /**
     * Accesses that write: plain, atomic and string writes.
     *
     * @param firstGpa first byte of the range
     * @param sizeBytes size of the range, at least 64
     * @return an arbitrary of accesses that lie in the range
     */
    public static Arbitrary<GuestAccess> writes(long firstGpa, int sizeBytes) {
        return Arbitraries.frequencyOf(
                        Tuple.of(3, plain(Kind.WRITE, firstGpa, sizeBytes)),
                        Tuple.of(1, atomics(firstGpa, sizeBytes)),
                        Tuple.of(1, strings(Kind.STRING_WRITE, firstGpa, sizeBytes)))
                .withoutEdgeCases();
    }

    /**
     * Accesses of one element of 1 to 64 bytes, powers of two above all.
     *
     * @param kind what they do; no string
     * @param firstGpa first byte of the range
     * @param sizeBytes size of the range, at least 64
     * @return an arbitrary of accesses that lie in the range
     */
    public static Arbitrary<GuestAccess> plain(Kind kind, long firstGpa, int sizeBytes) {
        Arbitrary<Integer> sizes = Arbitraries.frequencyOf(
                Tuple.of(3, Arbitraries.of(1, 2, 4, 8, 16, 32, MAX_SIZE_BYTES)),
                Tuple.of(1, Arbitraries.integers().between(1, MAX_SIZE_BYTES)));
        return plain(kind, firstGpa, sizeBytes, sizes);
    }

    /**
     * Accesses of one element of given sizes.
     *
     * @param kind what they do; no string
     * @param firstGpa first byte of the range
     * @param sizeBytes size of the range, at least 64
     * @param sizes the sizes to choose from, in bytes
     * @return an arbitrary of accesses that lie in the range
     */
    public static Arbitrary<GuestAccess> plain(Kind kind, long firstGpa, int sizeBytes, Integer... sizes) {
        return plain(kind, firstGpa, sizeBytes, Arbitraries.of(sizes));
    }

    private static Arbitrary<GuestAccess> plain(Kind kind, long firstGpa, int sizeBytes, Arbitrary<Integer> sizes) {
        return Combinators.combine(offsets(sizeBytes), sizes)
                .as((offset, size) -> new GuestAccess(kind, firstGpa + fit(offset, size, sizeBytes), size, 1));
    }

    /**
     * Locked updates of 1 to 16 bytes.
     *
     * @param firstGpa first byte of the range
     * @param sizeBytes size of the range, at least 64
     * @return an arbitrary of accesses that lie in the range
     */
    public static Arbitrary<GuestAccess> atomics(long firstGpa, int sizeBytes) {
        return plain(Kind.ATOMIC, firstGpa, sizeBytes, 1, 2, 4, 8, 16);
    }

    /**
     * Repeated string instructions of 1, 2, 4 or 8 bytes an element.
     *
     * @param kind what they do; a string
     * @param firstGpa first byte of the range
     * @param sizeBytes size of the range, at least 64
     * @return an arbitrary of accesses that lie in the range
     */
    public static Arbitrary<GuestAccess> strings(Kind kind, long firstGpa, int sizeBytes) {
        return strings(kind, firstGpa, sizeBytes, 1, 2, 4, 8);
    }

    /**
     * Repeated string instructions of given element sizes.
     *
     * @param kind what they do; a string
     * @param firstGpa first byte of the range
     * @param sizeBytes size of the range, at least 64
     * @param sizes the element sizes to choose from, in bytes
     * @return an arbitrary of accesses that lie in the range
     */
    public static Arbitrary<GuestAccess> strings(Kind kind, long firstGpa, int sizeBytes, Integer... sizes) {
        return Combinators.combine(
                        offsets(sizeBytes),
                        Arbitraries.of(sizes),
                        Arbitraries.integers().between(1, MAX_COUNT))
                .as((offset, size, count) -> {
                    int fitting = Math.min(count, sizeBytes / size);
                    return new GuestAccess(kind, firstGpa + fit(offset, size * fitting, sizeBytes), size, fitting);
                });
    }

    private static int fit(int offset, int totalBytes, int rangeBytes) {
        return Math.min(offset, rangeBytes - totalBytes);
    }

    /** Half of them within 64 bytes below the end of a sub-page or page. */
    private static Arbitrary<Integer> offsets(int sizeBytes) {
        int subPages = sizeBytes / SUB_PAGE_BYTES;
        int pages = subPages / PAGE_SUB_PAGES;
        Arbitrary<Integer> below = Arbitraries.integers().between(0, MAX_SIZE_BYTES);
        return Arbitraries.oneOf(
                Arbitraries.integers().between(0, sizeBytes - 1),
                Combinators.combine(Arbitraries.integers().between(0, subPages), below)
                        .as((end, delta) -> Math.max(0, end * SUB_PAGE_BYTES - delta)),
                Combinators.combine(Arbitraries.integers().between(0, pages), below)
                        .as((end, delta) -> Math.max(0, end * PAGE_SUB_PAGES * SUB_PAGE_BYTES - delta)));
    }
}
