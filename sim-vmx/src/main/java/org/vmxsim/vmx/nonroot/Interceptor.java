package org.vmxsim.vmx.nonroot;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Interception;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.VmxOperands;
import org.vmxsim.vmx.control.ExitControls;
import org.vmxsim.vmx.control.PinControls;
import org.vmxsim.vmx.control.PrimaryControls;
import org.vmxsim.vmx.control.SecondaryControls;
import org.vmxsim.vmx.exit.ExitReason;
import org.vmxsim.vmx.exit.InstructionInformation;

/**
 * Which instructions and exceptions cause VM exits in non-root operation, and what the exit records (SDM "Instructions
 * That Cause VM Exits", "Other Causes of VM Exits").
 */
public final class Interceptor {
    private static final int PAGE_FAULT = 14;
    private static final int UNDEFINED_OPCODE = 6;
    private static final int VALID = 1 << 31;
    private static final int HAS_ERROR_CODE = 1 << 11;
    private static final int NMI_UNBLOCKING = 1 << 12;
    private static final int TYPE_NMI = 2;
    private static final int VECTOR_NMI = 2;
    private static final int IO_STRING = 1 << 4;

    private final VmxContext vmx;
    private final Processor cpu;
    private final ActiveControls controls;
    private final BitmapControls bitmaps;
    private final PauseLoop pauseLoop;

    /**
     * Interception in a processor's guests.
     *
     * @param vmx what VMX is doing
     */
    public Interceptor(VmxContext vmx) {
        this.vmx = vmx;
        this.cpu = vmx.cpu;
        this.controls = vmx.controls;
        this.bitmaps = new BitmapControls(vmx);
        this.pauseLoop = new PauseLoop(vmx);
    }

    /**
     * See {@link org.vmxsim.core.cpu.Virtualization#intercepts}; in non-root operation.
     *
     * @param point which instruction or event
     * @param qualification exit qualification
     * @param value the operand that decides
     * @param operands decoded operands, or null
     * @return true if an exit (or #UD) is pending
     */
    public boolean intercepts(Interception point, long qualification, long value, VmxOperands operands) {
        return switch (point) {
            case EXTERNAL_INTERRUPT -> externalInterrupt(qualification);
            case NMI -> nmi();
            case INIT -> always(ExitReason.INIT_SIGNAL, 0);
            case START_UP -> always(ExitReason.STARTUP_IPI, qualification);
            case TRIPLE_FAULT -> always(ExitReason.TRIPLE_FAULT, 0);
            case TASK_SWITCH -> always(ExitReason.TASK_SWITCH, qualification);
            case CPUID -> always(ExitReason.CPUID, 0);
            case INVD -> always(ExitReason.INVD, 0);
            case XSETBV -> always(ExitReason.XSETBV, 0);
            case HLT -> primary(PrimaryControls.HLT_EXITING, ExitReason.HLT, 0);
            case INVLPG -> primary(PrimaryControls.INVLPG_EXITING, ExitReason.INVLPG, qualification);
            case RDPMC -> primary(PrimaryControls.RDPMC_EXITING, ExitReason.RDPMC, 0);
            case RDTSC -> primary(PrimaryControls.RDTSC_EXITING, ExitReason.RDTSC, 0);
            case MWAIT -> primary(PrimaryControls.MWAIT_EXITING, ExitReason.MWAIT, qualification);
            case MONITOR -> primary(PrimaryControls.MONITOR_EXITING, ExitReason.MONITOR, 0);
            case DR_ACCESS -> primary(PrimaryControls.MOV_DR_EXITING, ExitReason.MOV_DR, qualification);
            case WBINVD -> secondary(SecondaryControls.WBINVD_EXITING, ExitReason.WBINVD);
            case RDRAND -> random(SecondaryControls.RDRAND_EXITING, ExitReason.RDRAND, operands);
            case RDSEED -> random(SecondaryControls.RDSEED_EXITING, ExitReason.RDSEED, operands);
            case RDTSCP -> rdtscp();
            case INVPCID -> invpcid(qualification, operands);
            case UMWAIT -> primary(PrimaryControls.RDTSC_EXITING, ExitReason.UMWAIT, 0) && withRegister(operands);
            case TPAUSE -> primary(PrimaryControls.RDTSC_EXITING, ExitReason.TPAUSE, 0) && withRegister(operands);
            case CR_ACCESS -> controlRegister(qualification, value, operands);
            case IO -> io(qualification, value, operands);
            case RDMSR -> bitmaps.msrExits((int) value, false) && always(ExitReason.RDMSR, 0);
            case WRMSR -> bitmaps.msrExits((int) value, true) && always(ExitReason.WRMSR, 0);
            case PAUSE -> pauseLoop.causesExit() && always(ExitReason.PAUSE, 0);
            case GDTR_IDTR, LDTR_TR -> descriptorTable(point, qualification, (int) value, operands);
        };
    }

