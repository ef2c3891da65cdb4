package org.vmxsim.mmu;

import java.util.Arrays;
import org.vmxsim.vmx.exit.ExitReason;

/** Event counts of one vCPU. Plain fields, written by the vCPU alone; read through {@link #snapshot}. */
public final class VcpuStatistics {
    private static final int REASONS = 70;

    final long[] exits = new long[REASONS];
    long entries;
    long invalidations;
    long faultsFixed;
    long subPageMisses;
    long subPageDenied;
    long emulated;
    long injected;

    VcpuStatistics() {}

    /**
     * The counts now.
     *
     * @return a copy
     */
    public Snapshot snapshot() {
        return new Snapshot(
                exits.clone(), entries, invalidations, faultsFixed, subPageMisses, subPageDenied, emulated, injected);
    }

    /**
     * Counts at one moment. {@code after.minus(before)} is what a phase did.
     *
     * @param exitsByReason VM exits, by basic exit reason
     * @param entries VM entries
     * @param invalidations INVEPT executed
     * @param faultsFixed EPT violations that ended in a mapping or a permission
     * @param subPageMisses SPP misses answered
     * @param subPageDenied writes that sub-page permissions denied
     * @param emulated instructions, or iterations of them, that were emulated
     * @param injected events injected at VM entry
     */
    public record Snapshot(
            long[] exitsByReason,
            long entries,
            long invalidations,
            long faultsFixed,
            long subPageMisses,
            long subPageDenied,
            long emulated,
            long injected) {

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
         * What happened since an earlier moment.
         *
         * @param earlier the earlier counts
         * @return the difference
         */
        public Snapshot minus(Snapshot earlier) {
            long[] difference = exitsByReason.clone();
            for (int i = 0; i < difference.length; i++) {
                difference[i] -= earlier.exitsByReason[i];
            }
            return new Snapshot(
                    difference,
                    entries - earlier.entries,
                    invalidations - earlier.invalidations,
                    faultsFixed - earlier.faultsFixed,
                    subPageMisses - earlier.subPageMisses,
                    subPageDenied - earlier.subPageDenied,
                    emulated - earlier.emulated,
                    injected - earlier.injected);
        }
    }
}
