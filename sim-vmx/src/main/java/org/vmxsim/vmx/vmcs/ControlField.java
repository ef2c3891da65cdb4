package org.vmxsim.vmx.vmcs;

/** VM-execution, VM-exit and VM-entry control fields (SDM appendix "Field Encoding in VMCS"). */
public enum ControlField implements VmcsField {
    /** VPID. */
    VPID(FieldWidth.WORD, 0, FieldRequirement.VPID),
    /** Posted interrupt notification vector. */
    POSTED_INTERRUPT_NOTIFICATION_VECTOR(FieldWidth.WORD, 1, FieldRequirement.POSTED_INTERRUPTS),
    /** EPTP index. */
    EPTP_INDEX(FieldWidth.WORD, 2, FieldRequirement.VIRTUALIZATION_EXCEPTION),
    /** HLAT prefix size. */
    HLAT_PREFIX_SIZE(FieldWidth.WORD, 3, FieldRequirement.HLAT),
    /** Last PID pointer index. */
    LAST_PID_POINTER_INDEX(FieldWidth.WORD, 4, FieldRequirement.IPI_VIRTUALIZATION),
    /** Address of I/O bitmap A. */
    IO_BITMAP_A_ADDRESS(FieldWidth.QUAD, 0),
    /** Address of I/O bitmap B. */
    IO_BITMAP_B_ADDRESS(FieldWidth.QUAD, 1),
    /** Address of MSR bitmaps. */
    MSR_BITMAPS_ADDRESS(FieldWidth.QUAD, 2, FieldRequirement.MSR_BITMAPS),
    /** VM-exit MSR-store address. */
    EXIT_MSR_STORE_ADDRESS(FieldWidth.QUAD, 3),
    /** VM-exit MSR-load address. */
    EXIT_MSR_LOAD_ADDRESS(FieldWidth.QUAD, 4),
    /** VM-entry MSR-load address. */
    ENTRY_MSR_LOAD_ADDRESS(FieldWidth.QUAD, 5),
    /** Executive-VMCS pointer. */
    EXECUTIVE_VMCS_POINTER(FieldWidth.QUAD, 6),
    /** PML address. */
    PML_ADDRESS(FieldWidth.QUAD, 7, FieldRequirement.PML),
    /** TSC offset. */
    TSC_OFFSET(FieldWidth.QUAD, 8),
    /** Virtual-APIC address. */
    VIRTUAL_APIC_ADDRESS(FieldWidth.QUAD, 9, FieldRequirement.TPR_SHADOW),
    /** APIC-access address. */
    APIC_ACCESS_ADDRESS(FieldWidth.QUAD, 10, FieldRequirement.APIC_ACCESSES),
    /** Posted interrupt descriptor address. */
    POSTED_INTERRUPT_DESCRIPTOR_ADDRESS(FieldWidth.QUAD, 11, FieldRequirement.POSTED_INTERRUPTS),
    /** VM function controls. */
    VM_FUNCTION_CONTROLS(FieldWidth.QUAD, 12, FieldRequirement.VM_FUNCTIONS),
    /** EPT pointer (EPTP). */
    EPT_POINTER(FieldWidth.QUAD, 13, FieldRequirement.EPT),
    /** EOI exit bitmap 0. */
    EOI_EXIT_BITMAP_0(FieldWidth.QUAD, 14, FieldRequirement.VIRTUAL_INTERRUPT_DELIVERY),
    /** EOI exit bitmap 1. */
    EOI_EXIT_BITMAP_1(FieldWidth.QUAD, 15, FieldRequirement.VIRTUAL_INTERRUPT_DELIVERY),
    /** EOI exit bitmap 2. */
    EOI_EXIT_BITMAP_2(FieldWidth.QUAD, 16, FieldRequirement.VIRTUAL_INTERRUPT_DELIVERY),
    /** EOI exit bitmap 3. */
    EOI_EXIT_BITMAP_3(FieldWidth.QUAD, 17, FieldRequirement.VIRTUAL_INTERRUPT_DELIVERY),
    /** EPTP list address. */
    EPTP_LIST_ADDRESS(FieldWidth.QUAD, 18, FieldRequirement.VM_FUNCTIONS),
    /** VMREAD bitmap address. */
    VMREAD_BITMAP_ADDRESS(FieldWidth.QUAD, 19, FieldRequirement.VMCS_SHADOWING),
    /** VMWRITE bitmap address. */
    VMWRITE_BITMAP_ADDRESS(FieldWidth.QUAD, 20, FieldRequirement.VMCS_SHADOWING),
    /** Virtualization exception information address. */
    VIRTUALIZATION_EXCEPTION_INFORMATION_ADDRESS(FieldWidth.QUAD, 21, FieldRequirement.VIRTUALIZATION_EXCEPTION),
    /** XSS exiting bitmap. */
    XSS_EXITING_BITMAP(FieldWidth.QUAD, 22, FieldRequirement.XSAVES),
    /** ENCLS exiting bitmap. */
    ENCLS_EXITING_BITMAP(FieldWidth.QUAD, 23, FieldRequirement.ENCLS_EXITING),
    /** Sub-page-permission-table pointer (SPPTP). */
    SUB_PAGE_PERMISSION_TABLE_POINTER(FieldWidth.QUAD, 24, FieldRequirement.SUB_PAGE_WRITE),
    /** TSC multiplier. */
    TSC_MULTIPLIER(FieldWidth.QUAD, 25, FieldRequirement.TSC_SCALING),
    /** Tertiary processor-based VM-execution controls. */
    TERTIARY_PROCESSOR_CONTROLS(FieldWidth.QUAD, 26, FieldRequirement.TERTIARY_CONTROLS),
    /** ENCLV exiting bitmap. */
    ENCLV_EXITING_BITMAP(FieldWidth.QUAD, 27, FieldRequirement.ENCLV_EXITING),
    /** Low PASID directory address. */
    LOW_PASID_DIRECTORY_ADDRESS(FieldWidth.QUAD, 28, FieldRequirement.PASID_TRANSLATION),
    /** High PASID directory address. */
    HIGH_PASID_DIRECTORY_ADDRESS(FieldWidth.QUAD, 29, FieldRequirement.PASID_TRANSLATION),
    /** Shared EPT pointer. */
    SHARED_EPT_POINTER(FieldWidth.QUAD, 30, FieldRequirement.NEVER),
    /** PCONFIG exiting bitmap. */
    PCONFIG_EXITING_BITMAP(FieldWidth.QUAD, 31, FieldRequirement.PCONFIG),
    /** HLAT pointer. */
    HLAT_POINTER(FieldWidth.QUAD, 32, FieldRequirement.HLAT),
    /** PID pointer table address. */
    PID_POINTER_TABLE_ADDRESS(FieldWidth.QUAD, 33, FieldRequirement.IPI_VIRTUALIZATION),
    /** Secondary VM-exit controls. */
    SECONDARY_EXIT_CONTROLS(FieldWidth.QUAD, 34, FieldRequirement.SECONDARY_EXIT_CONTROLS),
    /** IA32_SPEC_CTRL_MASK. */
    IA32_SPEC_CTRL_MASK(FieldWidth.QUAD, 37, FieldRequirement.SPEC_CTRL_VIRTUALIZATION),
    /** IA32_SPEC_CTRL_SHADOW. */
    IA32_SPEC_CTRL_SHADOW(FieldWidth.QUAD, 38, FieldRequirement.SPEC_CTRL_VIRTUALIZATION),
    /** Pin-based VM-execution controls. */
    PIN_CONTROLS(FieldWidth.DOUBLE, 0),
    /** Primary processor-based VM-execution controls. */
    PRIMARY_PROCESSOR_CONTROLS(FieldWidth.DOUBLE, 1),
    /** Exception bitmap. */
    EXCEPTION_BITMAP(FieldWidth.DOUBLE, 2),
    /** Page-fault error-code mask. */
    PAGE_FAULT_ERROR_CODE_MASK(FieldWidth.DOUBLE, 3),
    /** Page-fault error-code match. */
    PAGE_FAULT_ERROR_CODE_MATCH(FieldWidth.DOUBLE, 4),
    /** CR3-target count. */
    CR3_TARGET_COUNT(FieldWidth.DOUBLE, 5),
    /** Primary VM-exit controls. */
    EXIT_CONTROLS(FieldWidth.DOUBLE, 6),
    /** VM-exit MSR-store count. */
    EXIT_MSR_STORE_COUNT(FieldWidth.DOUBLE, 7),
    /** VM-exit MSR-load count. */
    EXIT_MSR_LOAD_COUNT(FieldWidth.DOUBLE, 8),
    /** VM-entry controls. */
    ENTRY_CONTROLS(FieldWidth.DOUBLE, 9),
    /** VM-entry MSR-load count. */
    ENTRY_MSR_LOAD_COUNT(FieldWidth.DOUBLE, 10),
    /** VM-entry interruption-information field. */
    ENTRY_INTERRUPTION_INFORMATION(FieldWidth.DOUBLE, 11),
    /** VM-entry exception error code. */
    ENTRY_EXCEPTION_ERROR_CODE(FieldWidth.DOUBLE, 12),
    /** VM-entry instruction length. */
    ENTRY_INSTRUCTION_LENGTH(FieldWidth.DOUBLE, 13),
    /** TPR threshold. */
    TPR_THRESHOLD(FieldWidth.DOUBLE, 14, FieldRequirement.TPR_SHADOW),
    /** Secondary processor-based VM-execution controls. */
    SECONDARY_PROCESSOR_CONTROLS(FieldWidth.DOUBLE, 15, FieldRequirement.SECONDARY_CONTROLS),
    /** PLE gap. */
    PLE_GAP(FieldWidth.DOUBLE, 16, FieldRequirement.PAUSE_LOOP_EXITING),
    /** PLE window. */
    PLE_WINDOW(FieldWidth.DOUBLE, 17, FieldRequirement.PAUSE_LOOP_EXITING),
    /** Instruction timeout control. */
    INSTRUCTION_TIMEOUT_CONTROL(FieldWidth.DOUBLE, 18, FieldRequirement.INSTRUCTION_TIMEOUT),
    /** CR0 guest/host mask. */
    CR0_GUEST_HOST_MASK(FieldWidth.NATURAL, 0),
    /** CR4 guest/host mask. */
    CR4_GUEST_HOST_MASK(FieldWidth.NATURAL, 1),
    /** CR0 read shadow. */
    CR0_READ_SHADOW(FieldWidth.NATURAL, 2),
    /** CR4 read shadow. */
    CR4_READ_SHADOW(FieldWidth.NATURAL, 3),
    /** CR3 target value 0. */
    CR3_TARGET_VALUE_0(FieldWidth.NATURAL, 4),
    /** CR3 target value 1. */
    CR3_TARGET_VALUE_1(FieldWidth.NATURAL, 5),
    /** CR3 target value 2. */
    CR3_TARGET_VALUE_2(FieldWidth.NATURAL, 6),
    /** CR3 target value 3. */
    CR3_TARGET_VALUE_3(FieldWidth.NATURAL, 7);

    /** Slot of the first field of this area in a VMCS. */
    static final int FIRST_SLOT = 0;

    private final FieldWidth width;
    private final int index;
    private final FieldRequirement requirement;

    ControlField(FieldWidth width, int index) {
        this(width, index, FieldRequirement.ALWAYS);
    }

    ControlField(FieldWidth width, int index, FieldRequirement requirement) {
        this.width = width;
        this.index = index;
        this.requirement = requirement;
    }

    @Override
    public FieldType type() {
        return FieldType.CONTROL;
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
