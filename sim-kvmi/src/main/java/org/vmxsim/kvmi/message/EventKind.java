package org.vmxsim.kvmi.message;

/** The kinds of event. Their numbers differ between the wire formats. Source: kvmi.rst, "Events". */
public enum EventKind {
    /** The machine asks the tool to leave, before a migration for instance. Of the VM; nobody replies. */
    UNHOOK,
    /** A write to CR0, CR3 or CR4. */
    CR,
    /** A WRMSR. */
    MSR,
    /** An XSETBV. */
    XSETBV,
    /** A #BP. */
    BREAKPOINT,
    /** The guest calls: hypercall 34. */
    HYPERCALL,
    /** An access that the page's access rights forbid. */
    PAGE_FAULT,
    /** What became of an exception that the tool injected. */
    TRAP,
    /** An access to GDTR, IDTR, LDTR or TR. */
    DESCRIPTOR,
    /** A new vCPU. Of the VM as far as enabling goes. */
    CREATE_VCPU,
    /** A vCPU stands still, as asked. */
    PAUSE_VCPU,
    /** One instruction was executed. */
    SINGLESTEP,
    /** A command failed whose answer was suppressed. Nobody replies. */
    CMD_ERROR,
    /** A CPUID. */
    CPUID
}
