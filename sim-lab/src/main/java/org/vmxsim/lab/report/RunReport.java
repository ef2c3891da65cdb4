package org.vmxsim.lab.report;

import java.util.List;

/**
 * What a run did: plain values, the same for the same scenario, bit for bit. Host time is not among them.
 *
 * @param title what ran, for headings
 * @param configuration the effective configuration as JSON, as in {@code config.json}
 * @param end how the run ended
 * @param totals instructions and cycles
 * @param exits VM exits by basic exit reason, most frequent first
 * @param causes cycles by cause; their sum is {@code totals.cycles()}; empty in a functional run
 * @param walks what the page walkers did
 * @param structures hit ratios of caches, TLBs and paging-structure caches; empty in a functional run
 * @param denied stores that sub-page protection denied, in order
 * @param protectedPages pages with sub-page protection at the end of the run, and where writes landed
 * @param timeline samples at equal steps of retired instructions
 * @param memory what guest memory and the tables above it take at the end; nothing outside a virtual machine
 * @param regions what happened between the guest's markers, in order; empty if it passed none
 */
public record RunReport(
        String title,
        String configuration,
        End end,
        Totals totals,
        List<ExitCount> exits,
        List<Cause> causes,
        Walks walks,
        List<Structure> structures,
        List<DeniedWrite> denied,
        List<ProtectedPage> protectedPages,
        List<Sample> timeline,
        Memory memory,
        List<Region> regions) {
    /** Copies the lists. */
    public RunReport {
        exits = List.copyOf(exits);
        causes = List.copyOf(causes);
        structures = List.copyOf(structures);
        denied = List.copyOf(denied);
        protectedPages = List.copyOf(protectedPages);
        timeline = List.copyOf(timeline);
        regions = List.copyOf(regions);
    }

    /**
     * The same with what became of sub-page protection.
     *
     * @param deniedWrites stores that sub-page protection denied, in order
     * @param pages pages with sub-page protection at the end of the run
     * @param sizes what guest memory and tables take
     * @return the completed report
     */
    public RunReport withSubPages(List<DeniedWrite> deniedWrites, List<ProtectedPage> pages, Memory sizes) {
        return new RunReport(
                title,
                configuration,
                end,
                totals,
                exits,
                causes,
                walks,
                structures,
                deniedWrites,
                pages,
                timeline,
                sizes,
                regions);
    }

    /**
     * The same with another end.
     *
     * @param other how the run ended
     * @return the report
     */
    public RunReport withEnd(End other) {
        return new RunReport(
                title,
                configuration,
                other,
                totals,
                exits,
                causes,
                walks,
                structures,
                denied,
                protectedPages,
                timeline,
                memory,
                regions);
    }

    /**
     * How a run ended.
     *
     * @param how one word: {@code exit}, {@code stopped}, {@code halted}, {@code shutdown}, {@code reset}, {@code off},
     *     {@code limit}, {@code crashed} (by an introspection tool) or {@code error}
     * @param exitCode the value that the guest wrote to the exit port, or -1 if it did not
     * @param detail one sentence for people
     */
    public record End(String how, int exitCode, String detail) {}

    /**
     * Totals of a run.
     *
     * @param instructions retired instructions of the guest
     * @param cycles core cycles; equal to {@code instructions} in a functional run
     * @param modelledInstructions instructions that the cycle engine executed
     */
    public record Totals(long instructions, long cycles, long modelledInstructions) {
        /**
         * Cycles per instruction.
         *
         * @return the ratio, or 0 if nothing was executed
         */
        public double cyclesPerInstruction() {
            return instructions == 0 ? 0 : (double) cycles / instructions;
        }
    }

    /**
     * VM exits of one reason.
     *
     * @param reason the manual's name of the basic exit reason
     * @param number its number
     * @param count how many
     * @param cycles cycles from exit to entry, hypervisor's work included
     */
    public record ExitCount(String reason, int number, long count, long cycles) {}

    /**
     * Cycles that belong to one cause.
     *
     * @param name the cause
     * @param cycles how many
     */
    public record Cause(String name, long cycles) {}

    /**
     * What the page walkers did.
     *
     * @param lengths lengths[n] walks read n table entries
     * @param guestReferences references[g][l]: reads of guest entries; only l = g is used
     * @param eptReferences references[g][l]: reads of EPT entries of level l to translate a guest entry of level g, or
     *     the final address if g = 0
     * @param sppReferences reads of SPPT entries by level, index 1 to 4
     */
    public record Walks(long[] lengths, long[][] guestReferences, long[][] eptReferences, long[] sppReferences) {
        /**
         * All references.
         *
         * @return reads of table entries of all kinds
         */
        public long references() {
            long sum = 0;
            for (long[][] table : new long[][][] {guestReferences, eptReferences, {sppReferences}}) {
                for (long[] row : table) {
                    for (long count : row) {
                        sum += count;
                    }
                }
            }
            return sum;
        }
    }

    /**
     * Look-ups of one structure.
     *
     * @param name its name
     * @param hits look-ups that hit
     * @param misses look-ups that missed
     */
    public record Structure(String name, long hits, long misses) {
        /**
         * The hit ratio.
         *
         * @return hits / (hits + misses), or 0 without look-ups
         */
        public double hitRatio() {
            return hits + misses == 0 ? 0 : (double) hits / (hits + misses);
        }
    }

    /**
     * A store that sub-page protection denied.
     *
     * @param instruction number of instructions retired before it
     * @param rip address of the instruction
     * @param code symbol and offset of the instruction
     * @param gla guest-linear address of the store
     * @param gpa guest-physical address of the store
     * @param data symbol and offset of the data, or the guest's own name for it
     * @param action what was done: {@code skip}, {@code allow} or {@code stop}
     */
    public record DeniedWrite(
            long instruction, long rip, String code, long gla, long gpa, String data, String action) {}

    /**
     * A page with sub-page protection.
     *
     * @param gpa its guest-physical address
     * @param writable bit i set: sub-page i was writable at the end
     * @param allowed writes that landed, by sub-page (32)
     * @param denied writes that were denied, by sub-page (32)
     */
    public record ProtectedPage(long gpa, int writable, long[] allowed, long[] denied) {}

    /**
     * One sample of the timeline.
     *
     * @param instructions instructions retired so far
     * @param cycles cycles so far
     * @param exits exits so far
     * @param eptViolations EPT violations so far
     * @param sppEvents SPP-related events so far
     * @param hypercalls VMCALLs so far
     */
    public record Sample(
            long instructions, long cycles, long exits, long eptViolations, long sppEvents, long hypercalls) {}

    /**
     * What guest memory and the tables above it take.
     *
     * @param mapped4k 4-KiB pages that EPT maps
     * @param mapped2m 2-MiB pages that EPT maps
     * @param mapped1g 1-GiB pages that EPT maps
     * @param eptTableBytes EPT paging structures
     * @param spptTableBytes sub-page permission table
     * @param bitmapBytes the hypervisor's own bitmaps of writable sub-pages
     */
    public record Memory(
            long mapped4k, long mapped2m, long mapped1g, long eptTableBytes, long spptTableBytes, long bitmapBytes) {
        /** Nothing mapped, no tables. */
        public static final Memory NONE = new Memory(0, 0, 0, 0, 0, 0);
    }

    /**
     * What happened from one marker of the guest (CPUID leaf 0x4d584d56) to the next.
     *
     * @param marker ECX of the marker at which it begins; 0 for the start of the run
     * @param instructions instructions retired in it
     * @param cycles cycles in it
     * @param exits VM exits in it, most frequent first
     */
    public record Region(int marker, long instructions, long cycles, List<ExitCount> exits) {
        /** Copies the list. */
        public Region {
            exits = List.copyOf(exits);
        }

        /**
         * What the stretch begins with, in words.
         *
         * @return the marker with its number, or the start of the run
         */
        public String beginning() {
            return marker == 0 ? "start" : "marker " + marker;
        }
    }
}
