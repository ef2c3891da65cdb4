package org.vmxsim.testkit.value;

/**
 * Which 128-byte sub-pages of a 4-KiB page the guest may write, as KVM's interface says it.
 *
 * @param bits bit i allows writes to bytes 128*i to 128*i+127; all ones: the page is not protected
 */
public record SubPageBitmap(int bits) {
    /** The bitmap of a page that is not protected. */
    public static final SubPageBitmap FULL = new SubPageBitmap(-1);
    /** The bitmap of a page that nobody may write. */
    public static final SubPageBitmap NONE = new SubPageBitmap(0);

    /**
     * Whether every byte of a range may be written. Asked byte by byte, on purpose: this is the rule, not a fast form
     * of it.
     *
     * @param offset first byte in the page, 0 to 4095
     * @param sizeBytes how many bytes, all in the page
     * @return true if the sub-page of each byte is writable
     * @throws IllegalArgumentException if the range is not in the page
     */
    public boolean allows(int offset, int sizeBytes) {
        if (offset < 0 || sizeBytes < 0 || offset + sizeBytes > 4096) {
            throw new IllegalArgumentException(
                    "need a range within 4096 bytes, got offset=" + offset + " sizeBytes=" + sizeBytes);
        }
        for (int at = offset; at < offset + sizeBytes; at++) {
            if ((bits >>> at / 128 & 1) == 0) {
                return false;
            }
        }
        return true;
    }

    /**
     * With one sub-page changed.
     *
     * @param subPage 0 to 31
     * @param writable whether it may be written
     * @return the changed bitmap
     */
    public SubPageBitmap with(int subPage, boolean writable) {
        return new SubPageBitmap(writable ? bits | 1 << subPage : bits & ~(1 << subPage));
    }

    /**
     * Whether the page is protected at all.
     *
     * @return false for {@link #FULL}
     */
    public boolean isProtected() {
        return bits != -1;
    }

    @Override
    public String toString() {
        return String.format("0x%08x", bits);
    }
}
