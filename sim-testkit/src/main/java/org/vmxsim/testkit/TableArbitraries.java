package org.vmxsim.testkit;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;
import org.vmxsim.testkit.table.EptPath;
import org.vmxsim.testkit.table.SpptPath;
import org.vmxsim.testkit.table.TableContents;

/**
 * Contents of EPT and SPPT: pages of all sizes, all permissions, bit 61, and entries that are wrong in every way the
 * manual names. They shrink towards one page that is mapped by well-formed entries with all permissions.
 */
public final class TableArbitraries {
    /** The addresses that paths lead to: neighbours in a table, in different tables, and at the ends. */
    private static final Long[] GPAS = {
        0x0L, 0x1000L, 0x1f_f000L, 0x20_0000L, 0x4000_0000L, 0x80_0000_0000L, 0x1234_5678_9000L, 0x7fff_ffff_f000L
    };
    /** What may be wrong with an entry: reserved bits, memory types, beyond the address width, ignored bits. */
    private static final int[] EPT_BITS = {3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 20, 29, 46, 51, 52, 60, 61, 62, 63};
    /** What may be wrong with an SPPT entry: not valid, reserved bits, beyond the address width. */
    private static final int[] SPPT_BITS = {0, 1, 2, 7, 11, 46, 51, 52, 61, 63};

    private static final int LEVELS = 4;

    private TableArbitraries() {}

    /**
     * Page addresses that the paths lead to.
     *
     * @return an arbitrary of guest-physical addresses
     */
    public static Arbitrary<Long> gpas() {
        return Arbitraries.of(GPAS);
    }

    /**
     * Paths of the EPT.
     *
     * @return an arbitrary of paths
     */
    public static Arbitrary<EptPath> eptPaths() {
        Arbitrary<Long> frames = Arbitraries.of(0x1_0000_0000L, 0x2_4000_0000L, 0x3_ffff_f000L);
        Arbitrary<Integer> levels = Arbitraries.frequency(Tuple.of(4, 1), Tuple.of(1, 2), Tuple.of(1, 3));
        Arbitrary<List<Long>> permissions = Arbitraries.frequency(
                        Tuple.of(12, 7L),
                        Tuple.of(3, 5L),
                        Tuple.of(1, 3L),
                        Tuple.of(2, 1L),
                        Tuple.of(1, 4L),
                        Tuple.of(1, 2L),
                        Tuple.of(1, 6L),
                        Tuple.of(1, 0L))
                .list()
                .ofSize(LEVELS);
        return Combinators.combine(gpas(), frames, levels, permissions, Arbitraries.of(false, true), flips(EPT_BITS))
                .as(TableArbitraries::eptPath);
    }

    private static EptPath eptPath(
            long gpa, long frame, int leafLevel, List<Long> permissions, boolean armed, Set<Flip> flips) {
        List<Long> entries = new ArrayList<>();
        for (int level = LEVELS; level >= leafLevel; level--) {
            long entry = permissions.get(LEVELS - level);
            if (level == leafLevel) {
                entry |= EptPath.WRITE_BACK | (level > 1 ? EptPath.LARGE : 0);
                // Without write permission, else bit 61 decides nothing.
                entry = armed ? entry & ~2 | EptPath.SUB_PAGE : entry;
            }
            entries.add(flipped(entry, level, flips));
        }
        long size = 1L << 3 + 9 * leafLevel;
        return new EptPath(gpa, frame / size * size, entries);
    }

    /**
     * Paths of the SPPT.
     *
     * @return an arbitrary of paths
     */
    public static Arbitrary<SpptPath> spptPaths() {
        return Combinators.combine(gpas(), SubPageArbitraries.vectors(), flips(SPPT_BITS))
                .as((gpa, vector, flips) -> {
                    List<Long> entries = new ArrayList<>();
                    for (int level = LEVELS; level > 1; level--) {
                        entries.add(flipped(1, level, flips));
                    }
                    return new SpptPath(gpa, entries, vector);
                });
    }

    /**
     * Whole tables, with the controls. The SPPT has entries for pages that the EPT maps, but not for all of them.
     *
     * @return an arbitrary of contents
     */
    public static Arbitrary<TableContents> contents() {
        return Combinators.combine(
                        eptPaths().list().ofMinSize(1).ofMaxSize(5),
                        spptPaths().list().ofMaxSize(4),
                        Arbitraries.frequency(Tuple.of(5, true), Tuple.of(1, false)),
                        Arbitraries.of(true, false))
                .as((ept, sppt, subPageWrite, executeOnly) ->
                        new TableContents(ept, sameAddresses(ept, sppt), subPageWrite, executeOnly))
                .withoutEdgeCases();
    }

    private static List<SpptPath> sameAddresses(List<EptPath> ept, List<SpptPath> sppt) {
        List<SpptPath> moved = new ArrayList<>();
        for (SpptPath path : sppt) {
            long gpa = ept.get(moved.size() % ept.size()).gpa();
            moved.add(new SpptPath(gpa, path.entries(), path.vector()));
        }
        return moved;
    }

    /** One bit of one entry that is not as it should be. */
    private record Flip(int level, int bit) {}

    /** Mostly none, else one or two. */
    private static Arbitrary<Set<Flip>> flips(int... bits) {
        Arbitrary<Integer> numbers =
                Arbitraries.integers().between(0, bits.length - 1).map(index -> bits[index]);
        Arbitrary<Flip> flip = Combinators.combine(Arbitraries.integers().between(1, LEVELS), numbers)
                .as(Flip::new);
        return Arbitraries.frequencyOf(
                Tuple.of(2, Arbitraries.just(Set.of())),
                Tuple.of(1, flip.set().ofMinSize(1).ofMaxSize(2)));
    }

    private static long flipped(long entry, int level, Set<Flip> flips) {
        long result = entry;
        for (Flip flip : flips) {
            result ^= flip.level() == level ? 1L << flip.bit() : 0;
        }
        return result;
    }
}
