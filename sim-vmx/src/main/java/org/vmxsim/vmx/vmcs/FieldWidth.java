package org.vmxsim.vmx.vmcs;

/** Width of a VMCS field, in the order of bits 14:13 of the encoding (SDM "VMCS Encoding"). */
public enum FieldWidth {
    /** 16 bits. */
    WORD(0xffffL),
    /** 64 bits; has a second encoding for its high half. */
    QUAD(-1L),
    /** 32 bits. */
    DOUBLE(0xffff_ffffL),
    /** Natural width: 64 bits on processors with Intel 64 architecture. */
    NATURAL(-1L);

    private final long mask;

    FieldWidth(long mask) {
        this.mask = mask;
    }

    /**
     * The bits that a field of this width holds.
     *
     * @return a mask of low ones
     */
    public long mask() {
        return mask;
    }
}
