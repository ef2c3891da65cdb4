package org.vmxsim.spp;

/**
 * The leaf of the SPPT: a 64-bit vector that holds the write permission of sub-page i of a 4-KiB page in bit 2*i. The
 * odd bits are reserved. There is no valid bit: a vector of 0 makes no sub-page writable. Software interfaces use a
 * 32-bit bitmap instead, with sub-page i in bit i. SDM Vol. 3C, "Sub-Page Write Permissions".
 */
public final class SppVector {
    /** Bytes in a sub-page. */
    public static final int SUB_PAGE_BYTES = 128;
    /** Sub-pages in a 4-KiB page. */
    public static final int SUB_PAGES = 32;
    /** The bits that must be 0 in a vector. */
    public static final long RESERVED = 0xaaaa_aaaa_aaaa_aaaaL;
    /** The vector of a page whose sub-pages are all writable. */
    public static final long ALL_WRITABLE = 0x5555_5555_5555_5555L;

    private SppVector() {}

    /**
     * Number of the sub-page that an address lies in: its bits 11:7.
     *
     * @param gpa guest-physical address
     * @return 0 to 31
     */
    public static int subPage(long gpa) {
        return (int) (gpa >>> 7) & 31;
    }

    /**
     * The sub-pages that an access touches.
     *
     * @param gpa guest-physical address of the first byte
     * @param sizeBytes bytes touched, 1 or more, all in the page of {@code gpa}
     * @return bitmap with bit i set if sub-page i is touched
     */
    public static int touched(long gpa, int sizeBytes) {
        int first = subPage(gpa);
        int last = Math.min((int) (gpa & 0xfff) + sizeBytes - 1 >>> 7, 31);
        return -1 << first & -1 >>> 31 - last;
    }

    /**
     * Spreads a bitmap: bit i becomes bit 2*i.
     *
     * @param bitmap bit i allows writes to sub-page i
     * @return the vector
     */
    public static long ofBitmap(int bitmap) {
        long v = bitmap & 0xffff_ffffL;
        v = (v | v << 16) & 0x0000_ffff_0000_ffffL;
        v = (v | v << 8) & 0x00ff_00ff_00ff_00ffL;
        v = (v | v << 4) & 0x0f0f_0f0f_0f0f_0f0fL;
        v = (v | v << 2) & 0x3333_3333_3333_3333L;
        return (v | v << 1) & ALL_WRITABLE;
    }

    /**
     * Gathers a vector: bit 2*i becomes bit i; the reserved bits are dropped.
     *
     * @param vector the vector
     * @return bitmap with bit i set if sub-page i may be written
     */
    public static int toBitmap(long vector) {
        long v = vector & ALL_WRITABLE;
        v = (v | v >>> 1) & 0x3333_3333_3333_3333L;
        v = (v | v >>> 2) & 0x0f0f_0f0f_0f0f_0f0fL;
        v = (v | v >>> 4) & 0x00ff_00ff_00ff_00ffL;
        v = (v | v >>> 8) & 0x0000_ffff_0000_ffffL;
        return (int) (v | v >>> 16);
    }
}
