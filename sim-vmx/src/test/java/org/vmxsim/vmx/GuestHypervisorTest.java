package org.vmxsim.vmx;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.vmx.control.ExitControls;
import org.vmxsim.vmx.control.PinControls;
import org.vmxsim.vmx.control.VmxStatus;
import org.vmxsim.vmx.exit.ExitReason;
import org.vmxsim.vmx.vmcs.ControlField;
import org.vmxsim.vmx.vmcs.ExitField;
import org.vmxsim.vmx.vmcs.GuestField;
import org.vmxsim.vmx.vmcs.HostField;
import org.vmxsim.vmx.vmcs.Vmcs;
import org.vmxsim.vmx.vmcs.VmcsField;

/** VMX instructions as 64-bit code outside any guest: flags, error numbers, faults, and the way to a guest and back. */
class GuestHypervisorTest {
    private static final long HOST_CODE = 0x10_8000;
    private static final long HANDLERS = 0x14_0000;
    private static final long OPERAND = 0x15_0000;
    private static final int CF = 1;
    private static final int ZF = 1 << 6;
    private static final int OTHERS = 0x894;
    private static final int UNDEFINED = 6;
    private static final int PROTECTION = 13;
    private static final int PAGE_FAULT = 14;
    private static final int[] VMXON = {0xf3, 0x0f, 0xc7, 0x33};
    private static final int[] VMCLEAR = {0x66, 0x0f, 0xc7, 0x33};
    private static final int[] VMPTRLD = {0x0f, 0xc7, 0x33};
    private static final int[] VMPTRST = {0x0f, 0xc7, 0x3b};
    private static final int[] VMREAD_RCX_TO_RAX = {0x0f, 0x78, 0xc8};
    private static final int[] VMREAD_RCX_TO_MEMORY = {0x0f, 0x78, 0x0b};
    private static final int[] VMWRITE_RAX_TO_RCX = {0x0f, 0x79, 0xc8};
    private static final int[] VMWRITE_MEMORY_TO_RCX = {0x0f, 0x79, 0x0b};
    private static final int[] VMLAUNCH = {0x0f, 0x01, 0xc2};
    private static final int[] VMRESUME = {0x0f, 0x01, 0xc3};
    private static final int[] VMXOFF = {0x0f, 0x01, 0xc4};
    private static final int[] VMCALL = {0x0f, 0x01, 0xc1};
    private static final int[] VMFUNC = {0x0f, 0x01, 0xd4};
    private static final int[] INVEPT = {0x66, 0x0f, 0x38, 0x80, 0x0b};
    private static final int[] INVVPID = {0x66, 0x0f, 0x38, 0x81, 0x0b};

    /** The VMCS is prepared by Java; then VMX operation goes on in guest code. */
    private final GuestFixture fixture = GuestFixture.longMode("tigerlake");

    private final Processor cpu = fixture.cpu;
    private final PhysicalMemory memory = fixture.machine.memory();

    GuestHypervisorTest() {
        cpu.cr0 = 0x8000_0031L;
        cpu.cr4 = 0x2020;
        cpu.cr3 = GuestFixture.GUEST_PML4;
        cpu.efer = 0x500;
        cpu.featureControl = 5;
        cpu.segments[CpuState.CS].set(8, 0, -1, 0xa09b);
        cpu.segments[CpuState.SS].set(16, 0, -1, 0xc093);
        cpu.segments[CpuState.DS].set(16, 0, -1, 0xc093);
        cpu.gpr[CpuState.RSP] = GuestFixture.STACK + 0x8000;
        cpu.gdtrBase = GuestFixture.GDT;
        cpu.idtrBase = GuestFixture.IDT;
        cpu.idtrLimit = 0xfff;
        memory.writeLong(GuestFixture.GDT + 8, 0x00af_9b00_0000_ffffL);
        for (int vector = 0; vector < 32; vector++) {
            long handler = HANDLERS + 16 * vector;
            memory.writeByte(handler, 0xf4);
            memory.writeLong(
                    GuestFixture.IDT + 16L * vector, handler & 0xffff | 8 << 16 | 0x8e00L << 32 | handler >>> 16 << 48);
        }
        cpu.gpr[CpuState.RBX] = OPERAND;
    }

    /** Executes one instruction and HLT; answers the vector of the fault, or -1. */
    private int execute(int... code) {
        for (int i = 0; i < code.length; i++) {
            memory.writeByte(HOST_CODE + i, code[i]);
        }
        memory.writeByte(HOST_CODE + code.length, 0xf4);
        cpu.rip = HOST_CODE;
        cpu.activity = CpuState.ACTIVE;
        cpu.modeChanged();
        assertThat(cpu.run(100)).isEqualTo(StopReason.HALTED);
        long fault = cpu.rip - 1 - HANDLERS;
        return fault >= 0 && fault < 512 ? (int) fault / 16 : -1;
    }

