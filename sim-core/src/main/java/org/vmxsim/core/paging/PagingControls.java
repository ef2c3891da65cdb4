package org.vmxsim.core.paging;

/**
 * What decides how linear addresses are translated, taken from the control registers once when they change. SDM "Paging
 * Modes and Control Bits". Plain fields.
 */
public final class PagingControls {
    private static final long ENTRY_ADDRESS = 0x000f_ffff_ffff_f000L;
    private static final int ACCESS_DISABLE = 1;

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

    /** PKRU where CR4.PKE makes it count, or 0, which allows everything. */
    public int userKeys;
    /** IA32_PKRS where CR4.PKS makes it count, or 0, which allows everything. */
    public int supervisorKeys;
    /** PCID in CR3, or 0. */
    public int pcid;

    private final int physicalAddressBits;
    private boolean hasUserKeys;
    private boolean hasSupervisorKeys;

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
     * Takes the controls from the registers; protection keys count for nothing until {@link #keys} is called.
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
        hasUserKeys = rootLevel >= Radix.PML4 && (cr4 >>> 22 & 1) != 0;
        hasSupervisorKeys = rootLevel >= Radix.PML4 && (cr4 >>> 24 & 1) != 0;
        keys(0, 0);
        for (int level = Radix.PD; level <= Radix.PML5; level++) {
            plainTableMask[level] = entryBytes == 8 ? reserved | PagingEntry.PLAIN_TABLE | PagingEntry.PAGE_SIZE : 0;
        }
    }

    /**
     * Takes the rights of the protection keys; to be called again after {@link #set}.
     *
     * @param pkru PKRU, for user-mode addresses
     * @param pkrs IA32_PKRS, for supervisor-mode addresses
     */
    public void keys(int pkru, int pkrs) {
        userKeys = hasUserKeys ? pkru : 0;
        supervisorKeys = hasSupervisorKeys ? pkrs : 0;
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
     * Whether the rights of a page or its protection key forbid an access. SDM "Determination of Access Rights".
     *
     * @param rights bits {@link AccessContext#GUEST_USER} and following
     * @param key protection key of the page, 0 to 15
     * @param access bits {@link AccessContext#WRITE}, FETCH, USER, SHADOW_STACK, and
     *     {@link GuestPagingWalker#SMAP_OVERRIDE}
     * @return true for a page fault
     */
    public boolean forbids(int rights, int key, int access) {
        if (rootLevel == 0) {
            return false;
        }
        if ((access & AccessContext.FETCH) != 0) {
            return forbidsFetch(rights, access);
        }
        if ((userKeys | supervisorKeys) != 0 && keyForbids(rights, key, access)) {
            return true;
        }
        if ((access & AccessContext.SHADOW_STACK) != 0) {
            return forbidsShadowStack(rights, access);
        }
        boolean userPage = (rights & AccessContext.GUEST_USER) != 0;
        boolean writable = (rights & AccessContext.GUEST_WRITABLE) != 0;
        boolean write = (access & AccessContext.WRITE) != 0;
        if ((access & AccessContext.USER) != 0) {
            return !userPage || write && !writable;
        }
        return userPage && smap && (access & GuestPagingWalker.SMAP_OVERRIDE) == 0
                || write && !writable && writeProtect;
    }

    private boolean forbidsFetch(int rights, int access) {
        boolean userPage = (rights & AccessContext.GUEST_USER) != 0;
        if ((rights & AccessContext.GUEST_NX) != 0) {
            return true;
        }
        return (access & AccessContext.USER) != 0 ? !userPage : userPage && smep;
    }

    /**
     * Shadow-stack accesses are allowed only to shadow-stack addresses of their own mode. SMAP says nothing about them:
     * a supervisor-mode one to a user-mode address is refused anyhow.
     */
    private static boolean forbidsShadowStack(int rights, int access) {
        boolean userPage = (rights & AccessContext.GUEST_USER) != 0;
        boolean user = (access & AccessContext.USER) != 0;
        return (rights & AccessContext.GUEST_SHADOW_STACK) == 0 || userPage != user;
    }

    /**
     * Whether the protection key of a page forbids an access. SDM "Protection Keys": PKRU decides about user-mode
     * addresses, IA32_PKRS about supervisor-mode ones; keys do not apply to instruction fetches. A write that WD
     * disables is forbidden to user mode always, and to supervisor mode if CR0.WP = 1.
     *
     * @param rights bits {@link AccessContext#GUEST_USER} and following
     * @param key protection key of the page, 0 to 15
     * @param access as for {@link #forbids}
     * @return true for a page fault with the PK flag
     */
    public boolean keyForbids(int rights, int key, int access) {
        int keys = (rights & AccessContext.GUEST_USER) != 0 ? userKeys : supervisorKeys;
        int disabled = keys >>> 2 * key & 3;
        if (disabled == 0 || (access & AccessContext.FETCH) != 0) {
            return false;
        }
        if ((disabled & ACCESS_DISABLE) != 0) {
            return true;
        }
        return (access & AccessContext.WRITE) != 0 && (writeProtect || (access & AccessContext.USER) != 0);
    }
}
