package org.vmxsim.kvmi.message;

/**
 * What the machine reports to a tool. All but those of the VM are answered by an {@link EventReply}; until then the
 * vCPU stands still. Source: kvmi.rst, "Events".
 */
public sealed interface Event {
    /**
     * Which event it is.
     *
     * @return the kind, by which events are switched
     */
    EventKind kind();

    /**
     * Who reports it, and in which state.
     *
     * @return the vCPU before the event takes effect; {@link EventContext#NONE} for an event of the VM
     */
    EventContext context();

    /** The tool is asked to leave. Nobody replies. */
    record Unhook() implements Event {
        @Override
        public EventContext context() {
            return EventContext.NONE;
        }

        @Override
        public EventKind kind() {
            return EventKind.UNHOOK;
        }
    }

    /**
     * A control register is about to change.
     *
     * @param context who reports it
     * @param cr 0, 3 or 4
     * @param oldValue its value
     * @param newValue the value that it is to get
     */
    record Cr(EventContext context, int cr, long oldValue, long newValue) implements Event {
        @Override
        public EventKind kind() {
            return EventKind.CR;
        }
    }

    /**
     * An MSR is about to change.
     *
     * @param context who reports it
     * @param msr index of the MSR
     * @param oldValue its value
     * @param newValue the value that it is to get
     */
    record Msr(EventContext context, int msr, long oldValue, long newValue) implements Event {
        @Override
        public EventKind kind() {
            return EventKind.MSR;
        }
    }

    /**
     * XCR0 is about to change. Neither format carries the value.
     *
     * @param context who reports it
     */
    record Xsetbv(EventContext context) implements Event {
        @Override
        public EventKind kind() {
            return EventKind.XSETBV;
        }
    }

    /**
     * #BP was raised.
     *
     * @param context who reports it
     * @param gpa guest-physical address of the instruction; all ones if it has none
     * @param instructionBytes length of the instruction; the first format leaves it out
     */
    record Breakpoint(EventContext context, long gpa, int instructionBytes) implements Event {
        @Override
        public EventKind kind() {
            return EventKind.BREAKPOINT;
        }
    }

    /**
     * The guest called.
     *
     * @param context who reports it
     */
    record Hypercall(EventContext context) implements Event {
        @Override
        public EventKind kind() {
            return EventKind.HYPERCALL;
        }
    }

    /**
     * An access met a page whose access rights forbid it.
     *
     * @param context who reports it
     * @param gva guest-virtual address, or all ones if there is none
     * @param gpa guest-physical address
     * @param access what was attempted: 1 read, 2 write, 4 execute
     * @param view number of the EPT view; the first format leaves it out
     */
    record PageFault(EventContext context, long gva, long gpa, int access, int view) implements Event {
        @Override
        public EventKind kind() {
            return EventKind.PAGE_FAULT;
        }
    }

    /**
     * An exception that the tool injected was delivered, or another took its place.
     *
     * @param context who reports it
     * @param vector vector of what was delivered
     * @param type interruption type as in the VMCS; the later format leaves it out
     * @param errorCode its error code
     * @param cr2 CR2
     */
    record Trap(EventContext context, int vector, int type, int errorCode, long cr2) implements Event {
        @Override
        public EventKind kind() {
            return EventKind.TRAP;
        }
    }

    /**
     * A descriptor-table register is about to be read or written.
     *
     * @param context who reports it
     * @param register which
     * @param write whether the instruction loads it
     * @param instructionInformation VM-exit instruction information; the later format leaves it out
     * @param exitQualification exit qualification; the later format leaves it out
     */
    record Descriptor(
            EventContext context,
            DescriptorTableRegister register,
            boolean write,
            int instructionInformation,
            long exitQualification)
            implements Event {
        @Override
        public EventKind kind() {
            return EventKind.DESCRIPTOR;
        }
    }

    /**
     * There is a new vCPU.
     *
     * @param context who reports it
     */
    record CreateVcpu(EventContext context) implements Event {
        @Override
        public EventKind kind() {
            return EventKind.CREATE_VCPU;
        }
    }

    /**
     * The vCPU stopped as asked.
     *
     * @param context who reports it
     */
    record Pause(EventContext context) implements Event {
        @Override
        public EventKind kind() {
            return EventKind.PAUSE_VCPU;
        }
    }

    /**
     * One instruction was executed.
     *
     * @param context who reports it
     * @param failed whether it could not be
     */
    record Singlestep(EventContext context, boolean failed) implements Event {
        @Override
        public EventKind kind() {
            return EventKind.SINGLESTEP;
        }
    }

    /**
     * A command failed whose answer was suppressed. Nobody replies.
     *
     * @param error why
     * @param sequence sequence number of the command
     * @param command the command
     */
    record CmdError(KvmiError error, int sequence, CommandKind command) implements Event {
        @Override
        public EventContext context() {
            return EventContext.NONE;
        }

        @Override
        public EventKind kind() {
            return EventKind.CMD_ERROR;
        }
    }

    /**
     * A CPUID is about to execute.
     *
     * @param context who reports it
     * @param function EAX
     * @param index ECX
     * @param instructionBytes length of the instruction
     */
    record Cpuid(EventContext context, int function, int index, int instructionBytes) implements Event {
        @Override
        public EventKind kind() {
            return EventKind.CPUID;
        }
    }

    /** The registers that a {@link Descriptor} event tells apart. */
    enum DescriptorTableRegister {
        /** Of SIDT and LIDT. */
        IDTR,
        /** Of SGDT and LGDT. */
        GDTR,
        /** Of SLDT and LLDT. */
        LDTR,
        /** Of STR and LTR. */
        TR
    }
}