    private void succeeds(int... code) {
        cpu.rflags(cpu.rflags() | CF | ZF | OTHERS);
        assertThat(execute(code)).as("no fault").isEqualTo(-1);
        assertThat(cpu.rflags() & (CF | ZF | OTHERS)).isZero();
    }

    private void failsInvalid(int... code) {
        assertThat(execute(code)).as("no fault").isEqualTo(-1);
        assertThat(cpu.rflags() & (CF | ZF | OTHERS)).isEqualTo(CF);
    }

    private void failsValid(int error, int... code) {
        assertThat(execute(code)).as("no fault").isEqualTo(-1);
        assertThat(cpu.rflags() & (CF | ZF | OTHERS)).isEqualTo(ZF);
        assertThat(fixture.vmx.instructionError()).isEqualTo(error);
    }

    @Test
    void vmxonChecksModeThenPrivilegeThenFeatureControl() {
        fixture.vmx.vmxoff();
        memory.writeLong(OPERAND, GuestFixture.VMXON);
        cpu.featureControl = 1;
        assertThat(execute(VMXON)).isEqualTo(PROTECTION);
        cpu.featureControl = 5;
        cpu.cr4 = 0x20;
        assertThat(execute(VMXON)).isEqualTo(UNDEFINED);
        cpu.cr4 = 0x2020;
        cpu.cr0 = 0x8000_0011L;
        assertThat(execute(VMXON)).as("CR0.NE").isEqualTo(PROTECTION);
        cpu.cr0 = 0x8000_0031L;
        succeeds(VMXON);
        assertThat(fixture.vmx.inVmxOperation()).isTrue();
        failsInvalid(VMXON);
    }

    @Test
    void outsideVmxOperationTheOthersAreUndefined() {
        fixture.vmx.vmxoff();
        for (int[] code : new int[][] {
            VMCLEAR,
            VMPTRLD,
            VMPTRST,
            VMREAD_RCX_TO_RAX,
            VMWRITE_RAX_TO_RCX,
            VMLAUNCH,
            VMRESUME,
            VMXOFF,
            VMCALL,
            VMFUNC,
            INVEPT,
            INVVPID
        }) {
            assertThat(execute(code)).isEqualTo(UNDEFINED);
        }
    }

    @Test
    void userCodeGetsProtectionFaults() {
        for (int[] code : new int[][] {
            VMCLEAR,
            VMPTRLD,
            VMPTRST,
            VMREAD_RCX_TO_RAX,
            VMWRITE_RAX_TO_RCX,
            VMLAUNCH,
            VMRESUME,
            VMXOFF,
            VMXON,
            VMCALL,
            INVEPT,
            INVVPID
        }) {
            assertThat(faultAtCpl3(code)).isEqualTo(PROTECTION);
        }
        assertThat(faultAtCpl3(VMFUNC)).isEqualTo(UNDEFINED);
    }

    private int faultAtCpl3(int... code) {
        cpu.cpl = 3;
        cpu.segments[CpuState.CS].set(0x2b, 0, -1, 0xa0fb);
        cpu.segments[CpuState.SS].set(0x33, 0, -1, 0xc0f3);
        cpu.segments[CpuState.TR].set(24, 0x16_0000, 0x67, 0x8b);
        memory.writeLong(0x16_0004, GuestFixture.STACK + 0x8000);
        return execute(code);
    }

    @Test
    void vmcallInRootFailsWith1() {
        failsValid(1, VMCALL);
        assertThat(execute(VMFUNC)).isEqualTo(UNDEFINED);
    }

    @Test
    void pointersComeFromMemory() {
        memory.writeLong(OPERAND, GuestFixture.VMCS);
        succeeds(VMCLEAR);
        failsInvalid(VMREAD_RCX_TO_RAX);
        failsInvalid(VMLAUNCH);
        succeeds(VMPTRLD);
        memory.writeLong(OPERAND, 0);
        succeeds(VMPTRST);
        assertThat(memory.readLong(OPERAND)).isEqualTo(GuestFixture.VMCS);
        memory.writeLong(OPERAND, 0x5000);
        failsValid(11, VMPTRLD);
        memory.writeLong(OPERAND, 0x123);
        failsValid(2, VMCLEAR);
        memory.writeLong(OPERAND, GuestFixture.VMXON);
        failsValid(15, VMXON);
    }

