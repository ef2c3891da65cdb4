package org.vmxsim.mmu.ept;

import org.vmxsim.mmu.memslot.Memslot;

/**
 * What a profile of sub-page protection decides while EPT entries are made and changed. Implementations: one for each
 * profile; {@link #NONE} for no sub-page protection.
 */
public interface SubPageRules {
    /** What a write fault on a present 4-KiB entry without write permission leads to. */
    enum WriteFault {
        /** Sub-page protection does not concern the entry. */
        NONE,
        /**
         * The bit was saved while the entry was write-protected: set it again, mark the page dirty, let the guest
         * retry.
         */
        RESTORE,
        /** As {@link #RESTORE}, and the fault counts as denied right away. */
        RESTORE_AND_DENY,
        /** The write is denied, or to be judged by the caller. */
        DENY
    }

    /** What is known about a write before it is noted in a dirty log. */
    enum FirstWrite {
        /** It lands, or whoever is asked later may find the page dirty that was not written. */
        LANDS,
        /** It is denied. */
        DENIED,
        /** It may reach beyond what allows it: only the instruction tells. */
        UNKNOWN
    }

    /** No sub-page protection. */
    SubPageRules NONE = new SubPageRules() {};

    /**
     * The largest level that may map a frame.
     *
     * @param slot the memslot
     * @param gfn the guest frame
     * @return 1 to 3
     */
    default int largestLevel(Memslot slot, long gfn) {
        return 3;
    }

    /**
     * An entry for a 4-KiB page is about to be written by a fault or by prefetching.
     *
     * @param slot the memslot
     * @param gfn the guest frame
     * @param spte the entry
     * @return the entry to write
     */
    default long made(Memslot slot, long gfn, long spte) {
        return spte;
    }

    /**
     * An entry for a 4-KiB page has been written by a fault (not by prefetching).
     *
     * @param vcpu number of the vCPU that faulted
     * @param slot the memslot
     * @param gfn the guest frame
     */
    default void installed(int vcpu, Memslot slot, long gfn) {}

    /**
     * The host changes the frame behind a 4-KiB page (change_pte).
     *
     * @param slot the memslot
     * @param gfn the guest frame
     * @param spte the entry for the new frame, without write permission
     * @return the entry to write
     */
    default long retargeted(Memslot slot, long gfn, long spte) {
        return spte;
    }

    /**
     * Write permission is taken from an entry, for dirty logging or access tracking.
     *
     * @param spte the entry, without write permission
     * @return the entry to write
     */
    default long writeProtected(long spte) {
        return spte;
    }

    /**
     * A write to a present 4-KiB entry without write permission, whose frame is writable otherwise.
     *
     * @param spte the entry
     * @return what it leads to
     */
    default WriteFault writeFault(long spte) {
        return WriteFault.NONE;
    }

    /**
     * A write that a dirty log has to notice is about to be let through.
     *
     * @param slot the memslot
     * @param gpa guest-physical address of its first byte
     * @return whether it will land; nothing but {@link FirstWrite#LANDS} keeps the page out of the log
     */
    default FirstWrite firstWrite(Memslot slot, long gpa) {
        return FirstWrite.LANDS;
    }

    /**
     * The EPT root of a vCPU has been freed (MMU reset).
     *
     * @param vcpu number of the vCPU
     */
    default void rootFreed(int vcpu) {}

    /**
     * A vCPU is about to load an EPT root.
     *
     * @param vcpu number of the vCPU
     */
    default void rootLoaded(int vcpu) {}
}