    private boolean always(ExitReason reason, long qualification) {
        vmx.record(reason, qualification);
        return true;
    }

    private boolean primary(int control, ExitReason reason, long qualification) {
        return controls.hasPrimary(control) && always(reason, qualification);
    }

    private boolean secondary(int control, ExitReason reason) {
        return controls.hasSecondary(control) && always(reason, 0);
    }

    private boolean externalInterrupt(long vector) {
        if (!controls.hasPin(PinControls.EXTERNAL_INTERRUPT_EXITING)) {
            return false;
        }
        vmx.record(ExitReason.EXTERNAL_INTERRUPT, 0);
        if (controls.hasExit(ExitControls.ACKNOWLEDGE_INTERRUPT)) {
            vmx.exit.interruptionInformation = (int) vector | VALID;
            cpu.pins.acknowledgeInterrupt();
        }
        return true;
    }

    /** Without virtual NMIs an NMI that is blocked stays pending. */
    private boolean nmi() {
        boolean blocked =
                !controls.hasPin(PinControls.VIRTUAL_NMIS) && (cpu.interruptibility & CpuState.BLOCKING_BY_NMI) != 0;
        if (!controls.hasPin(PinControls.NMI_EXITING) || blocked) {
            return false;
        }
        vmx.record(ExitReason.EXCEPTION_OR_NMI, 0);
        vmx.exit.interruptionInformation = VECTOR_NMI | TYPE_NMI << 8 | VALID;
        cpu.pins.acknowledgeNmi();
        return true;
    }

    /** Answers "abandoned" with an exception pending where the control that enables the instruction is 0. */
    private boolean undefined() {
        cpu.raise(UNDEFINED_OPCODE);
        return true;
    }

    /**
     * See {@link org.vmxsim.core.cpu.Virtualization#enables}.
     *
     * @param point the instruction's interception point
     * @return false if a VM-execution control makes the instruction undefined
     */
    public boolean enables(Interception point) {
        return switch (point) {
            case RDTSCP -> controls.hasSecondary(SecondaryControls.RDTSCP);
            case INVPCID -> controls.hasSecondary(SecondaryControls.INVPCID);
            case UMWAIT, TPAUSE -> controls.hasSecondary(SecondaryControls.USER_WAIT_PAUSE);
            case EXTERNAL_INTERRUPT,
                    NMI,
                    INIT,
                    START_UP,
                    TRIPLE_FAULT,
                    TASK_SWITCH,
                    CPUID,
                    HLT,
                    INVD,
                    INVLPG,
                    RDPMC,
                    RDTSC,
                    CR_ACCESS,
                    DR_ACCESS,
                    IO,
                    RDMSR,
                    WRMSR,
                    MWAIT,
                    MONITOR,
                    PAUSE,
                    GDTR_IDTR,
                    LDTR_TR,
                    WBINVD,
                    XSETBV,
                    RDRAND,
                    RDSEED -> true;
        };
    }

    private boolean rdtscp() {
        if (!controls.hasSecondary(SecondaryControls.RDTSCP)) {
            return undefined();
        }
        return primary(PrimaryControls.RDTSC_EXITING, ExitReason.RDTSCP, 0);
    }

    private boolean invpcid(long qualification, VmxOperands operands) {
        if (!controls.hasSecondary(SecondaryControls.INVPCID)) {
            return undefined();
        }
        if (!primary(PrimaryControls.INVLPG_EXITING, ExitReason.INVPCID, qualification)) {
            return false;
        }
        vmx.exit.instructionInformation = InstructionInformation.ofMemoryAndRegister(operands);
        return true;
    }

