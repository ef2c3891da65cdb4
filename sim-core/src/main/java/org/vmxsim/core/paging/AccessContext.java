package org.vmxsim.core.paging;

/**
 * One access to guest-physical memory, asked and answered in the same reusable object: a cursor, plain fields, no
 * allocation. The asker fills the first group and calls a {@link GuestPhysicalTranslator}; the translator fills the
 * second group when it answers {@link GuestPhysicalTranslator#TRANSLATED}; for an access to a guest paging structure
 * ({@link #WALK}) it need answer {@link #hpa} alone.
 */
public final class AccessContext {
    /** Access bit: the access reads. */
    public static final int READ = 1;
    /** Access bit: the access writes (together with {@link #READ} for a read-modify-write). */
    public static final int WRITE = 2;
    /** Access bit: the access fetches an instruction. */
    public static final int FETCH = 4;
    /** Access bit: the linear address is a user-mode access (CPL 3, or not supervisor by the manual's definition). */
    public static final int USER = 8;
    /** Access bit: an access to a guest paging-structure entry, not to the translation of the linear address. */
    public static final int WALK = 16;
    /** Access bit: the write that sets accessed or dirty flags in a guest paging-structure entry. */
    public static final int AD_UPDATE = 32;
    /** Access bit: a locked read-modify-write. */
    public static final int LOCKED = 64;
    /**
     * Access bit: a shadow-stack access, together with {@link #READ} or {@link #WRITE}, and with {@link #USER} for a
     * user shadow-stack access, whatever the CPL.
     */
    public static final int SHADOW_STACK = 128;

    /** Right bit of {@link #permissions}: readable. */
    public static final int R = 1;
    /** Right bit of {@link #permissions}: writable. */
    public static final int W = 2;
    /**
     * Right bit of {@link #permissions}: executable (by supervisor-mode addresses under mode-based execute control).
     */
    public static final int X = 4;
    /** Right bit of {@link #permissions}: executable by user-mode addresses; equals X without mode-based execute. */
    public static final int XU = 8;
    /** Right bit of {@link #guestRights}: every guest entry used has U/S = 1. */
    public static final int GUEST_USER = 1;
    /** Right bit of {@link #guestRights}: every guest entry used has R/W = 1. */
    public static final int GUEST_WRITABLE = 2;
    /** Right bit of {@link #guestRights}: some guest entry used has XD = 1. */
    public static final int GUEST_NX = 4;
    /**
     * Right bit of {@link #guestRights}: the page is a shadow-stack page. The leaf entry has R/W = 0 and D = 1, every
     * other entry used has R/W = 1.
     */
    public static final int GUEST_SHADOW_STACK = 8;

    /** Asked: guest-physical address of the first byte. */
    public long gpa;
    /** Asked: guest-linear address, meaningful if {@link #glaValid}. */
    public long gla;
    /** Asked: whether the access comes from a linear address (false for MOV to CR3 loading PDPTEs and the like). */
    public boolean glaValid;
    /** Asked: bytes touched, all inside one 4-KiB page. */
    public int sizeBytes;
    /** Asked: access bits, {@link #READ} and so on. */
    public int access;
    /** Asked: rights that guest paging gives to the linear address, {@link #GUEST_USER} and so on; final accesses. */
    public int guestRights;

    /** Answered: host-physical address of the first byte. */
    public long hpa;
    /**
     * Answered: what the second level allows for this page, {@link #R} and so on; W is 0 on a sub-page protected page.
     */
    public int permissions;
    /** Answered: log2 of the size of the second-level page: 12, 21, 30, or 63 where there is no second level. */
    public int pageShift;
    /**
     * Answered: bit i allows writes to bytes 128*i to 128*i+127 of the 4-KiB page. All ones or all zeros unless the
     * page is sub-page protected; meaningful for writes only, since reads do not consult sub-page permissions. It says
     * which later writes need not ask again: the write asked for is allowed by the outcome, even if the mask is 0.
     */
    public int writeMask;
    /**
     * Answered: whether a write would need the second level's dirty flag set first (so it must not be cached writable).
     */
    public boolean needsDirty;
    /** Answered: memory type of the second level, one of {@link MemoryType}; WB without a second level. */
    public int memoryType;
    /** Answered: whether {@link #memoryType} holds whatever the guest's PAT says. */
    public boolean ignorePat;

    /** An empty cursor. */
    public AccessContext() {}
}
