package org.vmxsim.testkit.value;

/**
 * The leaf of the SPPT as it lies in memory. SDM, "Sub-Page Write Permissions": bit 2*i is the permission of sub-page
 * i, the odd bits are reserved.
 *
 * @param bits the 64-bit vector, legal or not
 */
public record SubPageVector(long bits) {
    /**
     * The legal vector of a bitmap, spread bit by bit.
     *
     * @param bitmap the permissions
     * @return the vector
     */
    public static SubPageVector of(SubPageBitmap bitmap) {
        long bits = 0;
        for (int subPage = 0; subPage < 32; subPage++) {
            if ((bitmap.bits() >>> subPage & 1) != 0) {
                bits |= 1L << 2 * subPage;
            }
        }
        return new SubPageVector(bits);
    }

    /**
     * Whether no reserved bit is set.
     *
     * @return false if the vector causes an SPP misconfiguration
     */
    public boolean isLegal() {
        for (int subPage = 0; subPage < 32; subPage++) {
            if ((bits >>> 2 * subPage + 1 & 1) != 0) {
                return false;
            }
        }
        return true;
    }

    /**
     * The permissions, whatever the reserved bits hold.
     *
     * @return the bitmap
     */
    public SubPageBitmap bitmap() {
        int bitmap = 0;
        for (int subPage = 0; subPage < 32; subPage++) {
            bitmap |= (int) (bits >>> 2 * subPage & 1) << subPage;
        }
        return new SubPageBitmap(bitmap);
    }

    @Override
    public String toString() {
        return String.format("0x%016x", bits);
    }
}
