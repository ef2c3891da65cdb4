package org.vmxsim.mmu.trace;

/** What the management of EPT did. */
public sealed interface MmuEvent extends TraceEvent {
    /**
     * An EPT violation.
     *
     * @param gpa guest-physical address
     * @param qualification exit qualification
     */
    record PageFault(long gpa, long qualification) implements MmuEvent {
        @Override
        public String point() {
            return "kvm_page_fault";
        }

        @Override
        public long address() {
            return gpa;
        }
    }

    /**
     * A write fault was answered by changing one entry, without the slow path.
     *
     * @param gpa guest-physical address
     * @param oldSpte the entry before
     * @param newSpte the entry after
     */
    record FastPageFault(long gpa, long oldSpte, long newSpte) implements MmuEvent {
        @Override
        public String point() {
            return "fast_page_fault";
        }

        @Override
        public long address() {
            return gpa;
        }
    }

    /**
     * An entry was made that misconfigures on purpose: there is no memory.
     *
     * @param spteHpa host-physical address of the entry
     * @param gfn guest frame
     * @param generation generation of the memslots in it
     */
    record MarkMmioSpte(long spteHpa, long gfn, long generation) implements MmuEvent {
        @Override
        public String point() {
            return "mark_mmio_spte";
        }

        @Override
        public long address() {
            return gfn << 12;
        }
    }

    /**
     * An access met an entry made by {@link MarkMmioSpte}.
     *
     * @param gpa guest-physical address
     * @param gfn guest frame
     */
    record HandleMmioPageFault(long gpa, long gfn) implements MmuEvent {
        @Override
        public String point() {
            return "handle_mmio_page_fault";
        }

        @Override
        public long address() {
            return gpa;
        }
    }

    /**
     * The generation in such an entry was compared.
     *
     * @param spte the entry
     * @param currentGeneration generation of the memslots
     * @param entryGeneration generation in the entry
     */
    record CheckMmioSpte(long spte, long currentGeneration, long entryGeneration) implements MmuEvent {
        @Override
        public String point() {
            return "check_mmio_spte";
        }
    }

    /**
     * A page of an EPT paging structure was looked up, or made.
     *
     * @param gfn first guest frame it maps
     * @param role its role
     * @param hpa its host-physical address
     * @param created whether it was made
     */
    record GetPage(long gfn, String role, long hpa, boolean created) implements MmuEvent {
        @Override
        public String point() {
            return "kvm_mmu_get_page";
        }

        @Override
        public long address() {
            return gfn << 12;
        }
    }

    /**
     * A page of an EPT paging structure goes.
     *
     * @param gfn first guest frame it maps
     * @param role its role
     * @param hpa its host-physical address
     */
    record PrepareZapPage(long gfn, String role, long hpa) implements MmuEvent {
        @Override
        public String point() {
            return "kvm_mmu_prepare_zap_page";
        }

        @Override
        public long address() {
            return gfn << 12;
        }
    }

    /** All pages of EPT paging structures became obsolete. */
    record ZapAllFast() implements MmuEvent {
        @Override
        public String point() {
            return "kvm_mmu_zap_all_fast";
        }
    }

    /**
     * An entry that maps memory was made.
     *
     * @param level 1 for 4 KiB, 2 for 2 MiB, 3 for 1 GiB
     * @param gfn first guest frame it maps
     * @param spte the entry
     * @param spteHpa host-physical address of the entry
     */
    record SetSpte(int level, long gfn, long spte, long spteHpa) implements MmuEvent {
        @Override
        public String point() {
            return "kvm_mmu_set_spte";
        }

        @Override
        public long address() {
            return gfn << 12;
        }
    }

    /**
     * An entry that maps a large page was replaced by a table.
     *
     * @param gfn guest frame
     * @param spte the entry before
     * @param level its level
     */
    record SplitHugePage(long gfn, long spte, int level) implements MmuEvent {
        @Override
        public String point() {
            return "kvm_mmu_split_huge_page";
        }

        @Override
        public long address() {
            return gfn << 12;
        }
    }

    /**
     * A mapping was removed because a larger page is possible.
     *
     * @param gfn guest frame
     * @param level level of the mapping
     */
    record MakeWay(long gfn, int level) implements MmuEvent {
        @Override
        public String point() {
            return "mmu_make_way";
        }

        @Override
        public long address() {
            return gfn << 12;
        }
    }

    /** All vCPUs were asked to invalidate. */
    record RemoteTlbFlush() implements MmuEvent {
        @Override
        public String point() {
            return "remote_tlb_flush";
        }
    }

    /**
     * A vCPU invalidates before it enters the guest (single-context INVEPT).
     *
     * @param eptp the EPT pointer
     */
    record TlbFlush(long eptp) implements MmuEvent {
        @Override
        public String point() {
            return "tlb_flush";
        }
    }

    /**
     * A vCPU changes to another view.
     *
     * @param from view before
     * @param to view after
     */
    record ViewSwitch(int from, int to) implements MmuEvent {
        @Override
        public String point() {
            return "view_switch";
        }
    }
}
