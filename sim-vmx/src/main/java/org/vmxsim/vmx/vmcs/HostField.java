package org.vmxsim.vmx.vmcs;

/** Host-state area (SDM appendix "Field Encoding in VMCS"). */
public enum HostField implements VmcsField {
    /** Host ES selector. */
    ES_SELECTOR(FieldWidth.WORD, 0),
    /** Host CS selector. */
    CS_SELECTOR(FieldWidth.WORD, 1),
    /** Host SS selector. */
    SS_SELECTOR(FieldWidth.WORD, 2),
    /** Host DS selector. */
    DS_SELECTOR(FieldWidth.WORD, 3),
    /** Host FS selector. */
    FS_SELECTOR(FieldWidth.WORD, 4),
    /** Host GS selector. */
    GS_SELECTOR(FieldWidth.WORD, 5),
    /** Host TR selector. */
    TR_SELECTOR(FieldWidth.WORD, 6),
    /** Host IA32_PAT. */
    IA32_PAT(FieldWidth.QUAD, 0, FieldRequirement.HOST_PAT),
    /** Host IA32_EFER. */
    IA32_EFER(FieldWidth.QUAD, 1, FieldRequirement.HOST_EFER),
    /** Host IA32_PERF_GLOBAL_CTRL. */
    IA32_PERF_GLOBAL_CTRL(FieldWidth.QUAD, 2, FieldRequirement.HOST_PERF_GLOBAL_CTRL),
    /** Host IA32_PKRS. */
    IA32_PKRS(FieldWidth.QUAD, 3, FieldRequirement.HOST_PKRS),
    /** Host IA32_SYSENTER_CS. */
    IA32_SYSENTER_CS(FieldWidth.DOUBLE, 0),
    /** Host CR0. */
    CR0(FieldWidth.NATURAL, 0),
    /** Host CR3. */
    CR3(FieldWidth.NATURAL, 1),
    /** Host CR4. */
    CR4(FieldWidth.NATURAL, 2),
    /** Host FS base. */
    FS_BASE(FieldWidth.NATURAL, 3),
    /** Host GS base. */
    GS_BASE(FieldWidth.NATURAL, 4),
    /** Host TR base. */
    TR_BASE(FieldWidth.NATURAL, 5),
    /** Host GDTR base. */
    GDTR_BASE(FieldWidth.NATURAL, 6),
    /** Host IDTR base. */
    IDTR_BASE(FieldWidth.NATURAL, 7),
    /** Host IA32_SYSENTER_ESP. */
    IA32_SYSENTER_ESP(FieldWidth.NATURAL, 8),
    /** Host IA32_SYSENTER_EIP. */
    IA32_SYSENTER_EIP(FieldWidth.NATURAL, 9),
    /** Host RSP. */
    RSP(FieldWidth.NATURAL, 10),
    /** Host RIP. */
    RIP(FieldWidth.NATURAL, 11),
    /** Host IA32_S_CET. */
    IA32_S_CET(FieldWidth.NATURAL, 12, FieldRequirement.HOST_CET),
    /** Host SSP. */
    SSP(FieldWidth.NATURAL, 13, FieldRequirement.HOST_CET),
    /** Host IA32_INTERRUPT_SSP_TABLE_ADDR. */
    IA32_INTERRUPT_SSP_TABLE_ADDR(FieldWidth.NATURAL, 14, FieldRequirement.HOST_CET);

    /** Slot of the first field of this area in a VMCS. */
    static final int FIRST_SLOT = 224;

    private final FieldWidth width;
    private final int index;
    private final FieldRequirement requirement;

    HostField(FieldWidth width, int index) {
        this(width, index, FieldRequirement.ALWAYS);
    }

    HostField(FieldWidth width, int index, FieldRequirement requirement) {
        this.width = width;
        this.index = index;
        this.requirement = requirement;
    }

    @Override
    public FieldType type() {
        return FieldType.HOST;
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
