package org.vmxsim.vmx.vmcs;

/** VM-exit information fields (SDM appendix "Field Encoding in VMCS"). */
public enum ExitField implements VmcsField {
    /** Guest-physical address. */
    GUEST_PHYSICAL_ADDRESS(FieldWidth.QUAD, 0, FieldRequirement.EPT),
    /** VM-instruction error. */
    VM_INSTRUCTION_ERROR(FieldWidth.DOUBLE, 0),
    /** Exit reason. */
    EXIT_REASON(FieldWidth.DOUBLE, 1),
    /** VM-exit interruption information. */
    INTERRUPTION_INFORMATION(FieldWidth.DOUBLE, 2),
    /** VM-exit interruption error code. */
    INTERRUPTION_ERROR_CODE(FieldWidth.DOUBLE, 3),
    /** IDT-vectoring information field. */
    IDT_VECTORING_INFORMATION(FieldWidth.DOUBLE, 4),
    /** IDT vectoring error code. */
    IDT_VECTORING_ERROR_CODE(FieldWidth.DOUBLE, 5),
    /** VM-exit instruction length. */
    INSTRUCTION_LENGTH(FieldWidth.DOUBLE, 6),
    /** VM-exit instruction information. */
    INSTRUCTION_INFORMATION(FieldWidth.DOUBLE, 7),
    /** Exit qualification. */
    EXIT_QUALIFICATION(FieldWidth.NATURAL, 0),
    /** I/O RCX. */
    IO_RCX(FieldWidth.NATURAL, 1),
    /** I/O RSI. */
    IO_RSI(FieldWidth.NATURAL, 2),
    /** I/O RDI. */
    IO_RDI(FieldWidth.NATURAL, 3),
    /** I/O RIP. */
    IO_RIP(FieldWidth.NATURAL, 4),
    /** Guest-linear address. */
    GUEST_LINEAR_ADDRESS(FieldWidth.NATURAL, 5);

    /** Slot of the first field of this area in a VMCS. */
    static final int FIRST_SLOT = 96;

    private final FieldWidth width;
    private final int index;
    private final FieldRequirement requirement;

    ExitField(FieldWidth width, int index) {
        this(width, index, FieldRequirement.ALWAYS);
    }

    ExitField(FieldWidth width, int index, FieldRequirement requirement) {
        this.width = width;
        this.index = index;
        this.requirement = requirement;
    }

    @Override
    public FieldType type() {
        return FieldType.EXIT_INFORMATION;
    }

    @Override
    public FieldWidth width() {
        return width;
    }

    @Override
    public int index() {
        return index;
    }

    @Override
    public FieldRequirement requirement() {
        return requirement;
    }

    @Override
    public int slot() {
        return FIRST_SLOT + ordinal();
    }
}
