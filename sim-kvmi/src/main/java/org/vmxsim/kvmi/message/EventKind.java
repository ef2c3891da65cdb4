package org.vmxsim.kvmi.message;

/** The kinds of event. Their numbers differ between the wire formats. Source: kvmi.rst, "Events". */
public enum EventKind {
    /** The machine asks the tool to leave, before a migration for instance. Of the VM; nobody replies. */
    UNHOOK(ReplyForm.NONE),
    /** A write to CR0, CR3 or CR4. */
    CR(ReplyForm.NEW_VALUE),
    /** A WRMSR. */
    MSR(ReplyForm.NEW_VALUE),
    /** An XSETBV. */
    XSETBV(ReplyForm.PLAIN),
    /** A #BP. */
    BREAKPOINT(ReplyForm.PLAIN),
    /** The guest calls: hypercall 34. */
    HYPERCALL(ReplyForm.PLAIN),
    /** An access that the page's access rights forbid. */
    PAGE_FAULT(ReplyForm.AFTER_FAULT),
    /** What became of an exception that the tool injected. */
    TRAP(ReplyForm.PLAIN),
    /** An access to GDTR, IDTR, LDTR or TR. */
    DESCRIPTOR(ReplyForm.PLAIN),
    /** A new vCPU. Of the VM as far as enabling goes. */
    CREATE_VCPU(ReplyForm.PLAIN),
    /** A vCPU stands still, as asked. */
    PAUSE_VCPU(ReplyForm.PLAIN),
    /** One instruction was executed. */
    SINGLESTEP(ReplyForm.PLAIN),
    /** A command failed whose answer was suppressed. Nobody replies. */
    CMD_ERROR(ReplyForm.NONE),
    /** A CPUID. */
    CPUID(ReplyForm.PLAIN);

    /** What a reply to an event has to say. */
    public enum ReplyForm {
        /** Nobody replies. */
        NONE,
        /** {@link EventReply.Plain}. */
        PLAIN,
        /** {@link EventReply.NewValue}. */
        NEW_VALUE,
        /** {@link EventReply.AfterFault}. */
        AFTER_FAULT
    }

    private final ReplyForm replyForm;

    EventKind(ReplyForm replyForm) {
        this.replyForm = replyForm;
    }

    /**
     * What a reply to it has to say.
     *
     * @return the form
     */
    public ReplyForm replyForm() {
        return replyForm;
    }
}
