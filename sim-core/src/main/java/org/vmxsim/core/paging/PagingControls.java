package org.vmxsim.core.paging;

/**
 * What decides how linear addresses are translated, taken from the control registers once when they change. SDM "Paging
 * Modes and Control Bits". Plain fields.
 */
public final class PagingControls {
    private static final long ENTRY_ADDRESS = 0x000f_ffff_ffff_f000L;

    /** Level of the root table: 5, 4, 3 (PAE), 2 (32-bit), or 0 with paging off. */
    public int rootLevel;
    /** Bytes of an entry: 8, or 4 with 32-bit paging. */
    public int entryBytes;
    /** Guest-physical address of the root table; with PAE paging unused. */
    public long root;
    /** The PDPTEs of PAE paging: the processor's own registers. */
    public long[] pdptes = new long[4];
    /** IA32_PAT; set apart from the other controls. */
    public long pat = MemoryType.RESET_PAT;
    /** CR0.CD: everything is uncacheable. */
    public boolean cacheDisable;
    /** CR0.WP. */
    public boolean writeProtect;
    /** CR4.SMEP. */
    public boolean smep;
    /** CR4.SMAP. */
    public boolean smap;
    /** CR4.PGE. */
    public boolean globalPages;
    /** CR4.PSE with 32-bit paging: 4-MiB pages. */
    public boolean pages4M;
    /** Whether the model has 1-GiB pages. */
    public boolean pages1G;
    /** EFER.NXE, where the paging mode has execute-disable. */
    public boolean executeDisable;
    /** Bits that must be 0 in every entry of the mode: above MAXPHYADDR, and XD if it is not enabled. */
    public long reserved;
    /**
     * By level: an entry of which only P and A are set among these bits refers to a table, breaks no rule and has its
     * accessed flag set. Nothing is plain at level 1 and with 32-bit paging.
     */
    final long[] plainTableMask = new long[Radix.PML5 + 1];

    /** PCID in CR3, or 0. */
    public int pcid;

    private final int physicalAddressBits;

    /**
     * Controls of a processor with paging off.
     *
     * @param physicalAddressBits MAXPHYADDR
     * @param pages1G whether there are 1-GiB pages
     */
    public PagingControls(int physicalAddressBits, boolean pages1G) {
        this.physicalAddressBits = physicalAddressBits;
        this.pages1G = pages1G;
    }

    /**
     * Takes the controls from the registers.
     *
     * @param cr0 CR0
     * @param cr3 CR3
     * @param cr4 CR4
     * @param efer IA32_EFER
     * @param pdpteRegisters the processor's PDPTEs
     */
    public void set(long cr0, long cr3, long cr4, long efer, long[] pdpteRegisters) {
        boolean longMode = (efer >>> 10 & 1) != 0;
        boolean pae = (cr4 >>> 5 & 1) != 0;
        pdptes = pdpteRegisters;
        writeProtect = (cr0 >>> 16 & 1) != 0;
        cacheDisable = (cr0 >>> 30 & 1) != 0;
        smep = (cr4 >>> 20 & 1) != 0;
        smap = (cr4 >>> 21 & 1) != 0;
        globalPages = (cr4 >>> 7 & 1) != 0;
        pages4M = (cr4 >>> 4 & 1) != 0;
        executeDisable = pae && (efer >>> 11 & 1) != 0;
        entryBytes = pae ? 8 : 4;
        if ((cr0 >>> 31 & 1) == 0) {
            rootLevel = 0;
        } else if (longMode) {
            rootLevel = (cr4 >>> 12 & 1) != 0 ? 5 : 4;
        } else {
            rootLevel = pae ? 3 : 2;
        }
        root = rootLevel == 2 ? cr3 & 0xffff_f000L : cr3 & ENTRY_ADDRESS;
        pcid = (cr4 >>> 17 & 1) != 0 ? (int) cr3 & 0xfff : 0;
        reserved = rootLevel == 2 ? 0 : reservedOf(longMode);
        for (int level = Radix.PD; level <= Radix.PML5; level++) {
            plainTableMask[level] = entryBytes == 8 ? reserved | PagingEntry.PLAIN_TABLE | PagingEntry.PAGE_SIZE : 0;
        }
    }

    private long reservedOf(boolean longMode) {
        long aboveWidth = ENTRY_ADDRESS & -1L << physicalAddressBits;
        long upper = longMode ? 0 : 0x7ff0_0000_0000_0000L;
        return aboveWidth | upper | (executeDisable ? 0 : 1L << 63);
    }

    /**
     * Whether a PDPTE that MOV to CR3 loads for PAE paging is bad. SDM "PDPTE Registers".
     *
     * @param pdpte the entry
     * @return true if present with a reserved bit set
     */
    public boolean isBadPdpte(long pdpte) {
        long mustBeZero = 0x1e6 | -1L << physicalAddressBits;
        return (pdpte & 1) != 0 && (pdpte & mustBeZero) != 0;
    }

    /**
     * Physical address bits that are beyond MAXPHYADDR.
     *
     * @return bits 63:MAXPHYADDR
     */
    public long beyondWidth() {
        return -1L << physicalAddressBits;
    }

    /**
     * Whether the rights of a page forbid an access. SDM "Determination of Access Rights".
     *
     * @param rights bits {@link AccessContext#GUEST_USER} and following
     * @param access bits {@link AccessContext#WRITE}, FETCH, USER, and {@link GuestPagingWalker#SMAP_OVERRIDE}
     * @return true for a page fault
     */
    public boolean forbids(int rights, int access) {
        boolean userPage = (rights & AccessContext.GUEST_USER) != 0;
        boolean writable = (rights & AccessContext.GUEST_WRITABLE) != 0;
        boolean write = (access & AccessContext.WRITE) != 0;
        boolean fetch = (access & AccessContext.FETCH) != 0;
        if (rootLevel == 0) {
            return false;
        }
        if (fetch && (rights & AccessContext.GUEST_NX) != 0) {
            return true;
        }
        if ((access & AccessContext.USER) != 0) {
            return !userPage || write && !writable;
        }
        if (fetch) {
            return userPage && smep;
        }
        return userPage && smap && (access & GuestPagingWalker.SMAP_OVERRIDE) == 0
                || write && !writable && writeProtect;
    }
}
