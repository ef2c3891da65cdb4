package org.vmxsim.vmx;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.vmx.control.PrimaryControls;
import org.vmxsim.vmx.control.SecondaryControls;
import org.vmxsim.vmx.exit.ExitReason;
import org.vmxsim.vmx.exit.VmExit;
import org.vmxsim.vmx.vmcs.ControlField;
import org.vmxsim.vmx.vmcs.ExitField;
import org.vmxsim.vmx.vmcs.GuestField;

/** Instructions in a 64-bit guest, as bytes, and what the manual says that their VM exits record. */
class InstructionExitTest {
    private static final long RAX = 0x11_0040;
    private static final long RBX = 0x11_0080;

    /** An instruction, the controls that make it exit, and its exit. */
    private record Case(
            String name,
            int[] code,
            int primary,
            int secondary,
            ExitReason reason,
            long qualification,
            int information) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static int[] bytes(int... code) {
        return code;
    }

    private static Case always(String name, ExitReason reason, int... code) {
        return new Case(name, code, 0, 0, reason, 0, 0);
    }

    private static Case primary(String name, int control, ExitReason reason, int... code) {
        return new Case(name, code, control, 0, reason, 0, 0);
    }

    private static Case secondary(String name, int control, ExitReason reason, int information, int... code) {
        return new Case(name, code, 0, control, reason, 0, information);
    }

    private static Case access(int control, long qualification, String name, int... code) {
        return new Case(name, code, control, 0, ExitReason.CONTROL_REGISTER_ACCESS, qualification, 0);
    }

    /** DS:[RBX] with 64-bit addresses, no index: base 3, segment 3. */
    private static final int AT_RBX = 2 << 7 | 3 << 15 | 1 << 22 | 3 << 23;

    /** DS:[RAX]. */
    private static final int AT_RAX = 2 << 7 | 3 << 15 | 1 << 22;

    private static Case vmx(String name, ExitReason reason, int information, int... code) {
        return new Case(name, code, 0, 0, reason, 0, information);
    }

    static Stream<Case> unconditional() {
        return Stream.of(
                always("CPUID", ExitReason.CPUID, 0x0f, 0xa2),
                always("INVD", ExitReason.INVD, 0x0f, 0x08),
                always("VMCALL", ExitReason.VMCALL, 0x0f, 0x01, 0xc1),
                always("VMLAUNCH", ExitReason.VMLAUNCH, 0x0f, 0x01, 0xc2),
                always("VMRESUME", ExitReason.VMRESUME, 0x0f, 0x01, 0xc3),
                always("VMXOFF", ExitReason.VMXOFF, 0x0f, 0x01, 0xc4),
                always("RDMSR without bitmaps", ExitReason.RDMSR, 0x0f, 0x32),
                always("WRMSR without bitmaps", ExitReason.WRMSR, 0x0f, 0x30),
                vmx("VMCLEAR [RAX]", ExitReason.VMCLEAR, AT_RAX, 0x66, 0x0f, 0xc7, 0x30),
                vmx("VMPTRLD [RAX]", ExitReason.VMPTRLD, AT_RAX, 0x0f, 0xc7, 0x30),
                vmx("VMPTRST [RBX]", ExitReason.VMPTRST, AT_RBX, 0x0f, 0xc7, 0x3b),
                vmx("VMXON [RAX]", ExitReason.VMXON, AT_RAX, 0xf3, 0x0f, 0xc7, 0x30),
                vmx("VMREAD RAX, RBX", ExitReason.VMREAD, 1 << 10 | 3 << 28, 0x0f, 0x78, 0xd8),
                vmx("VMWRITE RAX, RBX", ExitReason.VMWRITE, 1 << 10 | 3 << 3, 0x0f, 0x79, 0xc3),
                vmx("INVEPT RCX, [RBX]", ExitReason.INVEPT, AT_RBX | 1 << 28, 0x66, 0x0f, 0x38, 0x80, 0x0b),
                vmx("INVVPID RCX, [RBX]", ExitReason.INVVPID, AT_RBX | 1 << 28, 0x66, 0x0f, 0x38, 0x81, 0x0b));
    }

