package org.vmxsim.vmx;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.vmx.control.ExitControls;
import org.vmxsim.vmx.control.PinControls;
import org.vmxsim.vmx.control.PrimaryControls;
import org.vmxsim.vmx.control.SecondaryControls;
import org.vmxsim.vmx.control.VmxStatus;
import org.vmxsim.vmx.ept.Eptp;
import org.vmxsim.vmx.exit.ExitReason;
import org.vmxsim.vmx.exit.VmExit;
import org.vmxsim.vmx.vmcs.ControlField;
import org.vmxsim.vmx.vmcs.ExitField;
import org.vmxsim.vmx.vmcs.GuestField;

/** Exits that are not instructions': exceptions, events between instructions, memory, and what injection does. */
class GuestEventTest {
    private static final int VALID = 1 << 31;
    private static final int[] VMCALL = {0x0f, 0x01, 0xc1};
    private static final long HANDLER = 0x10_4000;

    private GuestFixture guest = GuestFixture.longMode();

    private void gate(int vector, long handler) {
        long low = handler & 0xffff | 8 << 16 | 0x8e00L << 32 | (handler >>> 16 & 0xffff) << 48;
        guest.machine.memory().writeLong(GuestFixture.IDT + 16L * vector, low);
        guest.machine.memory().writeLong(GuestFixture.IDT + 16L * vector + 8, handler >>> 32);
        guest.machine.memory().writeLong(GuestFixture.GDT + 8, 0x00af_9b00_0000_ffffL);
        guest.machine.memory().writeLong(GuestFixture.GDT + 16, 0x00cf_9300_0000_ffffL);
        for (int i = 0; i < VMCALL.length; i++) {
            guest.machine.memory().writeByte(handler + i, VMCALL[i]);
        }
    }

    private static void is(VmExit exit, ExitReason reason, long qualification) {
        assertThat(exit.reason).isEqualTo(reason);
        assertThat(exit.qualification).isEqualTo(qualification);
    }

    @Test
    void exceptionsInTheBitmapExit() {
        guest.code(0x0f, 0x0b).write(ControlField.EXCEPTION_BITMAP, 1 << 6);

        VmExit exit = guest.enterAndRun();

        is(exit, ExitReason.EXCEPTION_OR_NMI, 0);
        assertThat(exit.interruptionInformation).isEqualTo(6 | 3 << 8 | VALID);
        assertThat(guest.read(GuestField.RFLAGS))
                .as("RF as the fault would push it")
                .isEqualTo(0x1_0002);
    }

    /** #AC is an exception with an error code like others; at CPL 0 nothing is checked. */
    @ParameterizedTest
    @CsvSource({"3, true", "0, false"})
    void alignmentChecksExit(int cpl, boolean exits) {
        // MOV EAX,[RBX]; VMCALL
        guest.code(0x8b, 0x03, 0x0f, 0x01, 0xc1).write(ControlField.EXCEPTION_BITMAP, 1 << 17);
        guest.add(GuestField.CR0, 1 << 18);
        guest.write(GuestField.RFLAGS, 1 << 18 | 2);
        guest.write(GuestField.CS_ACCESS_RIGHTS, guest.read(GuestField.CS_ACCESS_RIGHTS) | cpl << 5);
        guest.write(GuestField.SS_ACCESS_RIGHTS, guest.read(GuestField.SS_ACCESS_RIGHTS) | cpl << 5);
        guest.write(GuestField.CS_SELECTOR, guest.read(GuestField.CS_SELECTOR) & ~3 | cpl);
        guest.write(GuestField.SS_SELECTOR, guest.read(GuestField.SS_SELECTOR) & ~3 | cpl);
        guest.cpu.gpr[CpuState.RBX] = GuestFixture.DATA + 2;

        VmExit exit = guest.enterAndRun();

        is(exit, exits ? ExitReason.EXCEPTION_OR_NMI : ExitReason.VMCALL, 0);
        if (exits) {
            assertThat(exit.interruptionInformation).isEqualTo(17 | 3 << 8 | 1 << 11 | VALID);
            assertThat(exit.interruptionErrorCode).isZero();
        }
    }

