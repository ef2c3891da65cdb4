package org.vmxsim.vmx;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.core.monitor.AddressMonitor;
import org.vmxsim.vmx.control.EntryControls;
import org.vmxsim.vmx.control.PinControls;
import org.vmxsim.vmx.control.PrimaryControls;
import org.vmxsim.vmx.control.SecondaryControls;
import org.vmxsim.vmx.control.VmxStatus;
import org.vmxsim.vmx.exit.ExitReason;
import org.vmxsim.vmx.exit.VmExit;
import org.vmxsim.vmx.vmcs.ControlField;
import org.vmxsim.vmx.vmcs.GuestField;

/** What entries and exits do to RF, pending debug exceptions and address-range monitoring. */
class TransitionStateTest {
    private static final int VALID = 1 << 31;
    private static final long HANDLER = 0x10_4000;
    private static final long RF = 1 << 16;
    private static final long SINGLE_STEP = 1 << 14;

    private final GuestFixture guest = GuestFixture.longMode();
    private long pending = SINGLE_STEP;

    /** A gate to VMCALL. */
    private void gate(int vector) {
        guest.machine.memory().writeLong(GuestFixture.IDT + 16L * vector, 0x0010_8e00_0008_4000L);
        guest.machine.memory().writeLong(GuestFixture.IDT + 16L * vector + 8, 0);
        guest.machine.memory().writeLong(GuestFixture.GDT + 8, 0x00af_9b00_0000_ffffL);
        guest.machine.memory().writeLong(GuestFixture.GDT + 16, 0x00cf_9300_0000_ffffL);
        guest.machine.memory().writeInt(HANDLER, 0xc1_010f);
    }

    @Test
    void anInstructionThatExitsSavesRfAsZero() {
        guest.code(0x0f, 0xa2).write(GuestField.RFLAGS, RF | 2);

        assertThat(guest.enterAndRun().reason).isEqualTo(ExitReason.CPUID);

        assertThat(guest.read(GuestField.RFLAGS)).isEqualTo(2);
    }

    @Test
    void anEventBetweenInstructionsLeavesRfAlone() {
        guest.code(0x90).write(GuestField.RFLAGS, RF | 2);
        guest.write(ControlField.ENTRY_INTERRUPTION_INFORMATION, 7 << 8 | VALID);

        assertThat(guest.enterAndRun().reason).isEqualTo(ExitReason.MONITOR_TRAP_FLAG);

        assertThat(guest.read(GuestField.RFLAGS)).isEqualTo(RF | 2);
    }

    @Test
    void thereAreSixtyFourVmFunctions() {
        guest.code(0x0f, 0x01, 0xd4).write(ControlField.EXCEPTION_BITMAP, 1 << 6);
        guest.add(ControlField.SECONDARY_PROCESSOR_CONTROLS, SecondaryControls.VM_FUNCTIONS);
        guest.write(ControlField.VM_FUNCTION_CONTROLS, 1).write(ControlField.EPTP_LIST_ADDRESS, 0x3_9000);

        guest.cpu.gpr[CpuState.RAX] = 63;
        assertThat(guest.enterAndRun().reason).isEqualTo(ExitReason.VMFUNC);

        guest.cpu.gpr[CpuState.RAX] = 64;
        VmExit exit = guest.enterAndRun();
        assertThat(exit.reason).isEqualTo(ExitReason.EXCEPTION_OR_NMI);
        assertThat(exit.interruptionInformation & 0xff).as("#UD").isEqualTo(6);
    }

    private VmExit enterWithPendingStep(int information, int interruptibility) {
        gate(0x30);
        gate(13);
        guest.write(ControlField.EXCEPTION_BITMAP, 1 << 1).write(GuestField.RFLAGS, 0x302);
        guest.write(GuestField.PENDING_DEBUG_EXCEPTIONS, pending);
        guest.write(GuestField.INTERRUPTIBILITY_STATE, interruptibility);
        guest.write(ControlField.ENTRY_INTERRUPTION_INFORMATION, information);
        guest.write(ControlField.ENTRY_INSTRUCTION_LENGTH, 2);
        return guest.enterAndRun();
    }

    @Test
    void anInjectedInterruptLeavesNoDebugExceptionPending() {
        assertThat(enterWithPendingStep(0x30 | VALID, 0).reason).isEqualTo(ExitReason.VMCALL);
        assertThat(guest.read(GuestField.RIP)).isEqualTo(HANDLER);
        assertThat(enterWithPendingStep(13 | 3 << 8 | 1 << 11 | VALID, 0).reason)
                .isEqualTo(ExitReason.VMCALL);
        assertThat(enterWithPendingStep(0x30 | 4 << 8 | VALID, 0).reason).isEqualTo(ExitReason.VMCALL);
    }

