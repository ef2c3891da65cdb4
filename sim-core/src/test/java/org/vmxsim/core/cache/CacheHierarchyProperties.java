package org.vmxsim.core.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class CacheHierarchyProperties {
    private static final int LINES = 64;

    private static CacheGeometry geometry(int sets, int ways, Replacement replacement, int latency) {
        return new CacheGeometry(sets * ways * 64, ways, replacement, latency);
    }

    /** One level against a map in access order for each set. */
    @Property(tries = 100)
    void anLruCacheIsAMapInAccessOrder(@ForAll @Size(max = 200) List<@IntRange(min = 0, max = 63) Integer> lines) {
        int sets = 4;
        int ways = 3;
        Cache cache = new Cache(geometry(sets, ways, Replacement.LRU, 1));
        Map<Integer, LinkedHashMap<Integer, Boolean>> model = new LinkedHashMap<>();
        for (int line : lines) {
            LinkedHashMap<Integer, Boolean> set =
                    model.computeIfAbsent(line % sets, key -> new LinkedHashMap<>(16, 0.75f, true));
            boolean hit = set.get(line) != null;
            assertThat(cache.access(line, false)).isEqualTo(hit);
            if (!hit) {
                long expected = set.size() == ways ? set.keySet().iterator().next() : Cache.NONE;
                assertThat(cache.fill(line, false)).isEqualTo(expected);
                set.remove((int) expected);
                set.put(line, true);
            }
        }
    }

    /** Dirty lines are never lost, and an inclusive last level holds every line that the private levels hold. */
    @Property(tries = 200)
    void dirtyLinesReachMemory(
            @ForAll boolean inclusive,
            @ForAll boolean tree,
            @ForAll @Size(max = 300) List<@IntRange(min = 0, max = 6 * LINES - 1) Integer> accesses) {
        Replacement rule = tree ? Replacement.TREE_PLRU : Replacement.LRU;
        SharedCache shared = new SharedCache(geometry(2, 6, rule, 30), inclusive, 200);
        CacheHierarchy[] hierarchies = new CacheHierarchy[2];
        for (int i = 0; i < 2; i++) {
            hierarchies[i] = new CacheHierarchy(
                    geometry(1, 2, rule, 1), geometry(1, 2, rule, 4), geometry(2, 2, rule, 14), shared);
        }
        Set<Long> dirty = new HashSet<>();
        for (int access : accesses) {
            long line = access % LINES;
            int kind = access / LINES;
            // each processor has its own lines: what one writes the other does not touch
            long own = kind % 2 == 0 ? line : line + LINES;
            long written = shared.dramWrites();
            if (kind < 2) {
                hierarchies[kind % 2].fetch(own << 6);
            } else {
                hierarchies[kind % 2].reference(own << 6, kind >= 4);
            }
            if (kind >= 4) {
                dirty.add(own);
            }
            int before = dirty.size();
            dirty.removeIf(each -> !isDirtySomewhere(hierarchies, each));
            long writes = shared.dramWrites() - written;
            if (inclusive) {
                assertThat(before - dirty.size()).isEqualTo(writes);
            } else {
                // an older copy may be written while a first level holds a newer one
                assertThat(before - dirty.size()).isLessThanOrEqualTo((int) writes);
            }
            checkInclusion(inclusive, hierarchies);
        }
    }

    private static boolean isDirtySomewhere(CacheHierarchy[] hierarchies, long line) {
        boolean dirty = hierarchies[0].shared().cache().isDirty(line);
        for (CacheHierarchy each : hierarchies) {
            dirty |= each.l1d().isDirty(line) | each.l2().isDirty(line);
        }
        return dirty;
    }

    private static void checkInclusion(boolean inclusive, CacheHierarchy[] hierarchies) {
        for (long line = 0; inclusive && line < 2 * LINES; line++) {
            for (CacheHierarchy each : hierarchies) {
                boolean above = each.l1i().contains(line)
                        | each.l1d().contains(line)
                        | each.l2().contains(line);
                assertThat(above && !each.shared().cache().contains(line))
                        .as("line %d", line)
                        .isFalse();
            }
        }
    }

    /** What has just been used is found in the first level; what a level gives up is found in the next. */
    @Example
    void aLineSinksLevelByLevel() {
        SharedCache shared = new SharedCache(geometry(1, 4, Replacement.LRU, 30), false, 200);
        CacheHierarchy caches = new CacheHierarchy(
                geometry(1, 1, Replacement.LRU, 1),
                geometry(1, 1, Replacement.LRU, 4),
                geometry(1, 2, Replacement.LRU, 14),
                shared);
        assertThat(caches.reference(0x000, true)).isEqualTo(CacheHierarchy.DRAM);
        assertThat(caches.reference(0x03f, false)).isEqualTo(CacheHierarchy.L1);
        assertThat(caches.reference(0x040, false)).isEqualTo(CacheHierarchy.DRAM);
        assertThat(caches.reference(0x000, false)).isEqualTo(CacheHierarchy.L2);
        assertThat(caches.reference(0x080, false)).isEqualTo(CacheHierarchy.DRAM);
        assertThat(caches.reference(0x0c0, false)).isEqualTo(CacheHierarchy.DRAM);
        assertThat(caches.reference(0x000, false)).isEqualTo(CacheHierarchy.L3);
        assertThat(caches.l1d().counts()).isEqualTo(new AccessCounts(1, 6, 5, 1));
        assertThat(caches.latencyCycles(CacheHierarchy.L2)).isEqualTo(14);
        assertThat(caches.latencyCycles(CacheHierarchy.DRAM)).isEqualTo(200);
        assertThat(shared.dramReads()).isEqualTo(4);
        assertThat(shared.dramWrites()).isZero();
    }
}
