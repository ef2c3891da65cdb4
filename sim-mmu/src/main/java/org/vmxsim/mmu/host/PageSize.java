package org.vmxsim.mmu.host;

/** The page sizes of EPT and of the host's memory. The level is that of the paging structure which maps such a page. */
public enum PageSize {
    /** 4 KiB, mapped by an EPT PTE. */
    SIZE_4K(12),
    /** 2 MiB, mapped by an EPT PDE. */
    SIZE_2M(21),
    /** 1 GiB, mapped by an EPT PDPTE. */
    SIZE_1G(30);

    private static final PageSize[] BY_LEVEL = values();

    private final int shift;

    PageSize(int shift) {
        this.shift = shift;
    }

    /**
     * The size that an entry of a level maps.
     *
     * @param level 1, 2 or 3
     * @return the page size
     */
    public static PageSize ofLevel(int level) {
        return BY_LEVEL[level - 1];
    }

    /**
     * Level of the entry that maps such a page.
     *
     * @return 1, 2 or 3
     */
    public int level() {
        return ordinal() + 1;
    }

    /**
     * log2 of the size.
     *
     * @return 12, 21 or 30
     */
    public int shift() {
        return shift;
    }

    /**
     * The size.
     *
     * @return bytes
     */
    public long sizeBytes() {
        return 1L << shift;
    }

    /**
     * How many 4-KiB pages fit.
     *
     * @return 1, 512 or 262144
     */
    public long pages() {
        return 1L << shift - 12;
    }

    /**
     * The start of the page that an address lies in.
     *
     * @param address any address
     * @return the address with the offset bits cleared
     */
    public long base(long address) {
        return address & -1L << shift;
    }

    /**
     * Whether an address is the start of such a page.
     *
     * @param address any address
     * @return true if the offset bits are zero
     */
    public boolean isAligned(long address) {
        return base(address) == address;
    }

    /**
     * How much of a range lies in the page that it begins in.
     *
     * @param address first address of the range
     * @param mostBytes size of the range
     * @return bytes, at most {@code mostBytes}
     */
    public int bytesInPage(long address, int mostBytes) {
        return (int) Math.min(mostBytes, sizeBytes() - (address - base(address)));
    }
}
