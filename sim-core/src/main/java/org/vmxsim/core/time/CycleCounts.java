package org.vmxsim.core.time;

import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.vmxsim.core.cache.AccessCounts;
import org.vmxsim.core.cache.CacheHierarchy;
import org.vmxsim.core.tlb.TranslationStructures;

/**
 * All counters of a {@link CycleModel} at one moment. The counts of a phase are {@code after.minus(before)}.
 *
 * @param instructions retired instructions
 * @param cycles core cycles
 * @param loads data loads
 * @param stores data stores
 * @param byCause cycles by cause; they add up to {@code cycles}
 * @param structures hits and misses by name of structure: caches, TLBs, paging-structure caches
 * @param walkLengths entry n: page walks that made n references (the last entry: that many or more)
 * @param exits entry n: VM exits with basic reason n
 * @param exitCycles entry n: cycles of exit, hypervisor and entry on behalf of exits with basic reason n; the last
 *     entry stands for what came before the first exit
 * @param dramReads lines read from memory, by all sharers of the last level of cache
 * @param dramWrites lines written to memory, by all sharers
 */
public record CycleCounts(
        long instructions,
        long cycles,
        long loads,
        long stores,
        Map<CycleCause, Long> byCause,
        Map<String, AccessCounts> structures,
        List<Long> walkLengths,
        List<Long> exits,
        List<Long> exitCycles,
        long dramReads,
        long dramWrites) {

    static CycleCounts of(CycleModel model, long[] totals, long[][] tables) {
        Map<CycleCause, Long> byCause = new EnumMap<>(CycleCause.class);
        for (CycleCause cause : CycleCause.values()) {
            byCause.put(cause, tables[0][cause.ordinal()]);
        }
        return new CycleCounts(
                totals[0],
                model.cycles(),
                totals[1],
                totals[2],
                Collections.unmodifiableMap(byCause),
                Collections.unmodifiableMap(structuresOf(model)),
                Arrays.stream(tables[1]).boxed().toList(),
                Arrays.stream(tables[2]).boxed().toList(),
                Arrays.stream(tables[3]).boxed().toList(),
                model.caches().shared().dramReads(),
                model.caches().shared().dramWrites());
    }

    private static Map<String, AccessCounts> structuresOf(CycleModel model) {
        Map<String, AccessCounts> counts = new LinkedHashMap<>();
        CacheHierarchy caches = model.caches();
        counts.put("L1I", caches.l1i().counts());
        counts.put("L1D", caches.l1d().counts());
        counts.put("L2", caches.l2().counts());
        counts.put("L3", caches.shared().cache().counts());
        TranslationStructures tlbs = model.structures();
        counts.put("ITLB", tlbs.fetchTlb.counts());
        counts.put("DTLB", tlbs.loadTlb.counts());
        if (tlbs.storeTlb != tlbs.loadTlb) {
            counts.put("store DTLB", tlbs.storeTlb.counts());
        }
        counts.put("STLB", tlbs.secondTlb.counts());
        String[] levels = {"PDE", "PDPTE", "PML4E", "PML5E"};
        for (int level = 1; level <= levels.length; level++) {
            counts.put(levels[level - 1], tlbs.guestStructures.counts(level));
            counts.put("EPT " + levels[level - 1], tlbs.eptStructures.counts(level));
        }
        counts.put("nested TLB", tlbs.nestedTlb.counts());
        counts.put("SPP vectors", tlbs.subPageVectors.counts());
        return counts;
    }

    /**
     * The counts since an earlier moment.
     *
     * @param before the counts of the same model at that moment
     * @return the differences
     */
    public CycleCounts minus(CycleCounts before) {
        Map<CycleCause, Long> causes = new EnumMap<>(byCause);
        causes.replaceAll((cause, count) -> count - before.byCause.get(cause));
        Map<String, AccessCounts> accesses = new LinkedHashMap<>(structures);
        accesses.replaceAll((name, count) -> count.minus(before.structures.get(name)));
        return new CycleCounts(
                instructions - before.instructions,
                cycles - before.cycles,
                loads - before.loads,
                stores - before.stores,
                Collections.unmodifiableMap(causes),
                Collections.unmodifiableMap(accesses),
                minus(walkLengths, before.walkLengths),
                minus(exits, before.exits),
                minus(exitCycles, before.exitCycles),
                dramReads - before.dramReads,
                dramWrites - before.dramWrites);
    }

    private static List<Long> minus(List<Long> after, List<Long> before) {
        return java.util.stream.IntStream.range(0, after.size())
                .mapToObj(i -> after.get(i) - before.get(i))
                .toList();
    }

    /**
     * Cycles for each instruction.
     *
     * @return cycles divided by instructions; 0 if there were none
     */
    public double cyclesPerInstruction() {
        return instructions == 0 ? 0 : (double) cycles / instructions;
    }

    /**
     * Page walks in all.
     *
     * @return sum of the walk lengths' counts
     */
    public long walks() {
        return walkLengths.stream().mapToLong(Long::longValue).sum();
    }
}