    static Stream<Case> conditional() {
        int io = PrimaryControls.UNCONDITIONAL_IO_EXITING;
        int tables = SecondaryControls.DESCRIPTOR_TABLE_EXITING;
        return Stream.of(
                primary("HLT", PrimaryControls.HLT_EXITING, ExitReason.HLT, 0xf4),
                primary("RDPMC", PrimaryControls.RDPMC_EXITING, ExitReason.RDPMC, 0x0f, 0x33),
                primary("RDTSC", PrimaryControls.RDTSC_EXITING, ExitReason.RDTSC, 0x0f, 0x31),
                primary("MWAIT", PrimaryControls.MWAIT_EXITING, ExitReason.MWAIT, 0x0f, 0x01, 0xc9),
                primary("MONITOR", PrimaryControls.MONITOR_EXITING, ExitReason.MONITOR, 0x0f, 0x01, 0xc8),
                primary("PAUSE", PrimaryControls.PAUSE_EXITING, ExitReason.PAUSE, 0xf3, 0x90),
                new Case(
                        "INVLPG",
                        bytes(0x0f, 0x01, 0x38),
                        PrimaryControls.INVLPG_EXITING,
                        0,
                        ExitReason.INVLPG,
                        RAX,
                        0),
                new Case(
                        "RDTSCP",
                        bytes(0x0f, 0x01, 0xf9),
                        PrimaryControls.RDTSC_EXITING,
                        SecondaryControls.RDTSCP,
                        ExitReason.RDTSCP,
                        0,
                        0),
                new Case(
                        "INVPCID RCX, [RBX]",
                        bytes(0x66, 0x0f, 0x38, 0x82, 0x0b),
                        PrimaryControls.INVLPG_EXITING,
                        SecondaryControls.INVPCID,
                        ExitReason.INVPCID,
                        0,
                        AT_RBX | 1 << 28),
                secondary("WBINVD", SecondaryControls.WBINVD_EXITING, ExitReason.WBINVD, 0, 0x0f, 0x09),
                secondary(
                        "RDRAND EBX",
                        SecondaryControls.RDRAND_EXITING,
                        ExitReason.RDRAND,
                        3 << 3 | 1 << 11,
                        0x0f,
                        0xc7,
                        0xf3),
                secondary(
                        "RDSEED RBX",
                        SecondaryControls.RDSEED_EXITING,
                        ExitReason.RDSEED,
                        3 << 3 | 2 << 11,
                        0x48,
                        0x0f,
                        0xc7,
                        0xfb),
                secondary("SIDT [RBX]", tables, ExitReason.GDTR_IDTR_ACCESS, -1, 0x0f, 0x01, 0x0b),
                secondary("LGDT [RAX]", tables, ExitReason.GDTR_IDTR_ACCESS, -1, 0x0f, 0x01, 0x10),
                secondary("SLDT AX", tables, ExitReason.LDTR_TR_ACCESS, -1, 0x0f, 0x00, 0xc0),
                secondary("LTR AX", tables, ExitReason.LDTR_TR_ACCESS, -1, 0x0f, 0x00, 0xd8),
                access(PrimaryControls.CR3_LOAD_EXITING, 0x003, "MOV CR3, RAX", 0x0f, 0x22, 0xd8),
                access(PrimaryControls.CR3_STORE_EXITING, 0x313, "MOV RBX, CR3", 0x0f, 0x20, 0xdb),
                access(PrimaryControls.CR8_LOAD_EXITING, 0x008, "MOV CR8, RAX", 0x44, 0x0f, 0x22, 0xc0),
                access(PrimaryControls.CR8_STORE_EXITING, 0x018, "MOV RAX, CR8", 0x44, 0x0f, 0x20, 0xc0),
                new Case(
                        "MOV DR7, RBX",
                        bytes(0x0f, 0x23, 0xfb),
                        PrimaryControls.MOV_DR_EXITING,
                        0,
                        ExitReason.MOV_DR,
                        0x307,
                        0),
                new Case(
                        "MOV RAX, DR0",
                        bytes(0x0f, 0x21, 0xc0),
                        PrimaryControls.MOV_DR_EXITING,
                        0,
                        ExitReason.MOV_DR,
                        0x10,
                        0),
                new Case("IN AL, 0x10", bytes(0xe4, 0x10), io, 0, ExitReason.IO_INSTRUCTION, 0x10_0048, 0),
                new Case("OUT DX, EAX", bytes(0xef), io, 0, ExitReason.IO_INSTRUCTION, 0x1234_0003L, 0));
    }