    @Test
    void softwareExceptionsTellTheirTypeAndLength() {
        guest.code(0xcc).write(ControlField.EXCEPTION_BITMAP, 1 << 3);

        VmExit exit = guest.enterAndRun();

        assertThat(exit.interruptionInformation).isEqualTo(3 | 6 << 8 | VALID);
        assertThat(exit.instructionLengthBytes).isEqualTo(1);
        assertThat(guest.read(GuestField.RIP)).isEqualTo(GuestFixture.CODE);
        assertThat(guest.read(GuestField.RFLAGS)).isEqualTo(2);
    }

    @Test
    void pageFaultsExitByMaskAndMatch() {
        // MOV RAX, [RBX] with RBX beyond what the guest maps
        assertThat(pageFaultExits(true, 0, 0)).isTrue();
        assertThat(pageFaultExits(true, 1, 1)).as("not-present does not match").isFalse();
        assertThat(pageFaultExits(true, 1, 0)).isTrue();
        assertThat(pageFaultExits(false, 1, 1)).as("inverted").isTrue();
        assertThat(pageFaultExits(false, 0, 0)).isFalse();
    }

    private static boolean pageFaultExits(boolean bitmap, int mask, int match) {
        GuestEventTest test = new GuestEventTest();
        GuestFixture guest = test.guest.code(0x48, 0x8b, 0x03);
        test.gate(14, HANDLER);
        guest.cpu.gpr[CpuState.RBX] = 0x40_0000_0000L;
        guest.write(ControlField.EXCEPTION_BITMAP, bitmap ? 1 << 14 : 0);
        guest.write(ControlField.PAGE_FAULT_ERROR_CODE_MASK, mask);
        guest.write(ControlField.PAGE_FAULT_ERROR_CODE_MATCH, match);
        guest.cpu.cr2 = 7;
        VmExit exit = guest.enterAndRun();
        if (exit.reason == ExitReason.VMCALL) {
            assertThat(guest.cpu.cr2).isEqualTo(0x40_0000_0000L);
            return false;
        }
        is(exit, ExitReason.EXCEPTION_OR_NMI, 0x40_0000_0000L);
        assertThat(exit.interruptionInformation).isEqualTo(14 | 3 << 8 | 1 << 11 | VALID);
        assertThat(exit.interruptionErrorCode).isZero();
        assertThat(guest.cpu.cr2).as("an exit leaves CR2 alone").isEqualTo(7);
        return true;
    }

    @Test
    void faultsWithoutAHandlerEndInATripleFault() {
        guest.code(0x0f, 0x0b).write(GuestField.IDTR_LIMIT, 0);

        is(guest.enterAndRun(), ExitReason.TRIPLE_FAULT, 0);
    }

    @Test
    void injectedExceptionReachesItsHandlerWithItsErrorCode() {
        gate(13, HANDLER);
        guest.code(0xf4).write(ControlField.ENTRY_INTERRUPTION_INFORMATION, 13 | 3 << 8 | 1 << 11 | VALID);
        guest.write(ControlField.ENTRY_EXCEPTION_ERROR_CODE, 0x58);
        guest.write(ControlField.EXCEPTION_BITMAP, -1);

        is(guest.enterAndRun(), ExitReason.VMCALL, 0);

        assertThat(guest.read(GuestField.RIP)).isEqualTo(HANDLER);
        long rsp = guest.read(GuestField.RSP);
        assertThat(rsp).isEqualTo(GuestFixture.STACK - 48);
        assertThat(guest.machine.memory().readLong(rsp)).isEqualTo(0x58);
        assertThat(guest.machine.memory().readLong(rsp + 8)).isEqualTo(GuestFixture.CODE);
        assertThat(guest.read(ControlField.ENTRY_INTERRUPTION_INFORMATION) & 0x8000_0000L)
                .as("the exit clears the valid bit")
                .isZero();
    }

    @Test
    void anExitDuringInjectionTellsTheEvent() {
        gate(0x30, HANDLER);
        guest.write(GuestField.RFLAGS, 0x202);
        guest.write(ControlField.ENTRY_INTERRUPTION_INFORMATION, 0x30 | VALID);
        guest.mapEpt(GuestFixture.IDT, 0);

        VmExit exit = guest.enterAndRun();

        assertThat(exit.reason).isEqualTo(ExitReason.EPT_VIOLATION);
        assertThat(exit.gpa).isEqualTo(GuestFixture.IDT + 0x300);
        assertThat(exit.idtVectoringInformation).isEqualTo(0x30 | VALID);
        assertThat(guest.read(GuestField.RIP)).isEqualTo(GuestFixture.CODE);
        assertThat(guest.read(GuestField.RSP)).isEqualTo(GuestFixture.STACK);
    }

