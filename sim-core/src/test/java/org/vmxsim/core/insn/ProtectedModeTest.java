package org.vmxsim.core.insn;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;

@DisplayName("What the recordings of 64-bit user mode do not reach: segments, 16 and 32 bits, non-canonical addresses")
class ProtectedModeTest {
    private static final long CODE = 0x10_0000;
    private static final long DATA = 0x20_0000;
    private static final int DS = CpuState.DS;
    private static final int SS = CpuState.SS;

    private static BareMachine machine(int bits, String code) {
        BareMachine machine = new BareMachine(bits);
        machine.access.map(DATA, 0x10000);
        machine.code(CODE, code);
        machine.cpu.gpr[CpuState.RSP] = DATA + 0x1000;
        if (bits == 16) {
            machine.cpu.segments[CpuState.CS].base = CODE;
            machine.cpu.rip = 0;
        }
        return machine;
    }

    @ParameterizedTest(name = "{0}: {2}")
    @CsvSource(textBlock = """
            # code, address in RAX RSP RBP, vector
            488b00,      0x8000000000000000, 13
            488b0424,    0x8000000000000000, 12
            488b4500,    0x8000000000000000, 12
            483e8b4500,  0x8000000000000000, 12
            64488b4500,  0x8000000000000000, 13
            50,          0x8000000000000000, 12
            58,          0x8000000000000000, 12
            c3,          0x8000000000000000, 12
            c9,          0x8000000000000000, 12
            ff30,        0x8000000000000000, 13
            488b00,      0x00007ffffffffffc, 13
            488b0424,    0x00007ffffffffffc, 12
            ffe0,        0x8000000000000000, 13
            480100,      0x8000000000000000, 13
            48010424,    0x8000000000000000, 12
            """)
    @DisplayName("64-bit mode: a non-canonical address is #GP(0), by the stack #SS(0)")
    void nonCanonical(String code, String address, int vector) {
        BareMachine machine = machine(64, code);
        Processor cpu = machine.cpu;
        for (int register : new int[] {CpuState.RAX, CpuState.RSP, CpuState.RBP}) {
            cpu.gpr[register] = Long.parseUnsignedLong(address.substring(2), 16);
        }
        if (code.equals("ff30")) {
            cpu.gpr[CpuState.RSP] = DATA + 8;
        }
        machine.step();
        assertThat(machine.fault()).isEqualTo(vector);
        assertThat(cpu.events().requested().errorCode).isZero();
        assertThat(cpu.rip).isEqualTo(CODE);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(textBlock = """
            # what, limit, rights, offset, code, vector
            last byte inside,             0xfff, 0x4093, 0xffc, 8b03, -1
            last byte outside,            0xfff, 0x4093, 0xffd, 8b03, 13
            expand-down above the limit,  0xfff, 0x4097, 0x1000, 8b03, -1
            expand-down at the limit,     0xfff, 0x4097, 0xfff, 8b03, 13
            expand-down past 64 KiB,      0xfff, 0x0097, 0xfffe, 8b03, 13
            store into read-only data,    -1,    0xc091, 0x10, 8903, 13
            load from read-only data,     -1,    0xc091, 0x10, 8b03, -1
            store into code,              -1,    0xc09b, 0x10, 8903, 13
            load from execute-only code,  -1,    0xc099, 0x10, 8b03, 13
            null selector,                -1,    0x10000, 0x10, 8b03, 13
            """)
    @DisplayName("limit, type and null-selector checks of DS")
    void segmentChecks(String what, String limit, String rights, String offset, String code, int vector) {
        BareMachine machine = machine(32, code);
        machine.cpu.segments[DS].set(0x10, DATA, Integer.decode(limit), Integer.decode(rights));
        machine.cpu.gpr[CpuState.RBX] = Integer.decode(offset);
        machine.step();
        assertThat(machine.fault()).as(what).isEqualTo(vector);
    }

    @Test
    @DisplayName("a stack segment that is too small gives #SS(0), and ESP stays")
    void stackLimit() {
        BareMachine machine = machine(32, "50");
        machine.cpu.segments[SS].set(0x10, DATA, 0xfff, 0x4093);
        machine.cpu.gpr[CpuState.RSP] = 0x1002 + 2;
        machine.step();
        assertThat(machine.fault()).isEqualTo(12);
        assertThat(machine.cpu.gpr[CpuState.RSP]).isEqualTo(0x1004);
    }

    @ParameterizedTest(name = "{0} of AX {1} with flags {2} gives AX {3}, flags {4}")
    @CsvSource(textBlock = """
            # SDM, operation of each instruction; flags in hex: CF 1, AF 10
            27,   0x0079, 0x00, 0x0079, 0x00
            27,   0x00ae, 0x00, 0x0014, 0x11
            27,   0x009a, 0x00, 0x0000, 0x11
            27,   0x0023, 0x11, 0x0089, 0x11
            2f,   0x00ee, 0x00, 0x0088, 0x11
            2f,   0x0003, 0x10, 0x00fd, 0x11
            37,   0x000f, 0x00, 0x0105, 0x11
            37,   0x0109, 0x00, 0x0109, 0x00
            37,   0x00fa, 0x00, 0x0200, 0x11
            3f,   0x0200, 0x10, 0x000a, 0x11
            3f,   0x0205, 0x00, 0x0205, 0x00
            d40a, 0x004f, 0x00, 0x0709, 0x00
            d50a, 0x0709, 0x00, 0x004f, 0x00
            """)
    @DisplayName("decimal adjustment")
    void decimal(String code, String ax, String flags, String expectedAx, String expectedFlags) {
        BareMachine machine = machine(32, code);
        machine.cpu.gpr[CpuState.RAX] = 0xabcd_0000L | Integer.decode(ax);
        machine.cpu.rflags(2 | Integer.decode(flags));
        machine.step();
        assertThat(machine.cpu.gpr[CpuState.RAX]).isEqualTo(0xabcd_0000L | Integer.decode(expectedAx));
        assertThat(machine.cpu.rflags() & 0x11)
                .isEqualTo(Integer.decode(expectedFlags).longValue());
    }

    @Test
    @DisplayName("AAM with base 0 is #DE, BOUND outside its bounds #BR")
    void faults() {
        BareMachine aam = machine(32, "d400");
        aam.step();
        assertThat(aam.fault()).isZero();
        BareMachine bound = machine(32, "6203");
        bound.cpu.gpr[CpuState.RBX] = DATA;
        bound.memory.writeInt(DATA, -5);
        bound.memory.writeInt(DATA + 4, 5);
        bound.cpu.gpr[CpuState.RAX] = 0xffff_fffbL;
        bound.step();
        assertThat(bound.fault()).isEqualTo(-1);
        bound.cpu.rip = CODE;
        bound.cpu.gpr[CpuState.RAX] = 6;
        bound.step();
        assertThat(bound.fault()).isEqualTo(5);
    }

    @Test
    @DisplayName("PUSHA stores ESP as it was, POPA skips it")
    void pushAllPopAll() {
        BareMachine machine = machine(32, "60 61");
        for (int i = 0; i < 8; i++) {
            machine.cpu.gpr[i] = i == CpuState.RSP ? DATA + 0x100 : 0x1111_1111L * i;
        }
        machine.step();
        assertThat(machine.cpu.gpr[CpuState.RSP]).isEqualTo(DATA + 0xe0);
        assertThat(machine.memory.readInt(DATA + 0xfc)).isZero();
        assertThat(machine.memory.readInt(DATA + 0xec)).isEqualTo((int) DATA + 0x100);
        assertThat(machine.memory.readInt(DATA + 0xe0)).isEqualTo(0x7777_7777);
        machine.memory.writeInt(DATA + 0xec, 0);
        machine.step();
        assertThat(machine.cpu.gpr[CpuState.RSP]).isEqualTo(DATA + 0x100);
        assertThat(machine.cpu.gpr[CpuState.RDI]).isEqualTo(0x7777_7777L);
    }

    @Test
    @DisplayName("16-bit addresses wrap at 64 KiB, and [BP] is by SS")
    void addresses16() {
        BareMachine machine = machine(16, "8b00 8b4600");
        machine.cpu.segments[DS].set(0x10, DATA, 0xffff, 0x93);
        machine.cpu.segments[SS].set(0x10, DATA + 0x2000, 0xfff, 0x93);
        machine.cpu.gpr[CpuState.RBX] = 0x5678_ffffL;
        machine.cpu.gpr[CpuState.RSI] = 0x1234_0003L;
        machine.memory.writeShort(DATA + 2, 0x4321);
        machine.cpu.gpr[CpuState.RAX] = 0xffff_0000L;
        machine.step();
        assertThat(machine.cpu.gpr[CpuState.RAX]).isEqualTo(0xffff_4321L);
        machine.cpu.gpr[CpuState.RBP] = 0xfff;
        machine.step();
        assertThat(machine.fault()).isEqualTo(12);
    }

    @Test
    @DisplayName("a near branch with 16-bit operand size clears the upper half of EIP; outside the limit it is #GP")
    void branches16() {
        BareMachine machine = machine(32, "66eb10");
        machine.access.map(0, 0x1000);
        machine.step();
        assertThat(machine.cpu.rip).isEqualTo(0x13);
        BareMachine limited = machine(32, "eb7f");
        limited.cpu.segments[CpuState.CS].limit = (int) CODE + 0x7f;
        limited.step();
        assertThat(limited.fault()).isEqualTo(13);
        assertThat(limited.cpu.rip).isEqualTo(CODE);
    }

    @Test
    @DisplayName("a stack of 16 bits moves SP and leaves the rest of ESP")
    void stack16() {
        BareMachine machine = machine(32, "50");
        machine.cpu.segments[SS].set(0x10, DATA, 0xffff, 0x93);
        machine.cpu.gpr[CpuState.RSP] = 0xabcd_0000L;
        machine.step();
        assertThat(machine.cpu.gpr[CpuState.RSP]).isEqualTo(0xabcd_fffcL);
    }

    @Test
    @DisplayName("a repeated string instruction faults with the registers of its iteration, and goes on from there")
    void repeatedFault() {
        BareMachine machine = machine(64, "f3a4");
        Processor cpu = machine.cpu;
        cpu.gpr[CpuState.RSI] = DATA;
        cpu.gpr[CpuState.RDI] = DATA + 0xfffe;
        cpu.gpr[CpuState.RCX] = 4;
        for (int i = 0; i < 3; i++) {
            machine.step();
        }
        assertThat(machine.fault()).isEqualTo(14);
        assertThat(cpu.events().requested().qualification).isEqualTo(DATA + 0x10000);
        assertThat(cpu.gpr[CpuState.RCX]).isEqualTo(2);
        assertThat(cpu.gpr[CpuState.RDI]).isEqualTo(DATA + 0x10000);
        assertThat(cpu.rip).isEqualTo(CODE);
        machine.clearFault();
        machine.access.map(DATA + 0x10000, 0x1000);
        for (int i = 0; i < 2; i++) {
            machine.step();
        }
        assertThat(cpu.rip).isEqualTo(CODE + 2);
    }

    @Test
    @DisplayName("CMPXCHG16B of an address that is not a multiple of 16 is #GP")
    void exchange16() {
        BareMachine machine = machine(64, HexFormat.of().formatHex(new byte[] {0x48, 0x0f, (byte) 0xc7, 0x0e}));
        machine.cpu.gpr[CpuState.RSI] = DATA + 8;
        machine.step();
        assertThat(machine.fault()).isEqualTo(13);
    }

    @ParameterizedTest
    @CsvSource({"16, f9d6, 0x123456ff", "16, f8d6, 0x12345600", "32, f9d6, 0x123456ff", "32, f8d6, 0x12345600"})
    @DisplayName("SALC sets AL from the carry flag and nothing else; 64-bit mode does not have it")
    void salc(int bits, String code, long eax) {
        BareMachine machine = machine(bits, code);
        Processor cpu = machine.cpu;
        cpu.gpr[CpuState.RAX] = 0x12345678;
        machine.step();
        long flags = cpu.rflags();
        machine.step();
        assertThat(cpu.gpr[CpuState.RAX]).isEqualTo(eax);
        assertThat(cpu.rflags()).isEqualTo(flags);
        BareMachine sixtyFour = machine(64, "d6");
        sixtyFour.step();
        assertThat(sixtyFour.fault()).isEqualTo(6);
    }
}