    /** As INT n behind MOV SS: the breakpoint that MOV SS met is held back, its single step is lost. */
    @Test
    void anInjectedSoftwareInterruptAfterMovSsKeepsTheBreakpoint() {
        pending = SINGLE_STEP | 1 << 12 | 1 << 2;
        VmExit exit = enterWithPendingStep(0x30 | 4 << 8 | VALID, CpuState.BLOCKING_BY_MOV_SS);

        assertThat(exit.reason).isEqualTo(ExitReason.EXCEPTION_OR_NMI);
        assertThat(exit.qualification).isEqualTo(1 << 2);
        assertThat(guest.read(GuestField.RIP)).isEqualTo(HANDLER);
    }

    @Test
    void withoutAnInjectionThePendingStepIsTaken() {
        assertThat(enterWithPendingStep(0, 0).qualification).isEqualTo(SINGLE_STEP);
    }

    /** SDM "Checks on Guest Non-Register State": BTF in the field decides, whatever the entry controls load. */
    @Test
    void branchStepsNeedNoPendingStep() {
        guest.remove(ControlField.ENTRY_CONTROLS, EntryControls.LOAD_DEBUG_CONTROLS);
        guest.write(GuestField.RFLAGS, 0x302).write(GuestField.INTERRUPTIBILITY_STATE, CpuState.BLOCKING_BY_STI);
        guest.write(GuestField.IA32_DEBUGCTL, 2);

        assertThat(guest.vmx.vmlaunch()).isEqualTo(VmxStatus.SUCCEED);
    }

    @Test
    void anNmiThatIsBlockedHidesNoInterruptWindow() {
        guest.code(0x90).write(GuestField.RFLAGS, 0x202);
        guest.add(ControlField.PRIMARY_PROCESSOR_CONTROLS, PrimaryControls.INTERRUPT_WINDOW_EXITING);
        guest.write(GuestField.INTERRUPTIBILITY_STATE, CpuState.BLOCKING_BY_NMI);
        guest.cpu.pins.nmi();

        assertThat(guest.enterAndRun().reason).isEqualTo(ExitReason.INTERRUPT_WINDOW);
    }

    @Test
    void transitionsEndMonitoring() {
        // MWAIT
        guest.code(0x0f, 0x01, 0xc9);
        guest.add(ControlField.PRIMARY_PROCESSOR_CONTROLS, PrimaryControls.MWAIT_EXITING);
        guest.cpu.monitor.arm(GuestFixture.DATA, AddressMonitor.ArmedBy.MONITOR);

        VmExit exit = guest.enterAndRun();

        assertThat(exit.reason).isEqualTo(ExitReason.MWAIT);
        assertThat(exit.qualification).as("not armed").isZero();
    }

    @Test
    void anExitEndsMonitoring() {
        // MONITOR; VMCALL
        guest.code(0x0f, 0x01, 0xc8, 0x0f, 0x01, 0xc1);
        guest.cpu.gpr[CpuState.RAX] = GuestFixture.DATA;

        assertThat(guest.enterAndRun().reason).isEqualTo(ExitReason.VMCALL);

        assertThat(guest.cpu.monitor.isArmed()).isFalse();
    }

    /** SDM "Saving RIP, RSP, RFLAGS, and SSP": what delivery through the IDT would have pushed. */
    @Test
    void anInterruptBetweenIterationsSavesRf() {
        // REP STOSB
        guest.code(0xf3, 0xaa).add(ControlField.PIN_CONTROLS, PinControls.EXTERNAL_INTERRUPT_EXITING);
        guest.cpu.gpr[CpuState.RDI] = GuestFixture.DATA;
        guest.cpu.gpr[CpuState.RCX] = 5;
        assertThat(guest.vmx.vmlaunch()).isEqualTo(VmxStatus.SUCCEED);
        guest.cpu.run(2);
        guest.cpu.pins.interruptRequest(0x41);
        assertThat(guest.cpu.run(10)).isEqualTo(StopReason.VM_EXIT);

        assertThat(guest.vmx.exit().reason).isEqualTo(ExitReason.EXTERNAL_INTERRUPT);
        assertThat(guest.read(GuestField.RIP)).isEqualTo(GuestFixture.CODE);
        assertThat(guest.cpu.gpr[CpuState.RCX]).isEqualTo(3);
        assertThat(guest.read(GuestField.RFLAGS) & RF).isEqualTo(RF);
    }

    @Test
    void theMonitorTrapFlagBetweenIterationsDoesNot() {
        guest.code(0xf3, 0xaa).add(ControlField.PRIMARY_PROCESSOR_CONTROLS, PrimaryControls.MONITOR_TRAP_FLAG);
        guest.cpu.gpr[CpuState.RDI] = GuestFixture.DATA;
        guest.cpu.gpr[CpuState.RCX] = 5;

        assertThat(guest.enterAndRun().reason).isEqualTo(ExitReason.MONITOR_TRAP_FLAG);
        assertThat(guest.cpu.gpr[CpuState.RCX]).isEqualTo(4);
        assertThat(guest.read(GuestField.RFLAGS) & RF).isZero();
    }