    @Test
    void faultingOperandsFaultBeforeAnything() {
        cpu.gpr[CpuState.RBX] = 0x40_0000_0000L;
        for (int[] code :
                new int[][] {VMCLEAR, VMPTRLD, VMPTRST, VMREAD_RCX_TO_MEMORY, VMWRITE_MEMORY_TO_RCX, INVEPT, INVVPID}) {
            cpu.gpr[CpuState.RCX] = GuestField.RIP.encoding();
            cpu.gpr[CpuState.RSP] = GuestFixture.STACK + 0x8000;
            assertThat(execute(code)).isEqualTo(PAGE_FAULT);
        }
    }

    @Test
    void fieldsAreReadAndWrittenByRegisterAndMemory() {
        cpu.gpr[CpuState.RCX] = 0x681e;
        cpu.gpr[CpuState.RAX] = 0x1234_5678_9abc_def0L;
        succeeds(VMWRITE_RAX_TO_RCX);
        cpu.gpr[CpuState.RAX] = 0;
        succeeds(VMREAD_RCX_TO_RAX);
        assertThat(cpu.gpr[CpuState.RAX]).isEqualTo(0x1234_5678_9abc_def0L);
        memory.writeLong(OPERAND, 0x55);
        succeeds(VMWRITE_MEMORY_TO_RCX);
        assertThat(fixture.read(GuestField.RIP)).isEqualTo(0x55);
        memory.writeLong(OPERAND, -1);
        succeeds(VMREAD_RCX_TO_MEMORY);
        assertThat(memory.readLong(OPERAND)).isEqualTo(0x55);
    }

    @Test
    void highHalvesOf64BitFields() {
        fixture.write(ControlField.TSC_OFFSET, 0x1111_2222_3333_4444L);
        cpu.gpr[CpuState.RCX] = 0x2011;
        succeeds(VMREAD_RCX_TO_RAX);
        assertThat(cpu.gpr[CpuState.RAX]).isEqualTo(0x1111_2222L);
        cpu.gpr[CpuState.RAX] = 0x9999_9999_aaaa_bbbbL;
        succeeds(VMWRITE_RAX_TO_RCX);
        assertThat(fixture.read(ControlField.TSC_OFFSET)).isEqualTo(0xaaaa_bbbb_3333_4444L);
    }

    @Test
    void unsupportedComponentsAreError12() {
        for (long encoding : new long[] {0x1, 0x10, 0x681f, 0x2034, 0x8000, 1L << 32 | 0x681e}) {
            cpu.gpr[CpuState.RCX] = encoding;
            failsValid(12, VMREAD_RCX_TO_RAX);
            failsValid(12, VMWRITE_RAX_TO_RCX);
        }
    }

    @Test
    void invalidationsAreChecked() {
        memory.writeLong(OPERAND, fixture.read(ControlField.EPT_POINTER));
        cpu.gpr[CpuState.RCX] = 1;
        succeeds(INVEPT);
        memory.writeLong(OPERAND, 1);
        succeeds(INVVPID);
        cpu.gpr[CpuState.RCX] = 7;
        failsValid(28, INVEPT);
        failsValid(28, INVVPID);
    }

    @Test
    void vmxoffLeavesVmxOperation() {
        succeeds(VMXOFF);
        assertThat(fixture.vmx.inVmxOperation()).isFalse();
    }

    static Stream<Arguments> hostState() {
        long nonCanonical = 1L << 60;
        return Stream.of(
                Arguments.of("host CR0", HostField.CR0, 0x31L),
                Arguments.of("host CR4", HostField.CR4, 0x20L),
                Arguments.of("host CR4: CET needs CR0.WP", HostField.CR4, 0x2020L | 1 << 23),
                Arguments.of("host CR3 within the physical-address width", HostField.CR3, 1L << 52),
                Arguments.of("host SYSENTER addresses are canonical", HostField.IA32_SYSENTER_ESP, nonCanonical),
                Arguments.of("host selectors have TI and RPL 0", HostField.FS_SELECTOR, 3L),
                Arguments.of("host selectors have TI and RPL 0", HostField.TR_SELECTOR, 28L),
                Arguments.of("host CS is not null", HostField.CS_SELECTOR, 0L),
                Arguments.of("host TR is not null", HostField.TR_SELECTOR, 0L),
                Arguments.of("host bases are canonical", HostField.GDTR_BASE, nonCanonical),
                Arguments.of("64-bit host: CR4.PAE 1 and RIP canonical", HostField.RIP, nonCanonical),
                Arguments.of("64-bit host: CR4.PAE 1 and RIP canonical", HostField.CR4, 0x2000L));
    }

