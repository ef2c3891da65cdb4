package org.vmxsim.mmu.trace;

/** What sub-page protection did; the first three are the tracepoints of the series since v10. */
public sealed interface SubPageEvent extends TraceEvent {
    /**
     * The bitmap of a page was set.
     *
     * @param gfn guest frame
     * @param bitmap bit i allows writes to bytes 128*i to 128*i+127
     */
    record SetSubPages(long gfn, int bitmap) implements SubPageEvent {
        @Override
        public String point() {
            return "kvm_spp_set_subpages";
        }

        @Override
        public long address() {
            return gfn << 12;
        }
    }

    /**
     * An SPP-related event.
     *
     * @param gpa guest-physical address
     * @param qualification exit qualification
     */
    record InducedExit(long gpa, long qualification) implements SubPageEvent {
        @Override
        public String point() {
            return "kvm_spp_induced_exit";
        }

        @Override
        public long address() {
            return gpa;
        }
    }

    /**
     * An EPT violation that sub-page permissions caused.
     *
     * @param gpa guest-physical address
     * @param instructionLengthBytes length of the instruction; 0 if unknown
     */
    record InducedPageFault(long gpa, int instructionLengthBytes) implements SubPageEvent {
        @Override
        public String point() {
            return "kvm_spp_induced_page_fault";
        }

        @Override
        public long address() {
            return gpa;
        }
    }

    /**
     * An SPP miss wrote vectors.
     *
     * @param gfn first guest frame whose vector was written, or could have been
     * @param pages how many vectors were written
     */
    record FillSppt(long gfn, int pages) implements SubPageEvent {
        @Override
        public String point() {
            return "spp_fill_sppt";
        }

        @Override
        public long address() {
            return gfn << 12;
        }
    }

    /**
     * The entries of the SPPT that cover a range were made invalid, as v12 does before it sets bitmaps.
     *
     * @param gfn first guest frame
     * @param npages how many pages
     */
    record FlushSppt(long gfn, int npages) implements SubPageEvent {
        @Override
        public String point() {
            return "spp_flush_sppt";
        }

        @Override
        public long address() {
            return gfn << 12;
        }
    }

    /**
     * A denied write was discarded.
     *
     * @param rip the instruction
     */
    record Skip(long rip) implements SubPageEvent {
        @Override
        public String point() {
            return "spp_skip";
        }
    }
}
