package org.vmxsim.core.cpu;

/**
 * An interrupt or exception on its way to its handler: a reusable cursor, plain fields. Types and vectors are those of
 * the VM-entry interruption-information field (SDM "VM-Entry Controls for Event Injection").
 */
public final class Event {
    /** Type: external interrupt. */
    public static final int EXTERNAL = 0;
    /** Type: non-maskable interrupt. */
    public static final int NMI = 2;
    /** Type: hardware exception. */
    public static final int EXCEPTION = 3;
    /** Type: software interrupt, INT n. */
    public static final int SOFTWARE_INTERRUPT = 4;
    /** Type: privileged software exception, INT1. */
    public static final int PRIVILEGED_SOFTWARE_EXCEPTION = 5;
    /** Type: software exception, INT3 or INTO. */
    public static final int SOFTWARE_EXCEPTION = 6;

    /** Vector of the debug exception. */
    public static final int DEBUG = 1;
    /** Vector of the breakpoint exception, here for all events that are benign. */
    static final int BREAKPOINT = 3;
    /** Vector of the double fault. */
    public static final int DOUBLE_FAULT = 8;
    /** Vector of the stack fault. */
    public static final int STACK_FAULT = 12;
    /** Vector of general protection. */
    public static final int GENERAL_PROTECTION = 13;
    /** Vector of the page fault. */
    public static final int PAGE_FAULT = 14;

    /** Vector of the alignment check. */
    static final int ALIGNMENT_CHECK = 17;

    /** Bit 11 of the information formats: an error code is delivered. */
    public static final int DELIVER_ERROR_CODE = 1 << 11;
    /** Bit 31 of the information formats: the field is valid. */
    public static final int VALID = 1 << 31;

    private static final int CONTRIBUTORY = 1 << 0 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 21;
    private static final int PAGE_FAULTS = 1 << 14 | 1 << 20;

    /** Type, {@link #EXTERNAL} to {@link #SOFTWARE_EXCEPTION}. */
    public int type;
    /** Vector, 0 to 255. */
    public int vector;
    /** Error code as pushed, if {@link #hasErrorCode}. */
    public int errorCode;
    /** Whether an error code is pushed. */
    public boolean hasErrorCode;
    /** Linear address of a page fault, DR6-like bits of a debug exception, else 0. */
    public long qualification;
    /** RIP to push: of the instruction (fault) or of the next one (trap, interrupt). */
    public long returnRip;
    /** RFLAGS to push. */
    public long pushedFlags;

    /** No event. */
    public Event() {}

    /**
     * Sets what the event is.
     *
     * @param type its type
     * @param vector its vector
     * @param hasErrorCode whether an error code is pushed
     * @param errorCode the error code
     * @param qualification linear address or debug bits, or 0
     */
    public void set(int type, int vector, boolean hasErrorCode, int errorCode, long qualification) {
        this.type = type;
        this.vector = vector;
        this.hasErrorCode = hasErrorCode;
        this.errorCode = errorCode;
        this.qualification = qualification;
    }

    /**
     * Whether an instruction asked for the event, so that gates are checked against the CPL and RIP is that of the next
     * instruction. SDM "Software-Generated Interrupts".
     *
     * @return true for INT n, INT1, INT3, INTO
     */
    public boolean isSoftware() {
        return type >= SOFTWARE_INTERRUPT;
    }

    /** Whether this is the debug exception, raised by the processor or by INT1. */
    boolean isDebug() {
        return vector == DEBUG && (type == EXCEPTION || type == PRIVILEGED_SOFTWARE_EXCEPTION);
    }

    /** Whether this is a contributory exception or a page fault (#VE counts as one). */
    boolean isGrave() {
        return type == EXCEPTION && (1 << vector & (CONTRIBUTORY | PAGE_FAULTS)) != 0;
    }

    /**
     * Whether this exception, met while another was being delivered, makes a double fault of the two. SDM table
     * "Conditions for Generating a Double Fault".
     */
    boolean makesDoubleFault(int firstVector) {
        boolean afterPageFault = (1 << firstVector & PAGE_FAULTS) != 0;
        boolean afterContributory = (1 << firstVector & CONTRIBUTORY) != 0;
        return isGrave() && (afterPageFault || afterContributory && (1 << vector & CONTRIBUTORY) != 0);
    }

    /**
     * Whether this is an alignment check that was met while one was being delivered. Both are benign, so it is
     * delivered in turn, and if memory stays as it is that has no end: of all chains of faults only this one.
     */
    boolean isEndless(int vectoringInfo) {
        return type == EXCEPTION
                && vector == ALIGNMENT_CHECK
                && (vectoringInfo & 0x7ff) == (EXCEPTION << 8 | ALIGNMENT_CHECK);
    }

    /**
     * The EXT bit of error codes of faults that occur while this event is delivered. SDM "Error Code": set for events
     * external to the program; INT n, INT3 and INTO are not, INT1 counts as external.
     *
     * @return 1 or 0
     */
    public int ext() {
        return type == SOFTWARE_INTERRUPT || type == SOFTWARE_EXCEPTION ? 0 : 1;
    }

    /**
     * The event in the format of the IDT-vectoring information field.
     *
     * @return vector, type, error-code flag and valid bit
     */
    public int vectoringInformation() {
        return vector | type << 8 | (hasErrorCode ? DELIVER_ERROR_CODE : 0) | VALID;
    }
}
