package org.vmxsim.mmu.trace;

import org.vmxsim.vmx.exit.ExitReason;

/**
 * What is counted for each vCPU, under the names that KVM has in debugfs. Those that KVM has and that stay 0 here say
 * why; the last ones are our own.
 */
public enum VcpuCounter {
    /** EPT violations. */
    PF_TAKEN("pf_taken", ExitReason.EPT_VIOLATION),
    /** EPT violations that ended in a mapping or a permission. */
    PF_FIXED("pf_fixed"),
    /** Those of them that changed one entry, without the slow path. */
    PF_FAST("pf_fast"),
    /** EPT violations that ended in emulation. */
    PF_EMULATE("pf_emulate"),
    /** EPT violations of accesses that the tables allowed already. */
    PF_SPURIOUS("pf_spurious"),
    /** Entries made for pages without memslot. */
    PF_MMIO_SPTE_CREATED("pf_mmio_spte_created"),
    /** Page faults handed to the guest: always 0, the guest gets its own without the hypervisor. */
    PF_GUEST("pf_guest"),
    /** Invalidations executed (INVEPT). */
    TLB_FLUSH("tlb_flush"),
    /** INVLPG emulated: always 0, EPT leaves INVLPG to the guest. */
    INVLPG("invlpg"),
    /** VM exits. */
    EXITS("exits"),
    /** VM exits of port instructions. */
    IO_EXITS("io_exits", ExitReason.IO_INSTRUCTION),
    /** Accesses to devices in memory that were handed to the caller. */
    MMIO_EXITS("mmio_exits"),
    /** Returns to the caller because it asked for it, or the budget was used up. */
    SIGNAL_EXITS("signal_exits"),
    /** VM exits because an interrupt can be taken now. */
    IRQ_WINDOW_EXITS("irq_window", ExitReason.INTERRUPT_WINDOW),
    /** VM exits because an NMI can be taken now. */
    NMI_WINDOW_EXITS("nmi_window", ExitReason.NMI_WINDOW),
    /** VM exits of HLT. */
    HALT_EXITS("halt_exits", ExitReason.HLT),
    /** Returns to the caller because it may inject an interrupt now: always 0, interrupts are queued here. */
    REQUEST_IRQ_EXITS("request_irq"),
    /** VM exits of external interrupts. */
    IRQ_EXITS("irq_exits", ExitReason.EXTERNAL_INTERRUPT),
    /** External interrupts injected. */
    IRQ_INJECTIONS("irq_injections"),
    /** NMIs injected. */
    NMI_INJECTIONS("nmi_injections"),
    /** Instructions, or iterations of them, that were emulated. */
    INSN_EMULATION("insn_emulation"),
    /** Instructions that could not be emulated. */
    INSN_EMULATION_FAIL("insn_emulation_fail"),
    /** Hypercalls. */
    HYPERCALLS("hypercalls", ExitReason.VMCALL),
    /** VM entries. */
    ENTRIES("entries"),
    /** Events of any kind injected at VM entry. */
    EVENTS_INJECTED("events_injected"),
    /** SPP misses answered. */
    SPP_MISSES("spp_misses"),
    /** Writes that sub-page permissions denied. */
    SPP_DENIED("spp_denied");

    private final String stat;
    private final ExitReason reason;

    VcpuCounter(String stat) {
        this(stat, null);
    }

    VcpuCounter(String stat, ExitReason reason) {
        this.stat = stat;
        this.reason = reason;
    }

    /**
     * The name in debugfs.
     *
     * @return such as {@code pf_fixed}
     */
    public String stat() {
        return stat;
    }

    /** The basic exit reason whose VM exits it counts; null if it is counted by itself. */
    ExitReason reason() {
        return reason;
    }
}
