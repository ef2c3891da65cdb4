package org.vmxsim.mmu.spp;

/** Which sub-page protection a virtual machine has: two postings of KVM's series, and one without their hazards. */
public enum SppProfile {
    /** The series as posted in August 2019 ("PATCH RESEND v4"): hazards S1 to S22 included. */
    V4(28, 64),
    /** The last posting, May 2020 ("v12"): hazards T2 to T12 included, T1 by its intent. */
    V12(29, 512),
    /** The interface of v12 without its hazards, exact to the sub-page in every path. */
    FIXED(29, 512);

    private final int exitNumber;
    private final int maxPages;

    SppProfile(int exitNumber, int maxPages) {
        this.exitNumber = exitNumber;
        this.maxPages = maxPages;
    }

    /**
     * The value of {@code KVM_EXIT_SPP}.
     *
     * @return 28 or 29
     */
    public int exitNumber() {
        return exitNumber;
    }

    /**
     * How many pages one call may set or get.
     *
     * @return 64 or 512
     */
    public int maxPages() {
        return maxPages;
    }
}