    private static GuestFixture prepared(Case test) {
        GuestFixture guest = GuestFixture.longMode().code(test.code);
        guest.remove(ControlField.PRIMARY_PROCESSOR_CONTROLS, PrimaryControls.HLT_EXITING);
        guest.remove(
                ControlField.PRIMARY_PROCESSOR_CONTROLS,
                PrimaryControls.CR3_LOAD_EXITING | PrimaryControls.CR3_STORE_EXITING);
        guest.cpu.gpr[CpuState.RAX] = RAX;
        guest.cpu.gpr[CpuState.RBX] = RBX;
        guest.cpu.gpr[CpuState.RCX] = 0;
        guest.cpu.gpr[CpuState.RDX] = 0x1234;
        return guest;
    }

    @ParameterizedTest
    @MethodSource({"unconditional", "conditional"})
    void exitTellsWhatTheManualSays(Case test) {
        GuestFixture guest = prepared(test);
        guest.add(ControlField.PRIMARY_PROCESSOR_CONTROLS, test.primary);
        guest.add(ControlField.SECONDARY_PROCESSOR_CONTROLS, test.secondary);

        VmExit exit = guest.enterAndRun();

        assertThat(exit.reason).isEqualTo(test.reason);
        assertThat(exit.qualification).isEqualTo(test.qualification);
        assertThat(exit.instructionLengthBytes).isEqualTo(test.code.length);
        assertThat(guest.read(ExitField.INSTRUCTION_LENGTH)).isEqualTo(test.code.length);
        assertThat(guest.read(GuestField.RIP)).isEqualTo(GuestFixture.CODE);
        assertThat(guest.read(ExitField.EXIT_REASON)).isEqualTo(test.reason.number());
        assertThat(exit.idtVectoringInformation).isZero();
        if (test.information != -1) {
            assertThat(exit.instructionInformation).isEqualTo(test.information);
        }
        assertThat(guest.vmx.inNonRoot()).isFalse();
    }

    @ParameterizedTest
    @MethodSource("conditional")
    void withoutTheControlTheGuestGoesOn(Case test) {
        GuestFixture guest = prepared(test);
        guest.add(
                ControlField.SECONDARY_PROCESSOR_CONTROLS,
                test.secondary & (SecondaryControls.RDTSCP | SecondaryControls.INVPCID));
        int end = test.code.length;
        guest.machine.memory().writeByte(GuestFixture.CODE + end, 0x0f);
        guest.machine.memory().writeByte(GuestFixture.CODE + end + 1, 0xa2);
        boolean waits = test.reason == ExitReason.HLT || test.reason == ExitReason.MWAIT;
        boolean faults = Stream.of(
                        "RDPMC",
                        "MONITOR",
                        "MOV CR3, RAX",
                        "MOV CR8, RAX",
                        "LTR AX",
                        "LGDT [RAX]",
                        "MOV DR7, RBX",
                        "MWAIT")
                .anyMatch(test.name::equals);
        if (waits || faults) {
            return;
        }

        VmExit exit = guest.enterAndRun();

        assertThat(exit.reason).as("the CPUID behind it").isEqualTo(ExitReason.CPUID);
        assertThat(guest.read(GuestField.RIP)).isEqualTo(GuestFixture.CODE + end);
    }

    @Test
    void tableInstructionsAreToldApart() {
        int[][] codes = {{0x0f, 0x01, 0x03}, {0x0f, 0x01, 0x0b}, {0x0f, 0x01, 0x13}, {0x0f, 0x01, 0x1b}};
        for (int identity = 0; identity < 4; identity++) {
            VmExit exit = tableExit(codes[identity]);
            assertThat(exit.instructionInformation >>> 28 & 3).isEqualTo(identity);
            assertThat(exit.instructionInformation & 0x0fff_f3ff & ~(1 << 11)).isEqualTo(AT_RBX);
        }
        int[][] systemCodes = {{0x0f, 0x00, 0xc3}, {0x0f, 0x00, 0xcb}, {0x0f, 0x00, 0xd3}, {0x0f, 0x00, 0xdb}};
        for (int identity = 0; identity < 4; identity++) {
            int information = tableExit(systemCodes[identity]).instructionInformation;
            assertThat(information).isEqualTo(identity << 28 | 1 << 10 | 3 << 3);
        }
    }

