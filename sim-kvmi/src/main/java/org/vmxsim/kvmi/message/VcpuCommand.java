package org.vmxsim.kvmi.message;

import java.util.Set;

/** Commands on one vCPU. Source: kvmi.rst, "Commands"; the branch kvmi-v7 for views. */
public sealed interface VcpuCommand extends Command {
    /**
     * The vCPU that is asked.
     *
     * @return its number from 0, as the tool gave it: 0 to 65535
     */
    int vcpu();

    /**
     * How fast its TSC is.
     *
     * @param vcpu number of the vCPU
     */
    record GetVcpuInfo(int vcpu) implements VcpuCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.GET_VCPU_INFO;
        }
    }

    /**
     * Lets it stop with {@link Event.Pause} before it goes on.
     *
     * @param vcpu number of the vCPU
     * @param waitUntilOut whether the answer waits until it is out of the guest
     */
    record PauseVcpu(int vcpu, boolean waitUntilOut) implements VcpuCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.PAUSE_VCPU;
        }
    }

    /**
     * Switches one event.
     *
     * @param vcpu number of the vCPU
     * @param event the event
     * @param enable whether it is to be reported
     */
    record ControlEvents(int vcpu, EventKind event, boolean enable) implements VcpuCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.CONTROL_EVENTS;
        }
    }

    /**
     * Switches all events of the VM at once. First format only.
     *
     * @param vcpu number of the vCPU
     * @param events those to be reported; no others are
     */
    record SetEventMask(int vcpu, Set<EventKind> events) implements VcpuCommand {
        /** Makes the set its own. */
        public SetEventMask {
            events = Set.copyOf(events);
        }

        @Override
        public CommandKind kind() {
            return CommandKind.CONTROL_EVENTS;
        }
    }

    /**
     * Switches reports of writes to a control register.
     *
     * @param vcpu number of the vCPU
     * @param cr number of the register, unsigned, as the tool gave it
     * @param enable whether writes are to be reported
     */
    record ControlCr(int vcpu, int cr, boolean enable) implements VcpuCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.CONTROL_CR;
        }
    }

    /**
     * Switches reports of writes to an MSR.
     *
     * @param vcpu number of the vCPU
     * @param msr index of the MSR, unsigned
     * @param enable whether writes are to be reported
     */
    record ControlMsr(int vcpu, int msr, boolean enable) implements VcpuCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.CONTROL_MSR;
        }
    }

    /**
     * Its registers and some MSRs.
     *
     * @param vcpu number of the vCPU
     * @param msrs indices of the MSRs, unsigned
     */
    record GetRegisters(int vcpu, int[] msrs) implements VcpuCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.GET_REGISTERS;
        }
    }

    /**
     * Sets its general registers.
     *
     * @param vcpu number of the vCPU
     * @param registers the new values
     */
    record SetRegisters(int vcpu, GeneralRegisters registers) implements VcpuCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.SET_REGISTERS;
        }
    }

    /**
     * What CPUID shows it.
     *
     * @param vcpu number of the vCPU
     * @param function EAX
     * @param index ECX
     */
    record GetCpuid(int vcpu, int function, int index) implements VcpuCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.GET_CPUID;
        }
    }

    /**
     * Its extended state.
     *
     * @param vcpu number of the vCPU
     */
    record GetXsave(int vcpu) implements VcpuCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.GET_XSAVE;
        }
    }

    /**
     * Sets its extended state.
     *
     * @param vcpu number of the vCPU
     * @param region the XSAVE area
     */
    record SetXsave(int vcpu, byte[] region) implements VcpuCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.SET_XSAVE;
        }
    }

    /**
     * Queues an exception.
     *
     * @param vcpu number of the vCPU
     * @param vector its vector, 0 to 255
     * @param hasErrorCode whether it pushes the error code (the later format cannot say: true if the vector has one)
     * @param errorCode the error code
     * @param address for #PF the new CR2
     */
    record InjectException(int vcpu, int vector, boolean hasErrorCode, int errorCode, long address)
            implements VcpuCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.INJECT_EXCEPTION;
        }
    }

    /**
     * The memory type that the MTRRs give.
     *
     * @param vcpu number of the vCPU
     * @param gpa guest-physical address
     */
    record GetMtrrType(int vcpu, long gpa) implements VcpuCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.GET_MTRR_TYPE;
        }
    }

    /**
     * Sets the page for virtualization-exception information.
     *
     * @param vcpu number of the vCPU
     * @param gpa the page
     * @param triggerVmExit whether a #VE that is delivered exits
     */
    record SetVeInfo(int vcpu, long gpa, boolean triggerVmExit) implements VcpuCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.SET_VE_INFO;
        }
    }

    /**
     * Puts it on an EPT view.
     *
     * @param vcpu number of the vCPU
     * @param view number of the EPT view
     */
    record SwitchEptView(int vcpu, int view) implements VcpuCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.SWITCH_EPT_VIEW;
        }
    }

    /**
     * Ends virtualization exceptions.
     *
     * @param vcpu number of the vCPU
     */
    record DisableVe(int vcpu) implements VcpuCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.DISABLE_VE;
        }
    }

    /**
     * The EPT view that it is on.
     *
     * @param vcpu number of the vCPU
     */
    record GetEptView(int vcpu) implements VcpuCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.GET_EPT_VIEW;
        }
    }

    /**
     * Translates by its guest paging structures.
     *
     * @param vcpu number of the vCPU
     * @param gva guest-virtual address
     */
    record TranslateGva(int vcpu, long gva) implements VcpuCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.TRANSLATE_GVA;
        }
    }

    /**
     * Switches whether the guest may go to a view by VMFUNC.
     *
     * @param vcpu number of the vCPU
     * @param view number of the EPT view
     * @param visible whether it may
     */
    record ControlEptView(int vcpu, int view, boolean visible) implements VcpuCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.CONTROL_EPT_VIEW;
        }
    }

    /**
     * An extended control register.
     *
     * @param vcpu number of the vCPU
     * @param xcr number of the register, 0 to 255
     */
    record GetXcr(int vcpu, int xcr) implements VcpuCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.GET_XCR;
        }
    }

    /**
     * Puts memory of its own at a free guest frame number.
     *
     * @param vcpu number of the vCPU
     * @param gfn guest frame number
     */
    record AllocGfn(int vcpu, long gfn) implements VcpuCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.ALLOC_GFN;
        }
    }

    /**
     * Takes back what {@link AllocGfn} put there.
     *
     * @param vcpu number of the vCPU
     * @param gfn guest frame number
     */
    record FreeGfn(int vcpu, long gfn) implements VcpuCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.FREE_GFN;
        }
    }

    /**
     * Lets a page of a view show another page.
     *
     * @param vcpu number of the vCPU
     * @param view number of the EPT view
     * @param oldGfn guest frame number of the page
     * @param newGfn guest frame number of the page to show instead
     */
    record ChangeGfn(int vcpu, int view, long oldGfn, long newGfn) implements VcpuCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.CHANGE_GFN;
        }
    }

    /**
     * Switches single-stepping.
     *
     * @param vcpu number of the vCPU
     * @param enable whether each instruction is to be reported
     */
    record ControlSinglestep(int vcpu, boolean enable) implements VcpuCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.CONTROL_SINGLESTEP;
        }
    }
}
