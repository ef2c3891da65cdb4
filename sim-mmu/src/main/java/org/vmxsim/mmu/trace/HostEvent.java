package org.vmxsim.mmu.trace;

/** What the host and the caller did to guest memory: notifiers, dirty log, memslots. */
public sealed interface HostEvent extends TraceEvent {
    /**
     * Translations of a host range go.
     *
     * @param startHva first address
     * @param endHva address behind the last
     */
    record UnmapHvaRange(long startHva, long endHva) implements HostEvent {
        @Override
        public String point() {
            return "kvm_unmap_hva_range";
        }

        @Override
        public long address() {
            return startHva;
        }
    }

    /**
     * A host page has another frame.
     *
     * @param hva host virtual address
     */
    record SetSpteHva(long hva) implements HostEvent {
        @Override
        public String point() {
            return "kvm_set_spte_hva";
        }

        @Override
        public long address() {
            return hva;
        }
    }

    /**
     * Accessed flags of a host range are asked and cleared.
     *
     * @param startHva first address
     * @param endHva address behind the last
     */
    record AgeHva(long startHva, long endHva) implements HostEvent {
        @Override
        public String point() {
            return "kvm_age_hva";
        }

        @Override
        public long address() {
            return startHva;
        }
    }

    /**
     * Accessed flags of a host page are asked and kept.
     *
     * @param hva host virtual address
     */
    record TestAgeHva(long hva) implements HostEvent {
        @Override
        public String point() {
            return "kvm_test_age_hva";
        }

        @Override
        public long address() {
            return hva;
        }
    }

    /** The page-modification log of a vCPU was full. */
    record PmlFull() implements HostEvent {
        @Override
        public String point() {
            return "kvm_pml_full";
        }
    }

    /**
     * The caller took the dirty pages of a memslot.
     *
     * @param slot memslot number
     * @param pages how many were dirty
     */
    record DirtyLogRead(int slot, long pages) implements HostEvent {
        @Override
        public String point() {
            return "dirty_log_read";
        }
    }

    /**
     * The caller cleared dirty pages of a memslot.
     *
     * @param slot memslot number
     * @param pages how many
     */
    record DirtyLogClear(int slot, long pages) implements HostEvent {
        @Override
        public String point() {
            return "dirty_log_clear";
        }
    }

    /**
     * A memslot was added, moved, changed or deleted.
     *
     * @param slot memslot number, with the address space in bits 31:16
     * @param gpa first guest-physical address
     * @param sizeBytes size; 0 if deleted
     */
    record MemslotChange(int slot, long gpa, long sizeBytes) implements HostEvent {
        @Override
        public String point() {
            return "memslot_change";
        }

        @Override
        public long address() {
            return gpa;
        }
    }
}