    @ParameterizedTest
    @MethodSource("hostState")
    void wrongHostStateIsError8(String rule, VmcsField field, long value) {
        fixture.write(field, value);

        failsValid(8, VMLAUNCH);

        assertThat(fixture.vmx.brokenEntryRule()).isEqualTo(rule);
    }

    @Test
    void hostControlsAreChecked() {
        fixture.add(ControlField.EXIT_CONTROLS, ExitControls.LOAD_EFER);
        failsValid(8, VMLAUNCH);
        assertThat(fixture.vmx.brokenEntryRule()).isEqualTo("host EFER");
        fixture.write(HostField.IA32_EFER, 0x500);
        fixture.add(ControlField.EXIT_CONTROLS, ExitControls.LOAD_PAT).write(HostField.IA32_PAT, 2);
        failsValid(8, VMLAUNCH);
        assertThat(fixture.vmx.brokenEntryRule()).isEqualTo("host PAT");
        fixture.remove(ControlField.EXIT_CONTROLS, ExitControls.LOAD_PAT | ExitControls.HOST_ADDRESS_SPACE_SIZE);
        fixture.write(HostField.IA32_EFER, 0);
        failsValid(8, VMLAUNCH);
        assertThat(fixture.vmx.brokenEntryRule()).isEqualTo("host address-space size is that of the processor");
    }

    @Test
    void entryIsRefusedBehindMovSs() {
        // MOV SS, AX; VMLAUNCH
        cpu.gpr[CpuState.RAX] = 16;
        memory.writeLong(GuestFixture.GDT + 16, 0x00cf_9300_0000_ffffL);
        failsValid(26, 0x8e, 0xd0, 0x0f, 0x01, 0xc2);
    }

    @Test
    void exitLoadsTheHostStateArea() {
        fixture.code(0xf4);
        fixture.write(HostField.RIP, HANDLERS + 16 * 31).write(HostField.RSP, 0x7777_0000L);
        fixture.write(HostField.FS_BASE, 0x1234_5000L)
                .write(HostField.GDTR_BASE, 0x9000)
                .write(HostField.CR3, 0x2_0000);
        cpu.gpr[CpuState.RAX] = 5;

        assertThat(execute(VMLAUNCH)).as("HLT at HOST_RIP").isEqualTo(31);

        assertThat(fixture.vmx.inNonRoot()).isFalse();
        assertThat(fixture.read(ExitField.EXIT_REASON)).isEqualTo(ExitReason.HLT.number());
        assertThat(cpu.gpr[CpuState.RSP]).isEqualTo(0x7777_0000L);
        assertThat(cpu.gpr[CpuState.RAX]).as("general registers stay").isEqualTo(5);
        assertThat(cpu.rflags()).isEqualTo(2);
        assertThat(cpu.segments[CpuState.CS].accessRights).isEqualTo(0xa09b);
        assertThat(cpu.segments[CpuState.SS].accessRights).isEqualTo(0xc093);
        assertThat(cpu.segments[CpuState.DS].unusable()).isTrue();
        assertThat(cpu.segments[CpuState.FS].base).isEqualTo(0x1234_5000L);
        assertThat(cpu.segments[CpuState.TR].limit).isEqualTo(0x67);
        assertThat(cpu.gdtrBase).isEqualTo(0x9000);
        assertThat(cpu.gdtrLimit).isEqualTo(0xffff);
        assertThat(cpu.dr[7]).isEqualTo(0x400);
        assertThat(cpu.efer).isEqualTo(0x500);
    }

    @Test
    void entryFailureLoadsTheHostToo() {
        fixture.write(GuestField.RFLAGS, 0).write(HostField.RIP, HANDLERS + 16 * 30);

        assertThat(execute(VMLAUNCH)).isEqualTo(30);

        assertThat(fixture.read(ExitField.EXIT_REASON)).isEqualTo(0x8000_0021L);
        failsValid(5, VMRESUME);
    }

    @Test
    void msrListsAreLoadedAndStored() {
        long list = 0x3_8000;
        memory.writeLong(list, 0xc000_0081L);
        memory.writeLong(list + 8, 0x11);
        memory.writeLong(list + 16, 0xc000_0102L);
        memory.writeLong(list + 24, 0x22);
        memory.writeLong(list + 32, 0xc000_0081L);
        memory.writeLong(list + 48, 0xc000_0081L);
        memory.writeLong(list + 56, 0x33);
        fixture.write(ControlField.ENTRY_MSR_LOAD_ADDRESS, list).write(ControlField.ENTRY_MSR_LOAD_COUNT, 2);
        fixture.write(ControlField.EXIT_MSR_STORE_ADDRESS, list + 32).write(ControlField.EXIT_MSR_STORE_COUNT, 1);
        fixture.write(ControlField.EXIT_MSR_LOAD_ADDRESS, list + 48).write(ControlField.EXIT_MSR_LOAD_COUNT, 1);
        fixture.code(0xf4).write(HostField.RIP, HANDLERS);

        assertThat(execute(VMLAUNCH)).isZero();

        assertThat(memory.readLong(list + 40)).as("stored at exit").isEqualTo(0x11);
        assertThat(cpu.star).as("loaded at exit").isEqualTo(0x33);
        assertThat(cpu.kernelGsBase).as("loaded at entry").isEqualTo(0x22);
    }