    @Test
    void eptViolationTellsAddressAndAccess() {
        // MOV [RBX], RAX
        guest.code(0x48, 0x89, 0x03).mapEpt(GuestFixture.DATA, GuestFixture.DATA | 6 << 3 | 5);
        guest.cpu.gpr[CpuState.RBX] = GuestFixture.DATA + 0x18;

        VmExit exit = guest.enterAndRun();

        // write; readable and executable; linear address valid, its translation; user page, writable
        is(exit, ExitReason.EPT_VIOLATION, 1 << 1 | 5 << 3 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10);
        assertThat(exit.gpa).isEqualTo(GuestFixture.DATA + 0x18);
        assertThat(exit.gla).isEqualTo(GuestFixture.DATA + 0x18);
        assertThat(exit.instructionLengthBytes).isEqualTo(3);
        assertThat(guest.read(ExitField.GUEST_PHYSICAL_ADDRESS)).isEqualTo(exit.gpa);
        assertThat(guest.read(ExitField.GUEST_LINEAR_ADDRESS)).isEqualTo(exit.gla);
        assertThat(guest.read(GuestField.RFLAGS)).as("RF").isEqualTo(0x1_0002);

        guest.mapEpt(GuestFixture.DATA, GuestFixture.DATA | 6 << 3 | 7);
        guest.cpu.gpr[CpuState.RAX] = 0x1234;
        guest.machine.memory().writeByte(GuestFixture.CODE + 3, 0xf4);
        assertThat(guest.enterAndRun().reason).isEqualTo(ExitReason.HLT);
        assertThat(guest.machine.memory().readLong(GuestFixture.DATA + 0x18)).isEqualTo(0x1234);
    }

    @Test
    void eptMisconfigurationTellsTheAddressAlone() {
        guest.code(0x48, 0x8b, 0x03).mapEpt(GuestFixture.DATA, GuestFixture.DATA | 2);
        guest.cpu.gpr[CpuState.RBX] = GuestFixture.DATA + 8;

        VmExit exit = guest.enterAndRun();

        is(exit, ExitReason.EPT_MISCONFIGURATION, 0);
        assertThat(exit.gpa).isEqualTo(GuestFixture.DATA + 8);
    }

    private void armSubPages() {
        guest.add(ControlField.SECONDARY_PROCESSOR_CONTROLS, SecondaryControls.SUB_PAGE_WRITE);
        guest.write(ControlField.SUB_PAGE_PERMISSION_TABLE_POINTER, GuestFixture.SPPT);
        guest.mapEpt(GuestFixture.DATA, GuestFixture.DATA | 1L << 61 | 6 << 3 | 5);
        guest.code(0x48, 0x89, 0x03, 0xf4);
        guest.cpu.gpr[CpuState.RBX] = GuestFixture.DATA + 0x80;
    }

    @Test
    void sppMissIsExit66() {
        armSubPages();

        VmExit exit = guest.enterAndRun();

        is(exit, ExitReason.SPP_RELATED_EVENT, 0x800);
        assertThat(exit.gpa).isEqualTo(GuestFixture.DATA + 0x80);
        assertThat(exit.gla).isEqualTo(GuestFixture.DATA + 0x80);
        assertThat(guest.read(ExitField.EXIT_REASON)).isEqualTo(66);
    }

    /** The vector of the data page, with all levels linked. */
    private long subPageVector() {
        long table = GuestFixture.SPPT;
        for (int level = 4; level > 1; level--) {
            int shift = 3 + 9 * level;
            long entry = table + 8 * (GuestFixture.DATA >>> shift & 511);
            guest.machine.memory().writeLong(entry, table + 0x1000 | 1);
            table += 0x1000;
        }
        return table + 8 * (GuestFixture.DATA >>> 12 & 511);
    }

