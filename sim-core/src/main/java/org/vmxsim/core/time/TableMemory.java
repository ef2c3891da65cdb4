package org.vmxsim.core.time;

import org.vmxsim.core.memory.AtomicOperation;
import org.vmxsim.core.memory.PhysicalMemory;

/**
 * Memory as the hardware page walkers see it: every reference to a guest paging-structure entry, an EPT entry or an
 * SPPT entry goes through here, is counted, charged where the cycle engine runs, and shown to a listener where one
 * listens. Walkers charge nothing themselves.
 */
public final class TableMemory {
    /** Structure number: a guest paging-structure entry. */
    public static final int GUEST = 0;
    /** Structure number: an EPT entry. */
    public static final int EPT = 1;
    /** Structure number: an SPPT entry. */
    public static final int SPPT = 2;

    /** Charges a reference by a page walker to simulated time. */
    public interface Charge {
        /**
         * A walker reads or updates a table entry.
         *
         * @param structure {@link #GUEST}, {@link #EPT} or {@link #SPPT}
         * @param hpa host-physical address of the 8-byte entry
         * @param write whether flags are being written
         */
        void walkReference(int structure, long hpa, boolean write);
    }

    /** Sees every reference of a walk, in order: for explanations and pictures. */
    public interface Listener {
        /**
         * A table entry has been read.
         *
         * @param structure {@link #GUEST}, {@link #EPT} or {@link #SPPT}
         * @param guestLevel level of the guest entry that is read or translated, 5 to 1; 0 for the final address
         * @param level level of the entry in its own structure, 5 to 1
         * @param hpa host-physical address of the entry
         * @param entry its value
         */
        void referenced(int structure, int guestLevel, int level, long hpa, long entry);
    }

    /**
     * Level of the guest paging-structure entry on whose behalf references are made, 5 to 1; 0 while the final address
     * is translated. Set by the guest-paging walker.
     */
    public int guestLevel;

    private static final int LEVELS = 6;

    private final PhysicalMemory memory;
    /** Walks by structure, guest level, level of the first and level of the last entry read. */
    private final long[] walks = new long[3 * LEVELS * LEVELS * LEVELS];

    private final long[] updates = new long[3];
    private Charge charge;
    private Listener listener;
    private boolean observed;

    /**
     * Table memory over a physical memory.
     *
     * @param memory where the tables lie
     */
    public TableMemory(PhysicalMemory memory) {
        this.memory = memory;
    }

    /**
     * The memory below.
     *
     * @return where the tables lie
     */
    public PhysicalMemory memory() {
        return memory;
    }

    /**
     * Sets who is charged.
     *
     * @param charge the time model, or null in the functional engine
     */
    public void charge(Charge charge) {
        this.charge = charge;
        this.observed = charge != null || listener != null;
    }

    /**
     * Sets who listens.
     *
     * @param listener the listener, or null for nobody
     */
    public void listener(Listener listener) {
        this.listener = listener;
        this.observed = charge != null || listener != null;
    }

    /**
     * Reads a table entry and counts it.
     *
     * @param structure {@link #GUEST}, {@link #EPT} or {@link #SPPT}
     * @param level level of the entry, 5 to 1
     * @param hpa host-physical address, 8-byte aligned
     * @return the entry
     */
    public long readEntry(int structure, int level, long hpa) {
        countWalk(structure, level, level);
        return observed ? readObserved(structure, level, hpa) : memory.readLong(hpa);
    }

    /**
     * Reads a table entry in the middle of a walk that {@link #countWalk} will count when it has ended.
     *
     * @param structure {@link #GUEST}, {@link #EPT} or {@link #SPPT}
     * @param level level of the entry, 5 to 1
     * @param table host-physical address of the table, 4-KiB aligned
     * @param offset offset of the entry in the table, a multiple of 8 below 4096
     * @return the entry
     */
    public long readUncounted(int structure, int level, long table, long offset) {
        return observed ? readObserved(structure, level, table + offset) : memory.readEntry(table, offset);
    }

    private long readObserved(int structure, int level, long hpa) {
        if (charge != null) {
            charge.walkReference(structure, hpa, false);
        }
        long entry = memory.readLong(hpa);
        if (listener != null) {
            listener.referenced(structure, guestLevel, level, hpa, entry);
        }
        return entry;
    }

    /**
     * Counts the references of a walk at once: one for each level from the first to the last.
     *
     * @param structure {@link #GUEST}, {@link #EPT} or {@link #SPPT}
     * @param firstLevel level of the entry read first, 5 to 1
     * @param lastLevel level of the entry read last, at most the first
     */
    public void countWalk(int structure, int firstLevel, int lastLevel) {
        walks[((structure * LEVELS + guestLevel) * LEVELS + firstLevel) * LEVELS + lastLevel]++;
    }

    /**
     * Sets flags in a table entry by a locked read-modify-write (accessed and dirty flags).
     *
     * @param structure {@link #GUEST} or {@link #EPT}
     * @param hpa host-physical address, 8-byte aligned
     * @param flags the bits to set
     */
    public void setFlags(int structure, long hpa, long flags) {
        updates[structure]++;
        if (charge != null) {
            charge.walkReference(structure, hpa, true);
        }
        memory.fetchAndApply(hpa, Long.BYTES, AtomicOperation.OR, flags);
    }

    /**
     * How many entries were read so far.
     *
     * @param structure {@link #GUEST}, {@link #EPT} or {@link #SPPT}
     * @param guestLevel guest level on whose behalf, 5 to 0
     * @param level level of the entry, 5 to 1
     * @return the count since the machine was made
     */
    public long references(int structure, int guestLevel, int level) {
        long sum = 0;
        for (int first = level; first < LEVELS; first++) {
            for (int last = 0; last <= level; last++) {
                sum += walks[((structure * LEVELS + guestLevel) * LEVELS + first) * LEVELS + last];
            }
        }
        return sum;
    }

    /**
     * How many locked updates of flags were made so far.
     *
     * @param structure {@link #GUEST} or {@link #EPT}
     * @return the count since the machine was made
     */
    public long updates(int structure) {
        return updates[structure];
    }

    /**
     * How many entries of all structures were read so far.
     *
     * @return the count since the machine was made
     */
    public long totalReferences() {
        long sum = 0;
        for (int i = 0; i < walks.length; i++) {
            sum += walks[i] * (i / LEVELS % LEVELS - i % LEVELS + 1);
        }
        return sum;
    }
}
