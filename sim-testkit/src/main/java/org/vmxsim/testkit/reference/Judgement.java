package org.vmxsim.testkit.reference;

/**
 * What is to become of one piece of a write.
 *
 * @param decision the decision
 * @param reportedAddress what the exit to the caller reports: a guest-physical address, or a guest-frame number for an
 *     emulated write in the profile v12; -1 if the write is allowed
 */
public record Judgement(Decision decision, long reportedAddress) {
    /** Decisions. */
    public enum Decision {
        /** Nothing stands against it. */
        ALLOWED,
        /** Sub-page permissions deny it: KVM_EXIT_SPP. */
        SUB_PAGE,
        /** There is no memslot: KVM_EXIT_MMIO. */
        NO_MEMORY,
        /** The memslot is read-only: KVM_EXIT_MMIO. */
        READ_ONLY
    }

    /** Nothing stands against it. */
    public static final Judgement ALLOWED = new Judgement(Decision.ALLOWED, -1);

    /**
     * Whether nothing stands against it.
     *
     * @return true if allowed
     */
    public boolean allowed() {
        return decision == Decision.ALLOWED;
    }
}
