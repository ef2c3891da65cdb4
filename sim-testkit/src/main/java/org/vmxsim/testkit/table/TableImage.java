package org.vmxsim.testkit.table;

import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * EPT and SPPT as they lie in memory: a map from host-physical address to quadword. Two walkers that get the same image
 * have the same tables, whoever built them.
 */
public final class TableImage {
    private static final long ADDRESS = 0x000f_ffff_ffff_f000L;
    private static final long FIRST_TABLE = 0x10_0000;

    private final Map<Long, Long> words = new TreeMap<>();
    private long nextTable = FIRST_TABLE;
    private final long eptRoot = table();
    private final long spptRoot = table();

    TableImage() {}

    private long table() {
        long hpa = nextTable;
        nextTable += 0x1000;
        return hpa;
    }

    private static long index(long gpa, int level) {
        return (gpa >>> 3 + 9 * level) % 512;
    }

    /** Lays a path out; where it shares an entry with an earlier one, its bits win and the table stays. */
    void add(EptPath path) {
        long table = eptRoot;
        for (int level = 4; level >= path.leafLevel(); level--) {
            long bits = path.entries().get(4 - level);
            long at = table + 8 * index(path.gpa(), level);
            if (level == path.leafLevel()) {
                words.put(at, bits | path.hpa());
            } else {
                table = link(at, bits);
            }
        }
    }

    void add(SpptPath path) {
        long table = spptRoot;
        for (int level = 4; level >= 2; level--) {
            table = link(table + 8 * index(path.gpa(), level), path.entries().get(4 - level));
        }
        words.put(table + 8 * index(path.gpa(), 1), path.vector().bits());
    }

    private long link(long at, long bits) {
        long existing = words.getOrDefault(at, 0L) & ADDRESS & ~TableContents.BEYOND_WIDTH;
        boolean isTable = existing >= FIRST_TABLE && existing < nextTable;
        long table = isTable ? existing : table();
        words.put(at, bits | table);
        return table;
    }

    /**
     * Root of the EPT.
     *
     * @return host-physical address, for EPTP
     */
    public long eptRoot() {
        return eptRoot;
    }

    /**
     * Root of the SPPT.
     *
     * @return host-physical address: SPPTP
     */
    public long spptRoot() {
        return spptRoot;
    }

    /**
     * A quadword.
     *
     * @param hpa host-physical address, 8-byte aligned
     * @return what lies there, 0 where nothing was put
     */
    public long word(long hpa) {
        return words.getOrDefault(hpa, 0L);
    }

    /**
     * All quadwords that were put.
     *
     * @return by host-physical address; unmodifiable
     */
    public Map<Long, Long> words() {
        return Collections.unmodifiableMap(words);
    }
}
