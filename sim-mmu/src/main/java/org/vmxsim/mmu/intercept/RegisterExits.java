package org.vmxsim.mmu.intercept;

import java.util.function.Supplier;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Event;
import org.vmxsim.core.emulation.EmulationMemory;
import org.vmxsim.core.emulation.InstructionEmulator;
import org.vmxsim.core.memory.PortBus;
import org.vmxsim.mmu.guest.EventQueue;
import org.vmxsim.mmu.guest.GuestMsrs;
import org.vmxsim.mmu.guest.GuestRegisters;
import org.vmxsim.mmu.guest.GuestVmcs;
import org.vmxsim.mmu.guest.VmMemory;
import org.vmxsim.vmx.VmxUnit;
import org.vmxsim.vmx.control.VmxStatus;
import org.vmxsim.vmx.exit.VmExit;
import org.vmxsim.vmx.vmcs.ControlField;
import org.vmxsim.vmx.vmcs.GuestField;

/**
 * VM exits because of control registers, model-specific registers and exceptions: asks the listener, then does what the
 * processor would have done.
 */
public final class RegisterExits {
    /** What has come of an exit. */
    public enum Outcome {
        /** The instruction is done; it is to be skipped. */
        DONE,
        /** The instruction raises #GP(0). */
        FAULT,
        /** The guest goes on where it is. */
        AGAIN,
        /** Nobody has decided yet; the same exit is to be handled once more. */
        HELD,
        /** The exit is not one of those handled here. */
        UNKNOWN
    }

    private static final long U32 = 0xffff_ffffL;
    private static final long CR0_TS = 1 << 3;
    private static final long MACHINE_STATUS = 0xf;
    private static final int EFER = 0xc000_0080;
    private static final long SINGLE_CONTEXT = 1;
    /** B3:B0, BD and BS of DR6. */
    private static final long DEBUG_STATUS = 0x600f;

    private static final long GENERAL_DETECT = 1 << 13;
    private static final int NMI_UNBLOCKING = 1 << 12;

    private final int vcpu;
    private final VmxUnit vmx;
    private final GuestRegisters registers;
    private final GuestMsrs msrs;
    private final EventQueue events;
    private final Intercepts intercepts;
    private final InstructionEmulator emulator;

    /**
     * The exits of a vCPU.
     *
     * @param vmx its processor
     * @param registers its registers
     * @param msrs its emulated model-specific registers
     * @param events where exceptions go
     * @param intercepts what is to be told
     * @param memory guest-physical memory as it sees it now, from which PDPTEs are loaded
     */
    public RegisterExits(
            VmxUnit vmx,
            GuestRegisters registers,
            GuestMsrs msrs,
            EventQueue events,
            Intercepts intercepts,
            Supplier<VmMemory> memory) {
        this.vcpu = intercepts.vcpu();
        this.vmx = vmx;
        this.registers = registers;
        this.msrs = msrs;
        this.events = events;
        this.intercepts = intercepts;
        this.emulator = new InstructionEmulator(
                memory.get().physical(), vmx.cpu().model, new PdpteMemory(memory), new PortBus());
    }

    /** Memory for the PDPTEs that a write of a control register loads. */
    private record PdpteMemory(Supplier<VmMemory> memory) implements EmulationMemory {
        @Override
        public long locate(long gpa, long gla, int sizeBytes, int access) {
            long hpa = memory.get().hpa(gpa);
            return hpa == VmMemory.NONE ? REFUSED : hpa;
        }

        @Override
        public long load(long gpa, int sizeBytes) {
            throw new AssertionError("a control register is written without loads of data");
        }

        @Override
        public void store(long gpa, int sizeBytes, long value) {
            throw new AssertionError("a control register is written without stores");
        }
    }