    private static VmExit tableExit(int... code) {
        GuestFixture guest = GuestFixture.longMode().code(code);
        guest.cpu.gpr[CpuState.RBX] = RBX;
        guest.add(ControlField.SECONDARY_PROCESSOR_CONTROLS, SecondaryControls.DESCRIPTOR_TABLE_EXITING);
        return guest.enterAndRun();
    }

    @Test
    void msrBitmapsSelectMsrsAndDirections() {
        int[] msrs = {0x10, 0xc000_0080, 0x2000};
        for (int msr : msrs) {
            assertThat(msrExits(msr, -1)).as("MSR 0x%x, bitmaps 0", msr).isEqualTo(msr == 0x2000);
        }
        assertThat(msrExits(0x10, 0x10)).isTrue();
        assertThat(msrExits(0xc000_0080, 1024 * 8 + 0x80)).isTrue();
        assertThat(msrExits(0x10, 2048 * 8 + 0x10)).as("the bit of WRMSR").isFalse();
    }

    @Test
    void msrBitmapsForWritesAreTheUpperHalf() {
        int star = 0xc000_0081;
        assertThat(msrExits(star, -1, ExitReason.WRMSR, 0x30)).isFalse();
        assertThat(msrExits(star, 3072 * 8 + 0x81, ExitReason.WRMSR, 0x30)).isTrue();
        assertThat(msrExits(star, 1024 * 8 + 0x81, ExitReason.WRMSR, 0x30))
                .as("the bit of RDMSR")
                .isFalse();
        assertThat(msrExits(0x174, 2048 * 8 + 0x174, ExitReason.WRMSR, 0x30)).isTrue();
    }

    private static boolean msrExits(int msr, int bit) {
        return msrExits(msr, bit, ExitReason.RDMSR, 0x32);
    }

    /** RDMSR or WRMSR with one bit of the bitmaps set, then VMCALL. */
    private static boolean msrExits(int msr, int bit, ExitReason expected, int opcode) {
        GuestFixture guest = GuestFixture.longMode().code(0x0f, opcode, 0x0f, 0x01, 0xc1);
        guest.add(ControlField.PRIMARY_PROCESSOR_CONTROLS, PrimaryControls.MSR_BITMAPS);
        guest.cpu.gpr[CpuState.RCX] = msr & 0xffff_ffffL;
        if (bit >= 0) {
            guest.machine.memory().writeByte(GuestFixture.MSR_BITMAPS + bit / 8, 1 << bit % 8);
        }
        ExitReason reason = guest.enterAndRun().reason;
        assertThat(reason).isIn(expected, ExitReason.VMCALL);
        return reason == expected;
    }

    @Test
    void ioBitmapsSelectPortsByEachByte() {
        assertThat(ioExits(0x80, 0x80, GuestFixture.IO_BITMAP_A)).isTrue();
        assertThat(ioExits(0x7d, 0x80, GuestFixture.IO_BITMAP_A))
                .as("the last of four bytes")
                .isTrue();
        assertThat(ioExits(0x7c, 0x80, GuestFixture.IO_BITMAP_A)).isFalse();
        assertThat(ioExits(0x81, 0x80, GuestFixture.IO_BITMAP_A)).isFalse();
        assertThat(ioExits(0x8080, 0x80, GuestFixture.IO_BITMAP_B)).isTrue();
        assertThat(ioExits(0xfffe, 1, GuestFixture.IO_BITMAP_B)).as("wraps").isTrue();
    }

    /** OUT DX, EAX with one bit of a bitmap set, then VMCALL. */
    private static boolean ioExits(int port, int bit, long bitmap) {
        GuestFixture guest = GuestFixture.longMode().code(0xef, 0x0f, 0x01, 0xc1);
        guest.add(ControlField.PRIMARY_PROCESSOR_CONTROLS, PrimaryControls.IO_BITMAPS);
        guest.cpu.gpr[CpuState.RDX] = port;
        guest.machine.memory().writeByte(bitmap + bit / 8, 1 << bit % 8);
        return guest.enterAndRun().reason == ExitReason.IO_INSTRUCTION;
    }

