package org.vmxsim.core.model;

/**
 * Features that decide whether an instruction or a control-register bit exists, by their CPUID bit. SDM "CPUID-CPU
 * Identification", tables of feature information.
 */
public enum CpuFeature {
    /** The x87 unit. */
    FPU(1, Register.EDX, 0),
    /** Virtual-8086 mode enhancements: CR4.VME, CR4.PVI. */
    VME(1, Register.EDX, 1),
    /** Debugging extensions: CR4.DE. */
    DE(1, Register.EDX, 2),
    /** Page size extensions: CR4.PSE. */
    PSE(1, Register.EDX, 3),
    /** RDTSC, CR4.TSD. */
    TSC(1, Register.EDX, 4),
    /** RDMSR and WRMSR. */
    MSR(1, Register.EDX, 5),
    /** Physical address extension: CR4.PAE. */
    PAE(1, Register.EDX, 6),
    /** CMPXCHG8B. */
    CX8(1, Register.EDX, 8),
    /** SYSENTER and SYSEXIT. */
    SEP(1, Register.EDX, 11),
    /** The local APIC, once the machine has one. */
    APIC(1, Register.EDX, 9),
    /** Global pages: CR4.PGE. */
    PGE(1, Register.EDX, 13),
    /** CMOVcc. */
    CMOV(1, Register.EDX, 15),
    /** Page attribute table. */
    PAT(1, Register.EDX, 16),
    /** 36-bit page size extension. */
    PSE36(1, Register.EDX, 17),
    /** CLFLUSH. */
    CLFSH(1, Register.EDX, 19),
    /** FXSAVE and FXRSTOR: CR4.OSFXSR. */
    FXSR(1, Register.EDX, 24),
    /** MONITOR and MWAIT. */
    MONITOR(1, Register.ECX, 3),
    /** VMX: CR4.VMXE. */
    VMX(1, Register.ECX, 5),
    /** CMPXCHG16B. */
    CX16(1, Register.ECX, 13),
    /** Process-context identifiers: CR4.PCIDE. */
    PCID(1, Register.ECX, 17),
    /** The x2APIC mode of the local APIC. */
    X2APIC(1, Register.ECX, 21),
    /** MOVBE. */
    MOVBE(1, Register.ECX, 22),
    /** POPCNT. */
    POPCNT(1, Register.ECX, 23),
    /** The TSC-deadline mode of the local APIC's timer. */
    TSC_DEADLINE(1, Register.ECX, 24),
    /** XSAVE, XGETBV, XSETBV: CR4.OSXSAVE. */
    XSAVE(1, Register.ECX, 26),
    /** RDRAND. */
    RDRAND(1, Register.ECX, 30),
    /** RDFSBASE and its kin: CR4.FSGSBASE. */
    FSGSBASE(7, Register.EBX, 0),
    /** IA32_TSC_ADJUST. */
    TSC_ADJUST(7, Register.EBX, 1),
    /** ANDN, BEXTR, BLSI, BLSMSK, BLSR, TZCNT. */
    BMI1(7, Register.EBX, 3),
    /** The x87 data pointer changes on unmasked exceptions only. */
    FDP_EXCEPTION_ONLY(7, Register.EBX, 6),
    /** Supervisor-mode execution prevention: CR4.SMEP. */
    SMEP(7, Register.EBX, 7),
    /** BZHI, MULX, PDEP, PEXT, RORX, SARX, SHLX, SHRX. */
    BMI2(7, Register.EBX, 8),
    /** INVPCID. */
    INVPCID(7, Register.EBX, 10),
    /** The x87 unit saves zeros for the selectors of its pointers. */
    NO_FPU_SELECTORS(7, Register.EBX, 13),
    /** RDSEED. */
    RDSEED(7, Register.EBX, 18),
    /** ADCX and ADOX. */
    ADX(7, Register.EBX, 19),
    /** Supervisor-mode access prevention: CR4.SMAP, STAC, CLAC. */
    SMAP(7, Register.EBX, 20),
    /** CLFLUSHOPT. */
    CLFLUSHOPT(7, Register.EBX, 23),
    /** CLWB. */
    CLWB(7, Register.EBX, 24),
    /** User-mode instruction prevention: CR4.UMIP. */
    UMIP(7, Register.ECX, 2),
    /** Protection keys of user-mode pages: CR4.PKE, RDPKRU, WRPKRU. */
    PKU(7, Register.ECX, 3),
    /** UMONITOR, UMWAIT, TPAUSE. */
    WAITPKG(7, Register.ECX, 5),
    /** CET shadow stacks: CR4.CET and the instructions and MSRs of shadow stacks. */
    CET_SS(7, Register.ECX, 7),
    /** 5-level paging: CR4.LA57. */
    LA57(7, Register.ECX, 16),
    /** RDPID. */
    RDPID(7, Register.ECX, 22),
    /** MOVDIRI. */
    MOVDIRI(7, Register.ECX, 27),
    /** MOVDIR64B. */
    MOVDIR64B(7, Register.ECX, 28),
    /** Protection keys of supervisor-mode pages: CR4.PKS, IA32_PKRS. */
    PKS(7, Register.ECX, 31),
    /** CET indirect branch tracking: CR4.CET, ENDBR32, ENDBR64. */
    CET_IBT(7, Register.EDX, 20),
    /** LAHF and SAHF in 64-bit mode. */
    LAHF64(0x8000_0001, Register.ECX, 0),
    /** LZCNT. */
    LZCNT(0x8000_0001, Register.ECX, 5),
    /** SYSCALL and SYSRET in 64-bit mode. */
    SYSCALL(0x8000_0001, Register.EDX, 11),
    /** Execute disable: EFER.NXE. */
    NX(0x8000_0001, Register.EDX, 20),
    /** 1-GByte pages. */
    PAGE_1G(0x8000_0001, Register.EDX, 26),
    /** RDTSCP and IA32_TSC_AUX. */
    RDTSCP(0x8000_0001, Register.EDX, 27),
    /** Intel 64 architecture: EFER.LME. */
    LONG_MODE(0x8000_0001, Register.EDX, 29);

    /** The register of the CPUID answer that holds a bit. */
    enum Register {
        EAX,
        EBX,
        ECX,
        EDX
    }

    private final int leaf;
    private final Register register;
    private final int bit;

    CpuFeature(int leaf, Register register, int bit) {
        this.leaf = leaf;
        this.register = register;
        this.bit = bit;
    }

    /** Whether a CPUID table has the feature's bit set. */
    boolean isIn(CpuidTable table) {
        return (table.register(leaf, 0, register.ordinal()) >>> bit & 1) != 0;
    }
}