    /**
     * SDM table "Exit Qualification for Control-Register Accesses".
     *
     * @param exit the exit
     * @return what has come of it
     */
    public Outcome controlRegister(VmExit exit) {
        CpuState state = emulator.state();
        registers.save(state);
        int number = (int) exit.qualification & 0xf;
        long source = registers.gpr((int) (exit.qualification >>> 8) & 0xf);
        return switch ((int) (exit.qualification >>> 4) & 3) {
            case 0 -> write(state, number, registers.is64BitCode() ? source : source & U32);
            case 2 -> write(state, 0, state.cr0 & ~CR0_TS);
            case 3 -> write(state, 0, machineStatus(state.cr0, exit.qualification >>> 16));
            default -> Outcome.UNKNOWN;
        };
    }

    /** SDM "LMSW-Load Machine Status Word": PE can be set, not cleared. */
    private static long machineStatus(long cr0, long word) {
        return cr0 & ~(MACHINE_STATUS & ~1) | word & MACHINE_STATUS;
    }

    private Outcome write(CpuState state, int number, long value) {
        if (number != 0 && number != 3 && number != 4) {
            return Outcome.UNKNOWN;
        }
        long old = number == 0 ? state.cr0 : number == 3 ? state.cr3 : state.cr4;
        RegisterWrite write = new RegisterWrite(vcpu, number, old, value);
        Outcome asked = asked(intercepts.listener().controlRegister(write));
        if (asked != Outcome.DONE) {
            return asked;
        }
        boolean keeps = number == 3 && write.value() < 0 && (state.cr4 >>> 17 & 1) != 0;
        boolean refused = number == 4 && (write.value() & GuestVmcs.CR4_NEVER) != 0;
        if (refused || emulator.writeControlRegister(number, write.value()) != InstructionEmulator.Outcome.COMPLETED) {
            return Outcome.FAULT;
        }
        registers.load(state);
        return keeps ? Outcome.DONE : invalidated();
    }

    private static Outcome asked(InterceptListener.Answer answer) {
        return switch (answer) {
            case CONTINUE -> Outcome.DONE;
            case RETRY -> Outcome.AGAIN;
            case FAULT -> Outcome.FAULT;
            case HOLD -> Outcome.HELD;
        };
    }

    /** The guest's own translations follow from what has changed; the processor has not seen the change. */
    private Outcome invalidated() {
        long vpid = vmx.vmread(ControlField.VPID);
        // Without VPID, VM entry invalidates by itself.
        if (vpid != 0 && vmx.invvpid(SINGLE_CONTEXT, vpid, 0) != VmxStatus.SUCCEED) {
            throw new AssertionError("single-context INVVPID was refused");
        }
        return Outcome.DONE;
    }

    /**
     * RDMSR of a register that is not passed through, or is seen.
     *
     * @param msr the register
     * @return its value, or null for #GP(0)
     */
    public Long rdmsr(int msr) {
        if (!GuestMsrs.isPassedThrough(msr) && !msrs.isReadable(msr)) {
            return null;
        }
        long value = value(msr);
        return intercepts.sees(msr, false) ? intercepts.listener().msrRead(vcpu, msr, value) : value;
    }

    private long value(int msr) {
        if (!GuestMsrs.isPassedThrough(msr)) {
            return msrs.isReadable(msr) ? msrs.read(msr) : 0;
        }
        registers.save(emulator.state());
        return emulator.readMsr(msr);
    }

    /**
     * WRMSR of a register that is not passed through, or is seen.
     *
     * @param msr the register
     * @param value what is written
     * @return what has come of it
     */
    public Outcome wrmsr(int msr, long value) {
        RegisterWrite write = new RegisterWrite(vcpu, msr, value(msr), value);
        if (intercepts.sees(msr, true)) {
            Outcome asked = asked(intercepts.listener().msrWrite(write));
            if (asked != Outcome.DONE) {
                return asked;
            }
        }
        if (!GuestMsrs.isPassedThrough(msr)) {
            return msrs.write(msr, write.value()) ? Outcome.DONE : Outcome.FAULT;
        }
        if (!emulator.writeMsr(msr, write.value())) {
            return Outcome.FAULT;
        }
        registers.load(emulator.state());
        return msr == EFER ? invalidated() : Outcome.DONE;
    }