    /** The line of MOVDIR64B lies in one sub-page: all of it is written, or none, with the address of its beginning. */
    @Test
    void directStoresOf64BytesObeySubPages() {
        guest = GuestFixture.longMode("tigerlake");
        armSubPages();
        long vector = subPageVector();
        // MOVDIR64B RDI,[RBX]; HLT
        guest.code(0x66, 0x0f, 0x38, 0xf8, 0x3b, 0xf4);
        guest.cpu.gpr[CpuState.RDI] = GuestFixture.DATA + 0xc0;
        guest.machine.memory().fill(GuestFixture.DATA + 0x80, 0x40, 0x5a);
        guest.machine.memory().writeLong(vector, 1 | 1 << 4);

        VmExit exit = guest.enterAndRun();

        is(exit, ExitReason.EPT_VIOLATION, 1 << 1 | 5 << 3 | 3 << 7 | 3 << 9);
        assertThat(exit.gpa).isEqualTo(GuestFixture.DATA + 0xc0);
        assertThat(guest.machine.memory().readLong(GuestFixture.DATA + 0xc0)).isZero();
        guest.machine.memory().writeLong(vector, 1 << 2);
        guest.vmx.invept(2, 0);
        assertThat(guest.enterAndRun().reason).isEqualTo(ExitReason.HLT);
        assertThat(guest.machine.memory().readLong(GuestFixture.DATA + 0xf8)).isEqualTo(0x5a5a_5a5a_5a5a_5a5aL);
        assertThat(guest.machine.memory().readLong(GuestFixture.DATA + 0x100)).isZero();
    }

    @Test
    void subPagesDecideAboutWrites() {
        armSubPages();
        long vector = subPageVector();
        guest.machine.memory().writeLong(vector, 1);

        is(guest.enterAndRun(), ExitReason.EPT_VIOLATION, 1 << 1 | 5 << 3 | 3 << 7 | 3 << 9);

        guest.machine.memory().writeLong(vector, 4);
        guest.vmx.invept(2, 0);
        guest.cpu.gpr[CpuState.RAX] = 77;
        assertThat(guest.enterAndRun().reason).isEqualTo(ExitReason.HLT);
        assertThat(guest.machine.memory().readLong(GuestFixture.DATA + 0x80)).isEqualTo(77);
    }

    /** spp.md C16: the pop succeeds and unblocks NMIs, then the push side of IRET's return misses. */
    @Test
    void nmiUnblockingByIretIsBit12() {
        guest.code(0x48, 0xcf).write(GuestField.INTERRUPTIBILITY_STATE, 8);
        guest.add(ControlField.PIN_CONTROLS, PinControls.NMI_EXITING | PinControls.VIRTUAL_NMIS);
        guest.mapEpt(GuestFixture.STACK, 0);

        VmExit exit = guest.enterAndRun();

        assertThat(exit.reason).isEqualTo(ExitReason.EPT_VIOLATION);
        assertThat(exit.qualification >>> 12 & 1).isEqualTo(1);
        assertThat(guest.read(GuestField.INTERRUPTIBILITY_STATE))
                .as("unblocked")
                .isZero();
    }

    @Test
    void withoutNmiBlockingBit12IsClear() {
        guest.code(0x48, 0xcf).mapEpt(GuestFixture.STACK, 0);

        assertThat(guest.enterAndRun().qualification >>> 12 & 1).isZero();
    }

    @Test
    void fullPageModificationLogExitsAndTheIndexIsSaved() {
        guest.add(ControlField.SECONDARY_PROCESSOR_CONTROLS, SecondaryControls.PML);
        guest.write(ControlField.PML_ADDRESS, GuestFixture.PML).write(GuestField.PML_INDEX, 0);
        guest.write(ControlField.EPT_POINTER, Eptp.of(GuestFixture.EPT_ROOT, 4, true));
        // MOV [RBX], RAX; MOV [RBX+4096], RAX: the first uses the last entry
        guest.code(0x48, 0x89, 0x03, 0x48, 0x89, 0x83, 0x00, 0x10, 0x00, 0x00);
        guest.cpu.gpr[CpuState.RBX] = GuestFixture.DATA;
        for (long table = 0x2_0000; table < 0x2_2000; table += 0x1000) {
            // guest tables are written by nobody: their flags are set
            guest.machine.memory().writeLong(table, guest.machine.memory().readLong(table) | 0x60);
            guest.mapEpt(table, table | 6 << 3 | 7 | 3 << 8);
        }

        is(guest.enterAndRun(), ExitReason.PAGE_MODIFICATION_LOG_FULL, 0);

        assertThat(guest.read(GuestField.PML_INDEX)).isEqualTo(0xffff);
        assertThat(guest.machine.memory().readLong(GuestFixture.PML)).isEqualTo(GuestFixture.DATA);
        assertThat(guest.read(GuestField.RIP)).isEqualTo(GuestFixture.CODE + 3);
    }