    @Test
    void aRefusedMsrFailsTheEntryWithItsNumber() {
        long list = 0x3_8000;
        memory.writeLong(list, 0xc000_0081L);
        memory.writeLong(list + 16, 0xc000_0100L);
        fixture.write(ControlField.ENTRY_MSR_LOAD_ADDRESS, list).write(ControlField.ENTRY_MSR_LOAD_COUNT, 2);
        fixture.write(HostField.RIP, HANDLERS);

        assertThat(execute(VMLAUNCH)).isZero();

        assertThat(fixture.read(ExitField.EXIT_REASON)).isEqualTo(0x8000_0022L);
        assertThat(fixture.read(ExitField.EXIT_QUALIFICATION)).isEqualTo(2);
    }

    @Test
    void aRefusedMsrAtExitIsAVmxAbort() {
        long list = 0x3_8000;
        memory.writeLong(list, 0xc000_0100L);
        fixture.write(ControlField.EXIT_MSR_LOAD_ADDRESS, list).write(ControlField.EXIT_MSR_LOAD_COUNT, 1);
        fixture.code(0xf4).write(HostField.RIP, HANDLERS);
        memory.writeByte(HOST_CODE, 0x0f);
        memory.writeByte(HOST_CODE + 1, 0x01);
        memory.writeByte(HOST_CODE + 2, 0xc2);
        cpu.rip = HOST_CODE;
        cpu.modeChanged();

        assertThat(cpu.run(100)).isEqualTo(StopReason.SHUTDOWN);

        assertThat(memory.readInt(GuestFixture.VMCS + 4))
                .as("VMX-abort indicator")
                .isEqualTo(4);
        assertThat(memory.readInt(GuestFixture.VMCS)).isEqualTo(Vmcs.REVISION);
    }

    @Test
    void blockingByNmiIsTheHostsOwnUnderVirtualNmisOnly() {
        assertThat(blockingAfterExit(PinControls.NMI_EXITING)).isEqualTo(CpuState.BLOCKING_BY_NMI);
        assertThat(blockingAfterExit(PinControls.NMI_EXITING | PinControls.VIRTUAL_NMIS))
                .isZero();
    }

    private static int blockingAfterExit(int pin) {
        GuestHypervisorTest test = new GuestHypervisorTest();
        test.fixture.code(0xf4).write(GuestField.INTERRUPTIBILITY_STATE, CpuState.BLOCKING_BY_NMI);
        test.fixture.add(ControlField.PIN_CONTROLS, pin).write(HostField.RIP, HANDLERS);
        assertThat(test.execute(VMLAUNCH)).isZero();
        assertThat(test.fixture.read(GuestField.INTERRUPTIBILITY_STATE)).isEqualTo(CpuState.BLOCKING_BY_NMI);
        return test.cpu.interruptibility;
    }

    @Test
    void anNmiThatExitsBlocksNmisInTheHost() {
        fixture.code(0xeb, 0xfe).add(ControlField.PIN_CONTROLS, PinControls.NMI_EXITING | PinControls.VIRTUAL_NMIS);
        fixture.write(HostField.RIP, HANDLERS + 16 * 2);
        assertThat(fixture.vmx.vmlaunch()).isEqualTo(VmxStatus.SUCCEED);
        assertThat(fixture.cpu.run(10)).as("as a Java hypervisor's guest first").isEqualTo(StopReason.BUDGET);
        cpu.pins.nmi();
        assertThat(cpu.run(10)).isEqualTo(StopReason.VM_EXIT);

        cpu.pins.nmi();
        cpu.interruptibility = CpuState.BLOCKING_BY_NMI;
        assertThat(execute(VMRESUME)).isEqualTo(2);

        assertThat(cpu.interruptibility).isEqualTo(CpuState.BLOCKING_BY_NMI);
        assertThat(fixture.read(ExitField.INTERRUPTION_INFORMATION)).isEqualTo(0x8000_0202L);
    }
}