    @Test
    void controlRegistersBehindMasksReadTheShadow() {
        // MOV RBX, CR0; SMSW EDX; VMCALL
        GuestFixture guest = GuestFixture.longMode().code(0x0f, 0x20, 0xc3, 0x0f, 0x01, 0xe2, 0x0f, 0x01, 0xc1);
        guest.write(ControlField.CR0_GUEST_HOST_MASK, 0x9);
        guest.write(ControlField.CR0_READ_SHADOW, 0xa);

        assertThat(guest.enterAndRun().reason).isEqualTo(ExitReason.VMCALL);

        assertThat(guest.cpu.gpr[CpuState.RBX]).isEqualTo(0x8000_0038L);
        assertThat(guest.cpu.gpr[CpuState.RDX] & 0xffff).isEqualTo(0x38);
        assertThat(guest.read(GuestField.CR0)).isEqualTo(0x8000_0031L);
    }

    @Test
    void writesToControlRegistersExitWhereAMaskedBitDiffersFromItsShadow() {
        assertThat(cr0Write(0, 0, 0x8000_0039L)).isEqualTo(ExitReason.VMCALL);
        assertThat(cr0Write(8, 0, 0x8000_0039L)).isEqualTo(ExitReason.CONTROL_REGISTER_ACCESS);
        assertThat(cr0Write(8, 8, 0x8000_0039L)).isEqualTo(ExitReason.VMCALL);
        assertThat(cr0Write(8, 8, 0x8000_0031L)).isEqualTo(ExitReason.CONTROL_REGISTER_ACCESS);
    }

    /** MOV CR0, RAX; VMCALL. */
    private static ExitReason cr0Write(long mask, long shadow, long value) {
        GuestFixture guest = GuestFixture.longMode().code(0x0f, 0x22, 0xc0, 0x0f, 0x01, 0xc1);
        guest.write(ControlField.CR0_GUEST_HOST_MASK, mask);
        guest.write(ControlField.CR0_READ_SHADOW, shadow);
        guest.cpu.gpr[CpuState.RAX] = value;
        VmExit exit = guest.enterAndRun();
        long owned = guest.read(GuestField.CR0) & mask;
        assertThat(owned).as("host-owned bits do not change").isZero();
        return exit.reason;
    }

    @Test
    void cr3TargetsAreLetThrough() {
        GuestFixture guest = GuestFixture.longMode().code(0x0f, 0x22, 0xd8, 0x0f, 0x01, 0xc1);
        guest.add(ControlField.PRIMARY_PROCESSOR_CONTROLS, PrimaryControls.CR3_LOAD_EXITING);
        guest.write(ControlField.CR3_TARGET_COUNT, 2);
        guest.write(ControlField.CR3_TARGET_VALUE_1, GuestFixture.GUEST_PML4);
        guest.cpu.gpr[CpuState.RAX] = GuestFixture.GUEST_PML4;

        assertThat(guest.enterAndRun().reason).isEqualTo(ExitReason.VMCALL);
    }

    @ParameterizedTest
    @CsvSource({"0xf2, UMWAIT", "0x66, TPAUSE"})
    void userWaitsExitWhereRdtscDoes(int prefix, ExitReason reason) {
        // UMWAIT R9D or TPAUSE R9D; CPUID
        GuestFixture guest = GuestFixture.longMode("max").code(prefix, 0x41, 0x0f, 0xae, 0xf1, 0x0f, 0xa2);
        guest.cpu.gpr[CpuState.RAX] = 0;
        guest.cpu.gpr[CpuState.RDX] = 0;
        guest.cpu.gpr[9] = 0;
        guest.write(ControlField.EXCEPTION_BITMAP, 1 << 6);
        assertThat(guest.enterAndRun().reason).as("#UD").isEqualTo(ExitReason.EXCEPTION_OR_NMI);

        guest.add(ControlField.SECONDARY_PROCESSOR_CONTROLS, SecondaryControls.USER_WAIT_PAUSE);
        assertThat(guest.enterAndRun().reason).isEqualTo(ExitReason.CPUID);

        guest.write(GuestField.RIP, GuestFixture.CODE);
        guest.add(ControlField.PRIMARY_PROCESSOR_CONTROLS, PrimaryControls.RDTSC_EXITING);
        VmExit exit = guest.enterAndRun();
        assertThat(exit.reason).isEqualTo(reason);
        assertThat(exit.instructionLengthBytes).isEqualTo(5);
        assertThat(exit.instructionInformation).isEqualTo(9 << 3 | 1 << 11);
    }
}