    @Test
    void preemptionTimerExpiresAfterItsTicks() {
        guest.code(0xeb, 0xfe).add(ControlField.PIN_CONTROLS, PinControls.PREEMPTION_TIMER);
        guest.add(ControlField.EXIT_CONTROLS, ExitControls.SAVE_PREEMPTION_TIMER);
        guest.write(GuestField.PREEMPTION_TIMER_VALUE, 10);
        long before = guest.cpu.retired;

        is(guest.enterAndRun(), ExitReason.PREEMPTION_TIMER_EXPIRED, 0);

        assertThat(guest.cpu.retired - before).as("10 ticks of 32 instructions").isEqualTo(320);
        assertThat(guest.read(GuestField.PREEMPTION_TIMER_VALUE)).isZero();
    }

    @Test
    void preemptionTimerOfZeroExpiresBeforeTheFirstInstruction() {
        guest.code(0xf4).add(ControlField.PIN_CONTROLS, PinControls.PREEMPTION_TIMER);

        is(guest.enterAndRun(), ExitReason.PREEMPTION_TIMER_EXPIRED, 0);

        assertThat(guest.read(GuestField.RIP)).isEqualTo(GuestFixture.CODE);
    }

    @Test
    void preemptionTimerIsSavedWhereItStands() {
        guest.code(0x0f, 0x1f, 0x00, 0x0f, 0x01, 0xc1).add(ControlField.PIN_CONTROLS, PinControls.PREEMPTION_TIMER);
        guest.add(ControlField.EXIT_CONTROLS, ExitControls.SAVE_PREEMPTION_TIMER);
        guest.write(GuestField.PREEMPTION_TIMER_VALUE, 1000);

        is(guest.enterAndRun(), ExitReason.VMCALL, 0);

        assertThat(guest.read(GuestField.PREEMPTION_TIMER_VALUE)).isEqualTo(1000);
    }

    @Test
    void monitorTrapFlagExitsAfterOneInstruction() {
        guest.code(0x90, 0x90, 0x90);
        guest.add(ControlField.PRIMARY_PROCESSOR_CONTROLS, PrimaryControls.MONITOR_TRAP_FLAG);

        is(guest.enterAndRun(), ExitReason.MONITOR_TRAP_FLAG, 0);
        assertThat(guest.read(GuestField.RIP)).isEqualTo(GuestFixture.CODE + 1);
        is(guest.enterAndRun(), ExitReason.MONITOR_TRAP_FLAG, 0);
        assertThat(guest.read(GuestField.RIP)).isEqualTo(GuestFixture.CODE + 2);
    }

    @Test
    void monitorTrapFlagExitsBeforeTheHandlerOfAnInjectedEvent() {
        gate(3, HANDLER);
        guest.add(ControlField.PRIMARY_PROCESSOR_CONTROLS, PrimaryControls.MONITOR_TRAP_FLAG);
        guest.write(ControlField.ENTRY_INTERRUPTION_INFORMATION, 6 | 3 << 8 | VALID);
        gate(6, HANDLER);

        is(guest.enterAndRun(), ExitReason.MONITOR_TRAP_FLAG, 0);

        assertThat(guest.read(GuestField.RIP)).isEqualTo(HANDLER);
    }

    @Test
    void pendingTrapCanBeInjected() {
        guest.code(0x90).write(ControlField.ENTRY_INTERRUPTION_INFORMATION, 7 << 8 | VALID);

        is(guest.enterAndRun(), ExitReason.MONITOR_TRAP_FLAG, 0);

        assertThat(guest.read(GuestField.RIP)).isEqualTo(GuestFixture.CODE);
    }

    @Test
    void interruptWindowOpensAfterTheShadowOfSti() {
        guest.code(0x90, 0xfb, 0x90, 0x90);
        guest.add(ControlField.PRIMARY_PROCESSOR_CONTROLS, PrimaryControls.INTERRUPT_WINDOW_EXITING);

        is(guest.enterAndRun(), ExitReason.INTERRUPT_WINDOW, 0);

        assertThat(guest.read(GuestField.RIP)).isEqualTo(GuestFixture.CODE + 3);
    }

