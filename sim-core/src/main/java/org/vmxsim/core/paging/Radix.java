package org.vmxsim.core.paging;

/**
 * Arithmetic of the 512-way radix trees that x86 translates with: guest paging in IA-32e mode, EPT and the SPPT. Nine
 * address bits choose the entry at each level; level 1 is the one whose entries map 4-KiB pages.
 */
public final class Radix {
    /** Level of a table whose entries map 4-KiB pages. */
    public static final int PT = 1;
    /** Level of a table whose entries may map 2-MiB pages. */
    public static final int PD = 2;
    /** Level of a table whose entries may map 1-GiB pages. */
    public static final int PDPT = 3;
    /** Level of the root table with four levels. */
    public static final int PML4 = 4;
    /** Level of the root table with five levels. */
    public static final int PML5 = 5;

    private Radix() {}

    /**
     * Number of the lowest address bit that chooses an entry at a level: log2 of the bytes an entry covers.
     *
     * @param level the level, 1 to 5
     * @return 12, 21, 30, 39 or 48
     */
    public static int shift(int level) {
        return 3 + 9 * level;
    }

    /**
     * Address of the 8-byte entry that an address chooses in a table.
     *
     * @param table physical address of the table, 4-KiB aligned
     * @param address the address being translated
     * @param level level of the table, 1 to 5
     * @return physical address of the entry
     */
    public static long entryAddress(long table, long address, int level) {
        return table | entryOffset(address, level);
    }

    /**
     * Offset in its table of the 8-byte entry that an address chooses.
     *
     * @param address the address being translated
     * @param level level of the table, 1 to 5
     * @return 0 to 4088
     */
    public static long entryOffset(long address, int level) {
        return address >>> 9 * level & 0xff8;
    }

    /**
     * Index of the entry that an address chooses in a table.
     *
     * @param address the address being translated
     * @param level level of the table, 1 to 5
     * @return 0 to 511
     */
    public static int index(long address, int level) {
        return (int) (address >>> shift(level)) & 511;
    }

    /**
     * The part of an address that an entry of this level does not translate.
     *
     * @param address the address being translated
     * @param level level of the entry that maps the page, 1 to 5
     * @return the offset in the page
     */
    public static long pageOffset(long address, int level) {
        return address & (1L << shift(level)) - 1;
    }
}
