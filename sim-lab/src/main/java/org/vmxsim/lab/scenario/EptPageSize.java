package org.vmxsim.lab.scenario;

/** Largest page with which the hypervisor maps guest memory; protected pages are always mapped with 4 KiB. */
public enum EptPageSize {
    /** 4-KiB leaves. */
    SIZE_4K(12),
    /** Up to 2-MiB leaves. */
    SIZE_2M(21),
    /** Up to 1-GiB leaves. */
    SIZE_1G(30);

    private final int shift;

    EptPageSize(int shift) {
        this.shift = shift;
    }

    /**
     * The size as a shift.
     *
     * @return log2 of the page size in bytes: 12, 21 or 30
     */
    public int shift() {
        return shift;
    }

    /**
     * The size.
     *
     * @return bytes in such a page
     */
    public long sizeBytes() {
        return 1L << shift;
    }
}
