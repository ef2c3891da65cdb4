package org.vmxsim.core.paging;

/**
 * The result of translating one linear address by guest paging and the second level: what a TLB entry is made of. A
 * reusable cursor, filled by the guest-paging walker.
 */
public final class LinearTranslation {
    /** Outcome: translated. */
    public static final int OK = 0;
    /** Outcome: page fault; {@link #errorCode} is set, and the linear address goes to CR2. */
    public static final int PAGE_FAULT = 1;
    /** Outcome: the second level has recorded a VM exit. */
    public static final int VM_EXIT = 2;
    /** Outcome: deliver #VE. */
    public static final int VIRTUALIZATION_EXCEPTION = 3;

    /** Linear address asked for. */
    public long linear;
    /** Guest-physical address of it. */
    public long gpa;
    /** Host-physical address of it. */
    public long hpa;
    /** log2 of the smaller of guest page and second-level page: 12, 21 or 30. */
    public int pageShift;
    /** log2 of the size of the guest page: 12, 21, 22 or 30; INVLPG forgets all entries made from it. */
    public int guestPageShift;
    /** Guest rights, bits of {@link AccessContext#GUEST_USER} and so on. */
    public int guestRights;
    /** Whether the guest page is global (G = 1 and CR4.PGE = 1). */
    public boolean global;
    /** Whether the dirty flags of both levels are set (or not in use), so that a write needs no walk. */
    public boolean dirty;
    /** Second-level rights, bits of {@link AccessContext#R} and so on. */
    public int permissions;
    /** Sub-page write mask as in {@link AccessContext#writeMask}; 0 if unknown because the access was not a write. */
    public int writeMask;
    /** Protection key of the guest leaf entry, 0 to 15. */
    public int protectionKey;
    /** Effective memory type: that of the second level combined with the PAT's, one of {@link MemoryType}. */
    public int memoryType;
    /** Error code of the page fault, as pushed. */
    public int errorCode;

    /** An empty cursor. */
    public LinearTranslation() {}
}
