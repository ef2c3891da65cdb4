package org.vmxsim.vmx.vmcs;

/** Guest-state area (SDM appendix "Field Encoding in VMCS"). */
public enum GuestField implements VmcsField {
    /** Guest ES selector. */
    ES_SELECTOR(FieldWidth.WORD, 0),
    /** Guest CS selector. */
    CS_SELECTOR(FieldWidth.WORD, 1),
    /** Guest SS selector. */
    SS_SELECTOR(FieldWidth.WORD, 2),
    /** Guest DS selector. */
    DS_SELECTOR(FieldWidth.WORD, 3),
    /** Guest FS selector. */
    FS_SELECTOR(FieldWidth.WORD, 4),
    /** Guest GS selector. */
    GS_SELECTOR(FieldWidth.WORD, 5),
    /** Guest LDTR selector. */
    LDTR_SELECTOR(FieldWidth.WORD, 6),
    /** Guest TR selector. */
    TR_SELECTOR(FieldWidth.WORD, 7),
    /** Guest interrupt status. */
    INTERRUPT_STATUS(FieldWidth.WORD, 8, FieldRequirement.VIRTUAL_INTERRUPT_DELIVERY),
    /** Guest PML index. */
    PML_INDEX(FieldWidth.WORD, 9, FieldRequirement.PML),
    /** Guest UINV. */
    UINV(FieldWidth.WORD, 10, FieldRequirement.NEVER),
    /** Guest VMCS link pointer. */
    VMCS_LINK_POINTER(FieldWidth.QUAD, 0),
    /** Guest IA32_DEBUGCTL. */
    IA32_DEBUGCTL(FieldWidth.QUAD, 1),
    /** Guest IA32_PAT. */
    IA32_PAT(FieldWidth.QUAD, 2, FieldRequirement.PAT),
    /** Guest IA32_EFER. */
    IA32_EFER(FieldWidth.QUAD, 3, FieldRequirement.EFER),
    /** Guest IA32_PERF_GLOBAL_CTRL. */
    IA32_PERF_GLOBAL_CTRL(FieldWidth.QUAD, 4, FieldRequirement.PERF_GLOBAL_CTRL),
    /** Guest PDPTE 0. */
    PDPTE_0(FieldWidth.QUAD, 5, FieldRequirement.EPT),
    /** Guest PDPTE 1. */
    PDPTE_1(FieldWidth.QUAD, 6, FieldRequirement.EPT),
    /** Guest PDPTE 2. */
    PDPTE_2(FieldWidth.QUAD, 7, FieldRequirement.EPT),
    /** Guest PDPTE 3. */
    PDPTE_3(FieldWidth.QUAD, 8, FieldRequirement.EPT),
    /** Guest IA32_BNDCFGS. */
    IA32_BNDCFGS(FieldWidth.QUAD, 9, FieldRequirement.BNDCFGS),
    /** Guest IA32_RTIT_CTL. */
    IA32_RTIT_CTL(FieldWidth.QUAD, 10, FieldRequirement.RTIT_CTL),
    /** Guest IA32_LBR_CTL. */
    IA32_LBR_CTL(FieldWidth.QUAD, 11, FieldRequirement.LBR_CTL),
    /** Guest IA32_PKRS. */
    IA32_PKRS(FieldWidth.QUAD, 12, FieldRequirement.PKRS),
    /** Guest ES limit. */
    ES_LIMIT(FieldWidth.DOUBLE, 0),
    /** Guest CS limit. */
    CS_LIMIT(FieldWidth.DOUBLE, 1),
    /** Guest SS limit. */
    SS_LIMIT(FieldWidth.DOUBLE, 2),
    /** Guest DS limit. */
    DS_LIMIT(FieldWidth.DOUBLE, 3),
    /** Guest FS limit. */
    FS_LIMIT(FieldWidth.DOUBLE, 4),
    /** Guest GS limit. */
    GS_LIMIT(FieldWidth.DOUBLE, 5),
    /** Guest LDTR limit. */
    LDTR_LIMIT(FieldWidth.DOUBLE, 6),
    /** Guest TR limit. */
    TR_LIMIT(FieldWidth.DOUBLE, 7),
    /** Guest GDTR limit. */
    GDTR_LIMIT(FieldWidth.DOUBLE, 8),
    /** Guest IDTR limit. */
    IDTR_LIMIT(FieldWidth.DOUBLE, 9),
    /** Guest ES access rights. */
    ES_ACCESS_RIGHTS(FieldWidth.DOUBLE, 10),
    /** Guest CS access rights. */
    CS_ACCESS_RIGHTS(FieldWidth.DOUBLE, 11),
    /** Guest SS access rights. */
    SS_ACCESS_RIGHTS(FieldWidth.DOUBLE, 12),
    /** Guest DS access rights. */
    DS_ACCESS_RIGHTS(FieldWidth.DOUBLE, 13),
    /** Guest FS access rights. */
    FS_ACCESS_RIGHTS(FieldWidth.DOUBLE, 14),
    /** Guest GS access rights. */
    GS_ACCESS_RIGHTS(FieldWidth.DOUBLE, 15),
    /** Guest LDTR access rights. */
    LDTR_ACCESS_RIGHTS(FieldWidth.DOUBLE, 16),
    /** Guest TR access rights. */
    TR_ACCESS_RIGHTS(FieldWidth.DOUBLE, 17),
    /** Guest interruptibility state. */
    INTERRUPTIBILITY_STATE(FieldWidth.DOUBLE, 18),
    /** Guest activity state. */
    ACTIVITY_STATE(FieldWidth.DOUBLE, 19),
    /** Guest SMBASE. */
    SMBASE(FieldWidth.DOUBLE, 20),
    /** Guest IA32_SYSENTER_CS. */
    IA32_SYSENTER_CS(FieldWidth.DOUBLE, 21),
    /** Guest VMX-preemption timer value. */
    PREEMPTION_TIMER_VALUE(FieldWidth.DOUBLE, 23, FieldRequirement.PREEMPTION_TIMER),
    /** Guest CR0. */
    CR0(FieldWidth.NATURAL, 0),
    /** Guest CR3. */
    CR3(FieldWidth.NATURAL, 1),
    /** Guest CR4. */
    CR4(FieldWidth.NATURAL, 2),
    /** Guest ES base. */
    ES_BASE(FieldWidth.NATURAL, 3),
    /** Guest CS base. */
    CS_BASE(FieldWidth.NATURAL, 4),
    /** Guest SS base. */
    SS_BASE(FieldWidth.NATURAL, 5),
    /** Guest DS base. */
    DS_BASE(FieldWidth.NATURAL, 6),
    /** Guest FS base. */
    FS_BASE(FieldWidth.NATURAL, 7),
    /** Guest GS base. */
    GS_BASE(FieldWidth.NATURAL, 8),
    /** Guest LDTR base. */
    LDTR_BASE(FieldWidth.NATURAL, 9),
    /** Guest TR base. */
    TR_BASE(FieldWidth.NATURAL, 10),
    /** Guest GDTR base. */
    GDTR_BASE(FieldWidth.NATURAL, 11),
    /** Guest IDTR base. */
    IDTR_BASE(FieldWidth.NATURAL, 12),
    /** Guest DR7. */
    DR7(FieldWidth.NATURAL, 13),
    /** Guest RSP. */
    RSP(FieldWidth.NATURAL, 14),
    /** Guest RIP. */
    RIP(FieldWidth.NATURAL, 15),
    /** Guest RFLAGS. */
    RFLAGS(FieldWidth.NATURAL, 16),
    /** Guest pending debug exceptions. */
    PENDING_DEBUG_EXCEPTIONS(FieldWidth.NATURAL, 17),
    /** Guest IA32_SYSENTER_ESP. */
    IA32_SYSENTER_ESP(FieldWidth.NATURAL, 18),
    /** Guest IA32_SYSENTER_EIP. */
    IA32_SYSENTER_EIP(FieldWidth.NATURAL, 19),
    /** Guest IA32_S_CET. */
    IA32_S_CET(FieldWidth.NATURAL, 20, FieldRequirement.CET),
    /** Guest SSP. */
    SSP(FieldWidth.NATURAL, 21, FieldRequirement.CET),
    /** Guest IA32_INTERRUPT_SSP_TABLE_ADDR. */
    IA32_INTERRUPT_SSP_TABLE_ADDR(FieldWidth.NATURAL, 22, FieldRequirement.CET);

    /** Slot of the first field of this area in a VMCS. */
    static final int FIRST_SLOT = 128;

    private final FieldWidth width;
    private final int index;
    private final FieldRequirement requirement;

    GuestField(FieldWidth width, int index) {
        this(width, index, FieldRequirement.ALWAYS);
    }

    GuestField(FieldWidth width, int index, FieldRequirement requirement) {
        this.width = width;
        this.index = index;
        this.requirement = requirement;
    }

    @Override
    public FieldType type() {
        return FieldType.GUEST;
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