    @Test
    void generalDetectIsAFault() {
        // MOV RAX, DR0
        guest.code(0x0f, 0x21, 0xc0).write(ControlField.EXCEPTION_BITMAP, 1 << 1);
        guest.add(ControlField.ENTRY_CONTROLS, EntryControls.LOAD_DEBUG_CONTROLS);
        guest.write(GuestField.DR7, 0x400 | 1 << 13);

        VmExit exit = guest.enterAndRun();
        assertThat(exit.reason).isEqualTo(ExitReason.EXCEPTION_OR_NMI);
        assertThat(exit.qualification).isEqualTo(1 << 13);
        assertThat(guest.read(GuestField.RFLAGS) & RF).isEqualTo(RF);
    }

    @Test
    void waitingIsSavedAsActive() {
        // MONITOR; MWAIT; the interrupt that the wait ends by is an exit
        guest.code(0x0f, 0x01, 0xc8, 0x0f, 0x01, 0xc9);
        guest.add(ControlField.PIN_CONTROLS, PinControls.EXTERNAL_INTERRUPT_EXITING);
        guest.cpu.gpr[CpuState.RAX] = GuestFixture.DATA;
        guest.cpu.gpr[CpuState.RCX] = 0;
        assertThat(guest.vmx.vmlaunch()).isEqualTo(VmxStatus.SUCCEED);
        assertThat(guest.cpu.run(10)).isEqualTo(StopReason.HALTED);
        assertThat(guest.cpu.activity).isEqualTo(CpuState.MONITOR_WAIT);
        guest.cpu.pins.interruptRequest(0x41);
        assertThat(guest.cpu.run(10)).isEqualTo(StopReason.VM_EXIT);

        assertThat(guest.vmx.exit().reason).isEqualTo(ExitReason.EXTERNAL_INTERRUPT);
        assertThat(guest.read(GuestField.ACTIVITY_STATE)).isZero();
        assertThat(guest.read(GuestField.RIP)).isEqualTo(GuestFixture.CODE + 6);
    }

    /**
     * SDM "Changes to Instruction Behavior in VMX Non-Root Operation": with ECX bit 0, RFLAGS.IF = 0 and
     * "interrupt-window exiting", control passes to the instruction behind MWAIT.
     */
    @ParameterizedTest
    @CsvSource({"1, true, false", "0, true, true", "1, false, true"})
    void mwaitForTheInterruptWindowDoesNotWait(int extension, boolean window, boolean waits) {
        // MONITOR; MOV ECX,EDI; MWAIT; HLT, which exits
        guest.code(0x0f, 0x01, 0xc8, 0x89, 0xf9, 0x0f, 0x01, 0xc9, 0xf4);
        int controls = PrimaryControls.HLT_EXITING | (window ? PrimaryControls.INTERRUPT_WINDOW_EXITING : 0);
        guest.add(ControlField.PRIMARY_PROCESSOR_CONTROLS, controls);
        guest.cpu.gpr[CpuState.RAX] = GuestFixture.DATA;
        guest.cpu.gpr[CpuState.RCX] = 0;
        guest.cpu.gpr[CpuState.RDI] = extension;
        assertThat(guest.vmx.vmlaunch()).isEqualTo(VmxStatus.SUCCEED);

        assertThat(guest.cpu.run(10)).isEqualTo(waits ? StopReason.HALTED : StopReason.VM_EXIT);

        assertThat(guest.cpu.activity).isEqualTo(waits ? CpuState.MONITOR_WAIT : CpuState.ACTIVE);
        if (!waits) {
            assertThat(guest.vmx.exit().reason).isEqualTo(ExitReason.HLT);
        }
    }

    /** SDM "Information for VM Exits Due to Instruction Execution": LMSW from memory tells the operand's address. */
    @Test
    void lmswFromMemoryTellsItsLinearAddress() {
        // LMSW [RBX]
        guest.code(0x0f, 0x01, 0x33).write(ControlField.CR0_GUEST_HOST_MASK, 1 << 3);
        guest.cpu.gpr[CpuState.RBX] = GuestFixture.DATA + 6;
        guest.machine.memory().writeShort(GuestFixture.DATA + 6, 0x9);

        VmExit exit = guest.enterAndRun();

        assertThat(exit.reason).isEqualTo(ExitReason.CONTROL_REGISTER_ACCESS);
        assertThat(exit.qualification).isEqualTo(3 << 4 | 1 << 6 | 9 << 16);
        assertThat(exit.gla).isEqualTo(GuestFixture.DATA + 6);
    }
}
