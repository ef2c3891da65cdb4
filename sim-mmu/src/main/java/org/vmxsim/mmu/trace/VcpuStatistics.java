package org.vmxsim.mmu.trace;

import java.util.Arrays;
import org.vmxsim.vmx.exit.ExitReason;

/** Event counts of one vCPU, written where the events happen; read through {@link #snapshot}. */
public final class VcpuStatistics {
    private static final int REASONS = 70;

    private final long[] exits = new long[REASONS];
    private final long[] counts = new long[VcpuCounter.values().length];

    /** Nothing counted yet. */
    public VcpuStatistics() {}

    /**
     * Counts an event.
     *
     * @param counter which, none of those that count VM exits
     */
    public void count(VcpuCounter counter) {
        counts[counter.ordinal()]++;
    }

    /**
     * Counts several events.
     *
     * @param counter which
     * @param times how many
     */
    public void count(VcpuCounter counter, long times) {
        counts[counter.ordinal()] += times;
    }

    /**
     * Counts a VM exit.
     *
     * @param reason its basic exit reason
     */
    public void exited(ExitReason reason) {
        exits[reason.number()]++;
    }

    /**
     * The counts now.
     *
     * @return a copy
     */
    public Snapshot snapshot() {
        return new Snapshot(exits.clone(), counts.clone());
    }

    /**
     * Counts at one moment. {@code after.minus(before)} is what a phase did.
     *
     * @param exitsByReason VM exits, by basic exit reason
     * @param counts other events, by {@link VcpuCounter#ordinal()}
     */
    public record Snapshot(long[] exitsByReason, long[] counts) {

        /**
         * Something that was counted.
         *
         * @param counter what
         * @return how often
         */
        public long count(VcpuCounter counter) {
            if (counter == VcpuCounter.EXITS) {
                return totalExits();
            }
            return counter.reason() == null ? counts[counter.ordinal()] : exits(counter.reason());
        }

        /**
         * VM exits of one reason.
         *
         * @param reason the basic exit reason
         * @return how many
         */
        public long exits(ExitReason reason) {
            return exitsByReason[reason.number()];
        }

        /**
         * All VM exits.
         *
         * @return how many
         */
        public long totalExits() {
            return Arrays.stream(exitsByReason).sum();
        }

        /**
         * VM entries.
         *
         * @return how many
         */
        public long entries() {
            return count(VcpuCounter.ENTRIES);
        }

        /**
         * Invalidations (INVEPT).
         *
         * @return how many were executed
         */
        public long invalidations() {
            return count(VcpuCounter.TLB_FLUSH);
        }

        /**
         * SPP misses.
         *
         * @return how many were answered
         */
        public long subPageMisses() {
            return count(VcpuCounter.SPP_MISSES);
        }

        /**
         * Writes that sub-page permissions denied.
         *
         * @return how many
         */
        public long subPageDenied() {
            return count(VcpuCounter.SPP_DENIED);
        }

        /**
         * Instructions, or iterations of them, that were emulated.
         *
         * @return how many
         */
        public long emulated() {
            return count(VcpuCounter.INSN_EMULATION);
        }

        /**
         * Events injected at VM entry.
         *
         * @return how many
         */
        public long injected() {
            return count(VcpuCounter.EVENTS_INJECTED);
        }

        /**
         * What happened since an earlier moment.
         *
         * @param earlier the earlier counts
         * @return the difference
         */
        public Snapshot minus(Snapshot earlier) {
            return new Snapshot(difference(exitsByReason, earlier.exitsByReason), difference(counts, earlier.counts));
        }

        private static long[] difference(long[] later, long[] earlier) {
            long[] difference = later.clone();
            for (int i = 0; i < difference.length; i++) {
                difference[i] -= earlier[i];
            }
            return difference;
        }
    }
}