    @Test
    void nmiWindowOpensWithIret() {
        guest.code(0x48, 0xcf).write(GuestField.INTERRUPTIBILITY_STATE, 8);
        guest.add(ControlField.PIN_CONTROLS, PinControls.NMI_EXITING | PinControls.VIRTUAL_NMIS);
        guest.add(ControlField.PRIMARY_PROCESSOR_CONTROLS, PrimaryControls.NMI_WINDOW_EXITING);
        gate(6, HANDLER);
        long frame = GuestFixture.STACK;
        long[] image = {HANDLER, 8, 2, GuestFixture.STACK, 16};
        for (int i = 0; i < image.length; i++) {
            guest.machine.memory().writeLong(frame + 8 * i, image[i]);
        }

        is(guest.enterAndRun(), ExitReason.NMI_WINDOW, 0);

        assertThat(guest.read(GuestField.RIP)).isEqualTo(HANDLER);
        assertThat(guest.read(GuestField.INTERRUPTIBILITY_STATE)).isZero();
    }

    @Test
    void externalInterruptExitsEvenWithInterruptsDisabled() {
        guest.code(0xeb, 0xfe).add(ControlField.PIN_CONTROLS, PinControls.EXTERNAL_INTERRUPT_EXITING);
        guest.add(ControlField.EXIT_CONTROLS, ExitControls.ACKNOWLEDGE_INTERRUPT);
        guest.cpu.pins.interruptRequest(0x41);

        VmExit exit = guest.enterAndRun();

        is(exit, ExitReason.EXTERNAL_INTERRUPT, 0);
        assertThat(exit.interruptionInformation).isEqualTo(0x41 | VALID);
        assertThat(guest.cpu.pins.interruptRequest()).as("acknowledged").isEqualTo(-1);
    }

    @Test
    void externalInterruptStaysPendingWithoutAcknowledge() {
        guest.code(0xeb, 0xfe).add(ControlField.PIN_CONTROLS, PinControls.EXTERNAL_INTERRUPT_EXITING);
        guest.cpu.pins.interruptRequest(0x41);

        assertThat(guest.enterAndRun().interruptionInformation).isZero();
        assertThat(guest.cpu.pins.interruptRequest()).isEqualTo(0x41);
    }

    @Test
    void nmiExits() {
        guest.code(0xeb, 0xfe).add(ControlField.PIN_CONTROLS, PinControls.NMI_EXITING);
        guest.cpu.pins.nmi();

        VmExit exit = guest.enterAndRun();

        assertThat(exit.interruptionInformation).isEqualTo(2 | 2 << 8 | VALID);
        assertThat(guest.cpu.pins.nmiWaits()).isFalse();
    }

    @Test
    void aKickGivesTheProcessorBack() {
        guest.code(0xeb, 0xfe).add(ControlField.PIN_CONTROLS, PinControls.EXTERNAL_INTERRUPT_EXITING);
        assertThat(guest.vmx.kick()).as("not in a guest").isFalse();
        assertThat(guest.vmx.vmlaunch()).isEqualTo(VmxStatus.SUCCEED);
        assertThat(guest.cpu.run(1000)).isEqualTo(StopReason.BUDGET);

        assertThat(guest.vmx.kick()).isTrue();

        assertThat(guest.vmx.exit().reason).isEqualTo(ExitReason.EXTERNAL_INTERRUPT);
        assertThat(guest.vmx.inNonRoot()).isFalse();
        assertThat(guest.vmx.vmresume()).isEqualTo(VmxStatus.SUCCEED);
        assertThat(guest.cpu.run(1000)).as("no exit is left over").isEqualTo(StopReason.BUDGET);
    }

    @Test
    void unpagedGuestRunsIn32BitMode() {
        GuestFixture unpaged = GuestFixture.unpaged();
        // MOV EAX, 0x11223344; MOV [0x110000], EAX; INC EAX (40, a REX prefix in 64-bit code); HLT
        unpaged.code(0xb8, 0x44, 0x33, 0x22, 0x11, 0xa3, 0x00, 0x00, 0x11, 0x00, 0x40, 0xf4);

        is(unpaged.enterAndRun(), ExitReason.HLT, 0);

        assertThat(unpaged.machine.memory().readInt(GuestFixture.DATA)).isEqualTo(0x1122_3344);
        assertThat(unpaged.cpu.gpr[CpuState.RAX]).isEqualTo(0x1122_3345);
        assertThat(unpaged.read(GuestField.CR0)).isEqualTo(0x31);
    }

