package org.vmxsim.core.time;

import java.util.Arrays;
import org.vmxsim.core.cache.CacheGeometry;
import org.vmxsim.core.cache.CacheHierarchy;
import org.vmxsim.core.cache.SharedCache;
import org.vmxsim.core.tlb.TranslationStructures;

/**
 * The clock of one logical processor in the cycle engine, and the only place where time is charged. One cycle for an
 * instruction; loads, stores and page walks block; fixed costs for VM exits, entries and invalidations. The numbers are
 * a {@link TimingPreset}'s and are not calibrated against hardware yet.
 *
 * <p>Callers report what happens, in the order in which it happens; every charge has one {@link CycleCause}, and the
 * causes add up to {@link #cycles()}.
 */
public final class CycleModel implements TableMemory.Charge {
    /** Walk lengths counted apart: 0 to this minus 1; longer ones count as the longest. */
    public static final int WALK_LENGTHS = 64;
    /** Basic exit reasons counted apart. */
    public static final int EXIT_REASONS = 96;

    private static final int NO_REASON = EXIT_REASONS - 1;

    private final TimingPreset preset;
    private final CycleCosts costs;
    private final CacheHierarchy caches;
    private final TranslationStructures structures;
    private final int fetchHitCycles;
    private final long coreMhz;
    private final long tscMhz;

    private long cycles;
    private long instructions;
    private long loads;
    private long stores;
    private long fetchLine = -1;
    private int walkReferences;
    private int exitReason = NO_REASON;
    private final long[] byCause = new long[CycleCause.values().length];
    private final long[] walkLengths = new long[WALK_LENGTHS];
    private final long[] exits = new long[EXIT_REASONS];
    private final long[] exitCycles = new long[EXIT_REASONS];

    /**
     * A clock at 0 with empty structures, and a last level of cache of its own.
     *
     * @param preset the numbers
     */
    public CycleModel(TimingPreset preset) {
        this(preset, preset.sharedCache());
    }

    /**
     * A clock at 0 with empty private structures over a shared last level of cache.
     *
     * @param preset the numbers
     * @param shared last level and memory, shared with other processors
     */
    public CycleModel(TimingPreset preset, SharedCache shared) {
        this.preset = preset;
        this.costs = CycleCosts.of(preset);
        this.caches = preset.hierarchy(shared);
        this.fetchHitCycles = caches.l1i().geometry().latencyCycles();
        this.structures = new TranslationStructures(preset.translationGeometry());
        this.coreMhz = preset.number("clock.coreMhz");
        this.tscMhz = preset.number("clock.tscMhz");
    }

    /**
     * The numbers.
     *
     * @return as given
     */
    public TimingPreset preset() {
        return preset;
    }

    /**
     * The modelled TLBs and paging-structure caches, for {@code Translations.structures} and the walkers.
     *
     * @return the structures
     */
    public TranslationStructures structures() {
        return structures;
    }

    /**
     * The modelled caches.
     *
     * @return the way to memory
     */
    public CacheHierarchy caches() {
        return caches;
    }

    /**
     * Time.
     *
     * @return core cycles since the model was made
     */
    public long cycles() {
        return cycles;
    }

    /**
     * The time-stamp counter, without offsets.
     *
     * @return cycles times the preset's ratio of clocks, rounded down
     */
    public long timeStamp() {
        return cycles / coreMhz * tscMhz + cycles % coreMhz * tscMhz / coreMhz;
    }

    /**
     * The clock value at which the time-stamp counter reaches a value.
     *
     * @param timeStamp a value of {@link #timeStamp()}
     * @return the first cycle at which the counter is at least that
     */
    public long cyclesAt(long timeStamp) {
        long remainder = timeStamp % tscMhz * coreMhz;
        return timeStamp / tscMhz * coreMhz + (remainder + tscMhz - 1) / tscMhz;
    }

    /**
     * How long a clock value is ahead, as the time-stamp counter counts.
     *
     * @param until a clock value
     * @return ticks until {@link #timeStamp()} is what it will be then; 0 or negative if it has passed
     */
    public long ticksUntil(long until) {
        return until / coreMhz * tscMhz + until % coreMhz * tscMhz / coreMhz - timeStamp();
    }

    private void charge(CycleCause cause, long count) {
        cycles += count;
        byCause[cause.ordinal()] += count;
    }

    /**
     * An instruction begins: its own cycle, and the fetch of its lines where the line changes.
     *
     * @param hpa host-physical address of its first byte
     * @param lengthBytes its bytes in that page
     */
    public void instruction(long hpa, int lengthBytes) {
        instructions++;
        cycles++;
        byCause[0]++;
        long line = hpa >>> CacheGeometry.LINE_SHIFT;
        if (line != fetchLine) {
            fetchLine(hpa);
            fetchLine = line;
        }
        long lastLine = hpa + lengthBytes - 1 >>> CacheGeometry.LINE_SHIFT;
        if (lastLine != line) {
            fetchLine(lastLine << CacheGeometry.LINE_SHIFT);
            fetchLine = lastLine;
        }
    }

    /** A line from L1I costs nothing: fetch runs ahead. */
    private void fetchLine(long hpa) {
        int level = caches.fetch(hpa);
        if (level != CacheHierarchy.L1) {
            charge(CycleCause.FETCH, caches.latencyCycles(level) - fetchHitCycles);
        }
    }

