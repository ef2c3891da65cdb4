package org.vmxsim.core.segment;

/** Which bits of RFLAGS a popped image may change. SDM "POPF/POPFD/POPFQ", "IRET/IRETD/IRETQ-Interrupt Return". */
public final class FlagsImage {
    /** RF, which IRET restores and POPF clears. */
    public static final long RESUME = 1 << 16;
    /** VIF and VIP, which IRET restores at CPL 0. */
    public static final long VIRTUAL_INTERRUPT = 1 << 19 | 1 << 20;

    /** All flags that there are. */
    static final long DEFINED = 0x3f_7fd5;

    /** CF, PF, AF, ZF, SF, TF, DF, OF, NT. */
    private static final long ALWAYS = 0x4dd5;
    /** AC, ID. */
    private static final long WIDE = 1 << 18 | 1 << 21;

    private static final long INTERRUPT = 1 << 9;
    private static final long IOPL = 3 << 12;

    private FlagsImage() {}

    /**
     * RFLAGS after loading an image from the stack.
     *
     * @param present RFLAGS before
     * @param popped the image
     * @param operandBytes operand size: 2 leaves bits 63:16
     * @param cpl the privilege level of the instruction
     * @param alsoChanged further bits that the instruction changes, with an operand size of 4 or 8
     * @return RFLAGS after
     */
    public static long merged(long present, long popped, int operandBytes, int cpl, long alsoChanged) {
        int iopl = (int) (present >>> 12) & 3;
        long changed = ALWAYS;
        if (operandBytes > 2) {
            changed |= WIDE | alsoChanged;
        }
        if (cpl <= iopl) {
            changed |= INTERRUPT;
        }
        if (cpl == 0) {
            changed |= IOPL;
        }
        return present & ~changed | popped & changed;
    }
}