    @Test
    void tscOffsetAndScalingApplyToRdtsc() {
        guest.code(0x0f, 0x31, 0xf4);
        guest.add(ControlField.PRIMARY_PROCESSOR_CONTROLS, PrimaryControls.TSC_OFFSETTING);
        guest.add(ControlField.SECONDARY_PROCESSOR_CONTROLS, SecondaryControls.TSC_SCALING);
        guest.write(ControlField.TSC_OFFSET, 1_000_000);
        guest.write(ControlField.TSC_MULTIPLIER, 3L << 47);
        guest.cpu.tscOffset = 2_000 - guest.cpu.timeStamp();

        is(guest.enterAndRun(), ExitReason.HLT, 0);

        assertThat(guest.cpu.gpr[CpuState.RAX]).isEqualTo(1_003_000);
    }

    @Test
    void entryAndExitKeepTranslationsUntilInvept() {
        guest.code(0x48, 0x8b, 0x03, 0x0f, 0x01, 0xc1);
        guest.cpu.gpr[CpuState.RBX] = GuestFixture.DATA;
        guest.machine.memory().writeLong(GuestFixture.DATA, 1);
        guest.machine.memory().writeLong(GuestFixture.DATA + 0x1000, 2);
        guest.enterAndRun();
        assertThat(guest.cpu.gpr[CpuState.RAX]).isEqualTo(1);
        long moved = GuestFixture.DATA + 0x1000 | 6 << 3 | 7;
        guest.machine.memory().writeLong(GuestFixture.EPT_PT + (GuestFixture.DATA >>> 12) * 8, moved);

        guest.cpu.gpr[CpuState.RAX] = 0;
        guest.write(GuestField.RIP, GuestFixture.CODE).enterAndRun();
        assertThat(guest.cpu.gpr[CpuState.RAX]).as("stale without INVEPT").isEqualTo(1);
        guest.vmx.invept(1, guest.read(ControlField.EPT_POINTER));
        guest.write(GuestField.RIP, GuestFixture.CODE).enterAndRun();
        assertThat(guest.cpu.gpr[CpuState.RAX]).isEqualTo(2);
    }

    @Test
    void vmfuncSwitchesTheEptPointer() {
        // VMFUNC; MOV RAX, [RBX]; VMCALL
        guest.code(0x0f, 0x01, 0xd4, 0x48, 0x8b, 0x03, 0x0f, 0x01, 0xc1);
        guest.add(ControlField.SECONDARY_PROCESSOR_CONTROLS, SecondaryControls.VM_FUNCTIONS);
        guest.write(ControlField.VM_FUNCTION_CONTROLS, 1).write(ControlField.EPTP_LIST_ADDRESS, 0x3_9000);
        guest.machine.memory().writeLong(0x3_9000 + 8 * 5, Eptp.of(GuestFixture.EPT_ROOT, 4, true));
        guest.cpu.gpr[CpuState.RAX] = 0;
        guest.cpu.gpr[CpuState.RCX] = 5;
        guest.cpu.gpr[CpuState.RBX] = GuestFixture.DATA;

        is(guest.enterAndRun(), ExitReason.VMCALL, 0);

        assertThat(guest.read(ControlField.EPT_POINTER)).isEqualTo(GuestFixture.EPT_ROOT | 0x5e);
        assertThat(guest.machine.memory().readLong(GuestFixture.EPT_ROOT) & 1 << 8)
                .as("accessed")
                .isNotZero();
        assertThat(guest.read(ControlField.EPTP_INDEX)).isEqualTo(5);
    }

    @Test
    void vmfuncOfAnInvalidListEntryExits() {
        guest.code(0x0f, 0x01, 0xd4);
        guest.add(ControlField.SECONDARY_PROCESSOR_CONTROLS, SecondaryControls.VM_FUNCTIONS);
        guest.write(ControlField.VM_FUNCTION_CONTROLS, 1).write(ControlField.EPTP_LIST_ADDRESS, 0x3_9000);
        guest.cpu.gpr[CpuState.RAX] = 0;
        guest.cpu.gpr[CpuState.RCX] = 5;

        is(guest.enterAndRun(), ExitReason.VMFUNC, 0);
    }
}
