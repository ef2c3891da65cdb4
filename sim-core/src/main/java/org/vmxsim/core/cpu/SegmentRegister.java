package org.vmxsim.core.cpu;

/** A segment register with its hidden part. Plain fields; access rights are in the VMCS format. */
public final class SegmentRegister {
    /** Access-rights bit 16, "unusable" (SDM "Guest Register State"): a null selector was loaded. */
    public static final int UNUSABLE = 1 << 16;

    /** Selector, 16 bits. */
    public int selector;
    /** Base address; 64 bits for FS, GS, LDTR and TR, else 32. */
    public long base;
    /** Limit in bytes, granularity applied: 0 to 0xffffffff. */
    public int limit;
    /**
     * Access rights as in the VMCS (SDM "Guest Register State", "Segment registers"): 3:0 type, 4 S, 6:5 DPL, 7 P, 12
     * AVL, 13 L, 14 D/B, 15 G, 16 unusable.
     */
    public int accessRights;

    /** A segment register of zeros. */
    public SegmentRegister() {}

    /**
     * Sets all parts.
     *
     * @param selector selector, 16 bits
     * @param base base address
     * @param limit limit in bytes
     * @param accessRights access rights in the VMCS format
     */
    public void set(int selector, long base, int limit, int accessRights) {
        this.selector = selector;
        this.base = base;
        this.limit = limit;
        this.accessRights = accessRights;
    }

    /**
     * Copies all parts.
     *
     * @param other the register to copy from
     */
    public void set(SegmentRegister other) {
        set(other.selector, other.base, other.limit, other.accessRights);
    }

    /**
     * Descriptor privilege level.
     *
     * @return 0 to 3
     */
    public int dpl() {
        return accessRights >>> 5 & 3;
    }

    /**
     * Whether the segment cannot be used.
     *
     * @return true after loading a null selector
     */
    public boolean unusable() {
        return (accessRights & UNUSABLE) != 0;
    }

    /**
     * The D/B flag: 32-bit default operand size (code) or stack pointer (stack).
     *
     * @return true if set
     */
    public boolean big() {
        return (accessRights & 1 << 14) != 0;
    }

    /**
     * The L flag: 64-bit code.
     *
     * @return true if set
     */
    public boolean longMode() {
        return (accessRights & 1 << 13) != 0;
    }
}