    /**
     * A data load. The instruction's own cycle is one of those of the latency.
     *
     * @param hpa host-physical address of its first byte
     * @param sizeBytes bytes, all in one page
     */
    public void load(long hpa, int sizeBytes) {
        loads++;
        reference(hpa, sizeBytes, false);
    }

    /**
     * A data store; it blocks as a load does.
     *
     * @param hpa host-physical address of its first byte
     * @param sizeBytes bytes, all in one page
     */
    public void store(long hpa, int sizeBytes) {
        stores++;
        reference(hpa, sizeBytes, true);
    }

    /**
     * A load or store of memory type UC or WC: it goes to memory past the caches.
     *
     * @param write whether it stores
     */
    public void uncached(boolean write) {
        if (write) {
            stores++;
        } else {
            loads++;
        }
        charge(CycleCause.DRAM_DATA, caches.latencyCycles(CacheHierarchy.DRAM) - 1);
    }

    private void reference(long hpa, int sizeBytes, boolean write) {
        reference(hpa, write);
        long last = hpa + sizeBytes - 1;
        if (last >>> CacheGeometry.LINE_SHIFT != hpa >>> CacheGeometry.LINE_SHIFT) {
            reference(last, write);
        }
    }

    private void reference(long hpa, boolean write) {
        int level = caches.reference(hpa, write);
        int latency = caches.latencyCycles(level) - 1;
        cycles += latency;
        byCause[CycleCause.L1_DATA.ordinal() + level - CacheHierarchy.L1] += latency;
    }

    /** A translation has missed its first-level TLB and hit the second. */
    public void secondTlbHit() {
        charge(CycleCause.SECOND_TLB, costs.secondTlbHit());
    }

    /** A page walk begins: references are counted from here. */
    public void walkBegin() {
        walkReferences = 0;
        charge(CycleCause.GUEST_WALK, costs.walkStart());
    }

    /** The page walk has ended, in a translation or a fault. */
    public void walkEnd() {
        walkLengths[Math.min(walkReferences, WALK_LENGTHS - 1)]++;
    }

    @Override
    public void walkReference(int structure, long hpa, boolean write) {
        walkReferences++;
        int level = caches.reference(hpa, write);
        charge(
                switch (structure) {
                    case TableMemory.GUEST -> CycleCause.GUEST_WALK;
                    case TableMemory.EPT -> CycleCause.EPT_WALK;
                    case TableMemory.SPPT -> CycleCause.SPP_WALK;
                    default -> throw new IllegalArgumentException("need structure 0 to 2, got " + structure);
                },
                caches.latencyCycles(level));
    }

    /**
     * A VM exit. Until the next exit, the cycles of exit, entry and hypervisor also count for its reason.
     *
     * @param basicReason basic exit reason, SDM appendix "VMX Basic Exit Reasons"
     */
    public void exit(int basicReason) {
        exitReason = basicReason >= 0 && basicReason < NO_REASON ? basicReason : NO_REASON;
        exits[exitReason]++;
        chargeOfExit(CycleCause.EXIT, costs.exit());
        fetchLine = -1;
    }

    /** A VM entry. */
    public void entry() {
        chargeOfExit(CycleCause.ENTRY, costs.entry());
        fetchLine = -1;
    }

    /** VMREAD, VMWRITE, VMPTRLD, VMPTRST or VMCLEAR. */
    public void vmcsAccess() {
        chargeOfExit(CycleCause.VMCS_ACCESS, costs.vmcsAccess());
    }

    /** INVLPG, or INVPCID of an individual address. */
    public void invlpg() {
        charge(CycleCause.INVALIDATION, costs.invlpg());
    }

    /** INVPCID of contexts. */
    public void invpcid() {
        charge(CycleCause.INVALIDATION, costs.invpcid());
    }

    /** INVVPID. */
    public void invvpid() {
        chargeOfExit(CycleCause.INVALIDATION, costs.invvpid());
    }

    /** INVEPT. */
    public void invept() {
        chargeOfExit(CycleCause.INVALIDATION, costs.invept());
    }

    /**
     * Work of a hypervisor that is not guest code.
     *
     * @param count core cycles, not negative
     */
    public void hypervisorWork(long count) {
        chargeOfExit(CycleCause.HYPERVISOR, count);
    }

    /**
     * A memory reference of a hypervisor that is not guest code: it goes through the same caches.
     *
     * @param hpa host-physical address
     * @param write whether it writes
     */
    public void hypervisorReference(long hpa, boolean write) {
        chargeOfExit(CycleCause.HYPERVISOR, caches.latencyCycles(caches.reference(hpa, write)));
    }

    private void chargeOfExit(CycleCause cause, long count) {
        charge(cause, count);
        exitCycles[exitReason] += count;
    }

    /**
     * Time passes while the processor is halted: the clock moves on.
     *
     * @param until the clock value to move to; nothing happens if it is in the past
     */
    public void idleUntil(long until) {
        if (until > cycles) {
            charge(CycleCause.IDLE, until - cycles);
        }
    }

    /**
     * All counters now.
     *
     * @return a copy
     */
    public CycleCounts counts() {
        return CycleCounts.of(this, new long[] {instructions, loads, stores}, new long[][] {
            byCause.clone(), walkLengths.clone(), exits.clone(), exitCycles.clone()
        });
    }

    @Override
    public String toString() {
        return preset + " at cycle " + cycles + " " + Arrays.toString(byCause);
    }
}