    /**
     * CPUID.
     *
     * @param leaf EAX
     * @param subleaf ECX
     * @return {@link Outcome#DONE} if it takes place
     */
    public Outcome cpuid(int leaf, int subleaf) {
        return intercepts.seesCpuid() ? askedFaultless(intercepts.listener().cpuid(vcpu, leaf, subleaf)) : Outcome.DONE;
    }

    /** An instruction that has no value to refuse. */
    private static Outcome askedFaultless(InterceptListener.Answer answer) {
        Outcome outcome = asked(answer);
        return outcome == Outcome.FAULT ? Outcome.AGAIN : outcome;
    }

    /**
     * XSETBV, whatever the register and the value.
     *
     * @param write what is written
     * @return what has come of asking
     */
    public Outcome xsetbv(RegisterWrite write) {
        return asked(intercepts.listener().xsetbv(write));
    }

    /**
     * SDM tables "Format of the VM-Exit Instruction-Information Field as Used for" LIDT and so on, and LLDT and so on.
     *
     * @param system true for LDTR and TR, false for GDTR and IDTR
     * @param information the instruction-information field
     * @return {@link Outcome#DONE} if the instruction takes place
     */
    public Outcome descriptorTable(boolean system, int information) {
        boolean second = (information >>> 28 & 1) != 0;
        boolean loads = (information >>> 29 & 1) != 0;
        InterceptListener.DescriptorTable table = system
                ? second ? InterceptListener.DescriptorTable.TR : InterceptListener.DescriptorTable.LDTR
                : second ? InterceptListener.DescriptorTable.IDTR : InterceptListener.DescriptorTable.GDTR;
        return askedFaultless(intercepts.listener().descriptorTable(vcpu, table, loads));
    }

    /**
     * An exception of the guest.
     *
     * @param exit the exit
     * @return {@link Outcome#AGAIN} if it is dealt with, {@link Outcome#UNKNOWN} if it is a breakpoint for the caller
     */
    public Outcome exception(VmExit exit) {
        int information = exit.interruptionInformation;
        int vector = information & 0xff;
        if ((information >>> 8 & 7) == Event.NMI) {
            // An NMI of the host: nothing of the guest's.
            return Outcome.AGAIN;
        }
        boolean sees = intercepts.sees(vector);
        if (!sees && intercepts.leavesToCaller(vector)) {
            return Outcome.UNKNOWN;
        }
        boolean vectoring = exit.idtVectoringInformation < 0;
        if ((information & NMI_UNBLOCKING) != 0 && !vectoring && vector != Event.DOUBLE_FAULT) {
            registers.blockNmis();
        }
        boolean hasErrorCode = (information & Event.DELIVER_ERROR_CODE) != 0;
        int errorCode = hasErrorCode ? exit.interruptionErrorCode : 0;
        // While an exit was held, whoever wanted to see the exception may have gone: then it is the guest's.
        InterceptListener.Answer answer = sees
                ? intercepts.listener().exception(vcpu, vector, errorCode, exit.qualification)
                : InterceptListener.Answer.CONTINUE;
        if (answer == InterceptListener.Answer.CONTINUE) {
            deliver(exit, vector, hasErrorCode, errorCode);
        }
        return answer == InterceptListener.Answer.HOLD ? Outcome.HELD : Outcome.AGAIN;
    }

    /** What the processor does besides pushing a frame, VM entry leaves to software. */
    private void deliver(VmExit exit, int vector, boolean hasErrorCode, int errorCode) {
        if (vector == Event.PAGE_FAULT) {
            vmx.cpu().cr2 = exit.qualification;
        }
        if (vector == Event.DEBUG) {
            vmx.cpu().dr[6] |= exit.qualification & DEBUG_STATUS;
            vmx.vmwrite(GuestField.DR7, vmx.vmread(GuestField.DR7) & ~GENERAL_DETECT);
        }
        int type = exit.interruptionInformation >>> 8 & 7;
        boolean bySoftware = type == Event.SOFTWARE_EXCEPTION || type == Event.PRIVILEGED_SOFTWARE_EXCEPTION;
        events.exception(type, vector, hasErrorCode, errorCode, bySoftware ? exit.instructionLengthBytes : 0);
    }
}
