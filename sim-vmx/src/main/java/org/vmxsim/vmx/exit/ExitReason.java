package org.vmxsim.vmx.exit;

import java.util.EnumSet;
import java.util.Set;

/** Basic exit reasons (SDM appendix "VMX Basic Exit Reasons"). */
public enum ExitReason {
    /** Exception or non-maskable interrupt. */
    EXCEPTION_OR_NMI(0),
    /** External interrupt. */
    EXTERNAL_INTERRUPT(1),
    /** Triple fault. */
    TRIPLE_FAULT(2),
    /** INIT signal. */
    INIT_SIGNAL(3),
    /** Start-up IPI. */
    STARTUP_IPI(4),
    /** Interrupt window. */
    INTERRUPT_WINDOW(7),
    /** NMI window. */
    NMI_WINDOW(8),
    /** Task switch. */
    TASK_SWITCH(9),
    /** CPUID. */
    CPUID(10),
    /** GETSEC. */
    GETSEC(11),
    /** HLT. */
    HLT(12),
    /** INVD. */
    INVD(13),
    /** INVLPG. */
    INVLPG(14),
    /** RDPMC. */
    RDPMC(15),
    /** RDTSC. */
    RDTSC(16),
    /** RSM. */
    RSM(17),
    /** VMCALL. */
    VMCALL(18),
    /** VMCLEAR. */
    VMCLEAR(19),
    /** VMLAUNCH. */
    VMLAUNCH(20),
    /** VMPTRLD. */
    VMPTRLD(21),
    /** VMPTRST. */
    VMPTRST(22),
    /** VMREAD. */
    VMREAD(23),
    /** VMRESUME. */
    VMRESUME(24),
    /** VMWRITE. */
    VMWRITE(25),
    /** VMXOFF. */
    VMXOFF(26),
    /** VMXON. */
    VMXON(27),
    /** Control-register accesses. */
    CONTROL_REGISTER_ACCESS(28),
    /** MOV DR. */
    MOV_DR(29),
    /** I/O instruction. */
    IO_INSTRUCTION(30),
    /** RDMSR. */
    RDMSR(31),
    /** WRMSR. */
    WRMSR(32),
    /** VM-entry failure due to invalid guest state. */
    ENTRY_FAILURE_GUEST_STATE(33),
    /** VM-entry failure due to MSR loading. */
    ENTRY_FAILURE_MSR_LOADING(34),
    /** MWAIT. */
    MWAIT(36),
    /** Monitor trap flag. */
    MONITOR_TRAP_FLAG(37),
    /** MONITOR. */
    MONITOR(39),
    /** PAUSE. */
    PAUSE(40),
    /** VM-entry failure due to machine-check event. */
    ENTRY_FAILURE_MACHINE_CHECK(41),
    /** TPR below threshold. */
    TPR_BELOW_THRESHOLD(43),
    /** APIC access. */
    APIC_ACCESS(44),
    /** Virtualized EOI. */
    VIRTUALIZED_EOI(45),
    /** Access to GDTR or IDTR. */
    GDTR_IDTR_ACCESS(46),
    /** Access to LDTR or TR. */
    LDTR_TR_ACCESS(47),
    /** EPT violation. */
    EPT_VIOLATION(48),
    /** EPT misconfiguration. */
    EPT_MISCONFIGURATION(49),
    /** INVEPT. */
    INVEPT(50),
    /** RDTSCP. */
    RDTSCP(51),
    /** VMX-preemption timer expired. */
    PREEMPTION_TIMER_EXPIRED(52),
    /** INVVPID. */
    INVVPID(53),
    /** WBINVD or WBNOINVD. */
    WBINVD(54),
    /** XSETBV. */
    XSETBV(55),
    /** APIC write. */
    APIC_WRITE(56),
    /** RDRAND. */
    RDRAND(57),
    /** INVPCID. */
    INVPCID(58),
    /** VMFUNC. */
    VMFUNC(59),
    /** ENCLS. */
    ENCLS(60),
    /** RDSEED. */
    RDSEED(61),
    /** Page-modification log full. */
    PAGE_MODIFICATION_LOG_FULL(62),
    /** XSAVES. */
    XSAVES(63),
    /** XRSTORS. */
    XRSTORS(64),
    /** PCONFIG. */
    PCONFIG(65),
    /** SPP-related event. */
    SPP_RELATED_EVENT(66),
    /** UMWAIT. */
    UMWAIT(67),
    /** TPAUSE. */
    TPAUSE(68),
    /** LOADIWKEY. */
    LOADIWKEY(69);

    private static final Set<ExitReason> EVENTS = EnumSet.of(
            EXCEPTION_OR_NMI,
            EXTERNAL_INTERRUPT,
            TRIPLE_FAULT,
            INIT_SIGNAL,
            STARTUP_IPI,
            INTERRUPT_WINDOW,
            NMI_WINDOW,
            TASK_SWITCH,
            ENTRY_FAILURE_GUEST_STATE,
            ENTRY_FAILURE_MSR_LOADING,
            MONITOR_TRAP_FLAG,
            ENTRY_FAILURE_MACHINE_CHECK,
            TPR_BELOW_THRESHOLD,
            APIC_ACCESS,
            VIRTUALIZED_EOI,
            EPT_VIOLATION,
            EPT_MISCONFIGURATION,
            PREEMPTION_TIMER_EXPIRED,
            APIC_WRITE,
            PAGE_MODIFICATION_LOG_FULL,
            SPP_RELATED_EVENT);
    private static final ExitReason[] BY_NUMBER = new ExitReason[70];

    static {
        for (ExitReason reason : values()) {
            BY_NUMBER[reason.number] = reason;
        }
    }

    private final int number;

    ExitReason(int number) {
        this.number = number;
    }

    /**
     * The basic exit reason.
     *
     * @return bits 15:0 of the exit-reason field
     */
    public int number() {
        return number;
    }

    /**
     * Whether the exit is that of an instruction that exits always or by a VM-execution control (SDM "Instructions That
     * Cause VM Exits"), not of an event or of an access to memory.
     *
     * @return whether an attempt to execute an instruction causes the exit
     */
    public boolean isInstruction() {
        return !EVENTS.contains(this);
    }

    /**
     * The reason of a number.
     *
     * @param number basic exit reason, bits 15:0 of the exit-reason field
     * @return the reason, or null if the number is not assigned
     */
    public static ExitReason of(int number) {
        return number >= 0 && number < BY_NUMBER.length ? BY_NUMBER[number] : null;
    }
}