    private boolean random(int control, ExitReason reason, VmxOperands operands) {
        return secondary(control, reason) && withRegister(operands);
    }

    private boolean withRegister(VmxOperands operands) {
        if (operands != null) {
            vmx.exit.instructionInformation = InstructionInformation.ofRegister(operands);
        }
        return true;
    }

    private boolean descriptorTable(Interception point, long qualification, int identity, VmxOperands operands) {
        boolean tables = point == Interception.GDTR_IDTR;
        ExitReason reason = tables ? ExitReason.GDTR_IDTR_ACCESS : ExitReason.LDTR_TR_ACCESS;
        if (!secondary(SecondaryControls.DESCRIPTOR_TABLE_EXITING, reason)) {
            return false;
        }
        vmx.exit.qualification = qualification;
        vmx.exit.instructionInformation = tables
                ? InstructionInformation.ofTable(operands, identity)
                : InstructionInformation.ofSystemSegment(operands, identity);
        return true;
    }

    /** The linear address is that of an LMSW's memory operand, whose bit of the qualification is 6. */
    private boolean controlRegister(long qualification, long value, VmxOperands operands) {
        if (!ControlRegisterAccess.causesExit(controls, qualification, value)) {
            return false;
        }
        vmx.record(ExitReason.CONTROL_REGISTER_ACCESS, qualification);
        vmx.exit.gla = operands != null && operands.memory ? operands.linear : 0;
        return true;
    }

    private boolean io(long qualification, long linear, VmxOperands operands) {
        if (!bitmaps.ioExits((int) (qualification >>> 16) & 0xffff, (int) (qualification & 7) + 1)) {
            return false;
        }
        vmx.record(ExitReason.IO_INSTRUCTION, qualification);
        if ((qualification & IO_STRING) != 0) {
            vmx.exit.gla = linear;
            if (operands != null) {
                vmx.exit.instructionInformation = InstructionInformation.ofStringIo(operands);
            }
        }
        return true;
    }

    /**
     * SDM "Exceptions" under "Other Causes of VM Exits": the bitmap, for page faults inverted by mask and match.
     *
     * @param type event type
     * @param vector vector
     * @param errorCode error code
     * @param hasErrorCode whether there is one
     * @param qualification exit qualification
     * @return true if an exit has been recorded
     */
    public boolean exception(int type, int vector, int errorCode, boolean hasErrorCode, long qualification) {
        boolean selected = (controls.exceptionBitmap & 1 << vector) != 0;
        if (vector == PAGE_FAULT && (errorCode & controls.pageFaultMask) != controls.pageFaultMatch) {
            selected = !selected;
        }
        if (!selected) {
            return false;
        }
        vmx.record(ExitReason.EXCEPTION_OR_NMI, qualification);
        int unblocking = vmx.nmiUnblocking() ? NMI_UNBLOCKING : 0;
        vmx.exit.interruptionInformation =
                vector | type << 8 | (hasErrorCode ? HAS_ERROR_CODE : 0) | unblocking | VALID;
        vmx.exit.interruptionErrorCode = hasErrorCode ? errorCode : 0;
        return true;
    }

    /**
     * SDM "RDTSC" under "Changes to Instruction Behavior in VMX Non-Root Operation".
     *
     * @param actual the processor's counter
     * @return what the guest reads
     */
    public long timeStamp(long actual) {
        if (!controls.hasPrimary(PrimaryControls.TSC_OFFSETTING)) {
            return actual;
        }
        long scaled = controls.hasSecondary(SecondaryControls.TSC_SCALING)
                ? multiplyShift48(actual, controls.tscMultiplier)
                : actual;
        return scaled + controls.tscOffset;
    }

    /** Bits 111:48 of the unsigned product. */
    static long multiplyShift48(long a, long b) {
        long high = Math.multiplyHigh(a, b) + (a >> 63 & b) + (b >> 63 & a);
        return high << 16 | a * b >>> 48;
    }

    /** VM entry has happened. */
    public void entered() {
        pauseLoop.entered();
    }
}
