package org.vmxsim.core.cpu;

/**
 * The points at which the processor asks its {@link Virtualization} whether to go on. Order and names follow the basic
 * exit reasons of the manual (SDM "Basic Exit Reasons").
 */
public enum Interception {
    /** An external interrupt is about to be taken; qualification: the vector. */
    EXTERNAL_INTERRUPT,
    /** A non-maskable interrupt is about to be taken. */
    NMI,
    /** An INIT signal. */
    INIT,
    /** A start-up interrupt for a processor that waits for one; qualification: its vector. */
    START_UP,
    /** A triple fault. */
    TRIPLE_FAULT,
    /** A task switch; qualification as in the manual. */
    TASK_SWITCH,
    /** CPUID. */
    CPUID,
    /** HLT. */
    HLT,
    /** INVD. */
    INVD,
    /** INVLPG; qualification: the linear address. */
    INVLPG,
    /** RDPMC. */
    RDPMC,
    /** RDTSC. */
    RDTSC,
    /** MOV to or from CR0, CR3, CR4, CR8, CLTS, LMSW; qualification as in the manual; value: the source operand. */
    CR_ACCESS,
    /** MOV to or from a debug register; qualification as in the manual. */
    DR_ACCESS,
    /** IN, OUT, INS, OUTS; qualification as in the manual; value: linear address of a string access. */
    IO,
    /** RDMSR; value: the MSR number. */
    RDMSR,
    /** WRMSR; value: the MSR number. */
    WRMSR,
    /** MWAIT; qualification: bit 0, whether the monitor is armed. */
    MWAIT,
    /** MONITOR. */
    MONITOR,
    /** PAUSE. */
    PAUSE,
    /** SGDT, SIDT, LGDT, LIDT; qualification: the displacement; value: 0 to 3 in this order. */
    GDTR_IDTR,
    /** SLDT, STR, LLDT, LTR; qualification: the displacement, 0 for a register; value: 0 to 3 in this order. */
    LDTR_TR,
    /** RDTSCP. */
    RDTSCP,
    /** WBINVD or WBNOINVD. */
    WBINVD,
    /** XSETBV. */
    XSETBV,
    /** RDRAND. */
    RDRAND,
    /** RDSEED. */
    RDSEED,
    /** INVPCID; qualification: the displacement. */
    INVPCID,
    /** UMWAIT. */
    UMWAIT,
    /** TPAUSE; for {@link Virtualization#enables}: UMONITOR, UMWAIT and TPAUSE. */
    TPAUSE
}
