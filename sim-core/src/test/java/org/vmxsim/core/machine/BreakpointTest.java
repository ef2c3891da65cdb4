package org.vmxsim.core.machine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.core.time.TimingPreset;

/** Expected values: SDM "Debug Registers", tables "Breakpoint Examples", "Debug Exception Conditions". */
@DisplayName("Breakpoints of DR0 to DR3, general detect, RF, single step on branches")
class BreakpointTest {
    private static final long TF = 1 << 8;
    private static final long RF = 1 << 16;
    private static final long DATA = 0x2_0000;

    private final LongModeMachine machine = new LongModeMachine();

    private void engine(boolean cycle) {
        if (cycle) {
            machine.machine.useCycleEngine(TimingPreset.named("skylake-sp"));
        }
    }

    private void halts() {
        assertThat(machine.cpu.run(1000)).isEqualTo(StopReason.HALTED);
    }

    private void breaksAt(int offset, long dr6) {
        halts();
        assertThat(machine.vector()).isEqualTo(1);
        assertThat(machine.onStack(0) - LongModeMachine.CODE).isEqualTo(offset);
        assertThat(machine.cpu.dr[6]).isEqualTo(0xffff_0ff0L | dr6);
    }

    private void watch(int register, long linear, int kind, int length) {
        machine.cpu.dr[register] = linear;
        machine.cpu.dr[7] |= 2L << 2 * register | (kind | length << 2) << 16 + 4 * register;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("On an instruction: a fault before it, RF not pushed; with RF = 1 not at all")
    void code(boolean cycle) {
        engine(cycle);
        machine.code("90 90 f4");
        watch(1, LongModeMachine.CODE + 1, 0, 0);
        breaksAt(1, 2);
        assertThat(machine.onStack(2) & RF).isZero();
        machine.code("90 90 90 f4").cpu.rip++;
        machine.cpu.rflagsSystem |= RF;
        machine.cpu.activity = CpuState.ACTIVE;
        halts();
        assertThat(machine.cpu.rip).isEqualTo(LongModeMachine.CODE + 4);
        assertThat(machine.cpu.rflagsSystem & RF).isZero();
    }

    @ParameterizedTest
    @CsvSource({
        // SDM table "Breakpoint Examples": DR0 = A0001H length 1, DR1 = A0002H length 1, DR2 = B0002H length 2,
        // DR3 = C0000H length 4, all read or write
        "0x10001, 1, 1",
        "0x10001, 2, 3",
        "0x10002, 1, 2",
        "0x10002, 2, 2",
        "0x12001, 4, 4",
        "0x12002, 1, 4",
        "0x12002, 2, 4",
        "0x13000, 4, 8",
        "0x13001, 2, 8",
        "0x13003, 1, 8",
        "0x10000, 1, 0",
        "0x10003, 4, 0",
        "0x12000, 2, 0",
        "0x12004, 4, 0",
        "0x13004, 4, 0",
        "0x12ffe, 2, 0",
        "0x12ffe, 4, 8",
    })
    @DisplayName("On data: the manual's examples of addresses and lengths, and page crossings")
    void lengths(long address, int sizeBytes, int bits) {
        for (boolean cycle : new boolean[] {false, true}) {
            LongModeMachine fresh = new LongModeMachine();
            if (cycle) {
                fresh.machine.useCycleEngine(TimingPreset.named("skylake-sp"));
            }
            fresh.cpu.dr[0] = 0x10001;
            fresh.cpu.dr[1] = 0x10002;
            fresh.cpu.dr[2] = 0x12002;
            fresh.cpu.dr[3] = 0x13000;
            fresh.cpu.dr[7] = 0xf733_07aaL;
            String load = sizeBytes == 1 ? "8a 07 90 f4" : sizeBytes == 2 ? "66 8b 07 f4" : "8b 07 90 f4";
            fresh.code(load).cpu.gpr[CpuState.RDI] = address;
            fresh.cpu.run(100);
            assertThat(fresh.cpu.dr[6] & 0xf).isEqualTo(bits);
            assertThat(fresh.vector()).isEqualTo(bits == 0 ? -1 : 1);
        }
    }

    @ParameterizedTest
    @CsvSource({"false, 1, 0", "false, 3, 1", "true, 1, 0", "true, 3, 1"})
    @DisplayName("A load meets a breakpoint on reads and writes, not one on writes; the page was in use before")
    void kinds(boolean cycle, int kind, int bits) {
        engine(cycle);
        // mov eax,[rdi]; mov dr7,rsi; mov eax,[rdi]; add [rdi],eax; hlt
        machine.code("8b 07 0f 23 fe 8b 07 01 07 f4");
        watch(0, DATA, kind, 3);
        machine.cpu.gpr[CpuState.RSI] = machine.cpu.dr[7];
        machine.cpu.dr[7] = 0x400;
        machine.cpu.gpr[CpuState.RDI] = DATA;
        machine.memory.writeInt(DATA, 21);
        breaksAt(bits != 0 ? 7 : 9, 1);
        assertThat(machine.memory.readInt(DATA)).isEqualTo(bits != 0 ? 21 : 42);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("A repeated string instruction stops behind the iteration that met it, with RF = 1 in the frame")
    void repeated(boolean cycle) {
        engine(cycle);
        machine.code("f3 aa f4").cpu.gpr[CpuState.RDI] = DATA;
        machine.cpu.gpr[CpuState.RCX] = 10;
        watch(2, DATA + 3, 1, 0);
        breaksAt(0, 4);
        assertThat(machine.cpu.gpr[CpuState.RCX]).isEqualTo(6);
        assertThat(machine.onStack(2) & RF).isEqualTo(RF);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("Breakpoint and single step behind one instruction are one exception; B0 to B3 are set anew, BS stays")
    void together(boolean cycle) {
        engine(cycle);
        machine.code("89 07 f4").cpu.gpr[CpuState.RDI] = DATA;
        watch(0, DATA, 1, 3);
        machine.cpu.rflagsSystem |= TF;
        machine.cpu.dr[6] |= 8 | 1 << 13;
        breaksAt(2, 1 | 1 << 14 | 1 << 13);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("MOV SS holds the breakpoint that it met back, and hides one on the next instruction")
    void stackSegment(boolean cycle) {
        engine(cycle);
        machine.code("8e 17 90 90 f4").cpu.gpr[CpuState.RDI] = DATA;
        machine.memory.writeShort(DATA, LongModeMachine.KERNEL_DATA);
        watch(0, DATA, 3, 1);
        watch(1, LongModeMachine.CODE + 2, 0, 0);
        breaksAt(3, 1);
    }

    @ParameterizedTest
    @CsvSource({
        // mov ss,[rdi] with the trap flag: the step behind MOV SS is suppressed, a breakpoint that it met is inhibited
        "false, false, 8e 17 f1 f4, 3, 0",
        "true, false, 8e 17 f1 f4, 3, 0",
        "false, true, 8e 17 f1 f4, 3, 1",
        "false, true, 8e 17 0f 21 f8 f4, 2, 0x2001",
        "false, false, 8e 17 0f 21 f8 f4, 2, 0x2000",
        "false, true, 8e 17 90 f4, 3, 0x4001",
        "false, false, 8e 17 90 f4, 3, 0x4000",
    })
    @DisplayName("MOV SS with the trap flag set, then INT1, general detect, NOP: one exception with what was met")
    void stackSegmentStep(boolean cycle, boolean breakpoint, String hex, int offset, long dr6) {
        engine(cycle);
        machine.code(hex).cpu.gpr[CpuState.RDI] = DATA;
        machine.memory.writeShort(DATA, LongModeMachine.KERNEL_DATA);
        machine.cpu.rflagsSystem |= TF;
        machine.cpu.dr[7] |= hex.contains("0f 21") ? 1 << 13 : 0;
        if (breakpoint) {
            watch(0, DATA, 3, 1);
        }
        breaksAt(offset, dr6);
        assertThat(machine.cpu.pendingDebugExceptions).isZero();
    }

    @ParameterizedTest
    @CsvSource({"cd 01, 1", "cc, 3", "0f 0b, 6"})
    @DisplayName("What MOV SS has held back is delivered at the first instruction of another event's handler")
    void stackSegmentEvent(String hex, int vector) {
        machine.code("8e 17 " + hex).cpu.gpr[CpuState.RDI] = DATA;
        machine.memory.writeShort(DATA, LongModeMachine.KERNEL_DATA);
        watch(0, DATA, 3, 1);
        halts();
        assertThat(machine.vector()).isEqualTo(1);
        assertThat(machine.onStack(0)).isEqualTo(LongModeMachine.handler(vector));
        assertThat(machine.cpu.dr[6]).isEqualTo(0xffff_0ff1L);
    }

    @ParameterizedTest
    @CsvSource({"8b 07 f4, 3", "89 07 f4, 7", "8b 47 04 f4, 0"})
    @DisplayName("B0 to B3 show disabled breakpoints too, if the same access meets an enabled one")
    void disabled(String hex, int bits) {
        machine.code(hex).cpu.gpr[CpuState.RDI] = DATA;
        watch(0, DATA, 3, 3);
        // DR1: reads and writes, DR2: writes, DR3: reads and writes elsewhere; none enabled
        machine.cpu.dr[1] = DATA;
        machine.cpu.dr[2] = DATA + 2;
        machine.cpu.dr[3] = DATA + 4;
        machine.cpu.dr[7] |= 0x3_1_3 << 20;
        halts();
        assertThat(machine.cpu.dr[6] & 0xf).isEqualTo(bits);
        assertThat(machine.vector()).isEqualTo(bits == 0 ? -1 : 1);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName(
            "An instruction that faults has met nothing; what the delivery pushes meets its breakpoint in the handler")
    void faults(boolean cycle) {
        engine(cycle);
        machine.code("8a 07 0f 0b").cpu.gpr[CpuState.RDI] = DATA;
        watch(0, LongModeMachine.STACK - 8, 1, 2);
        halts();
        assertThat(machine.vector()).isEqualTo(1);
        assertThat(machine.onStack(0)).isEqualTo(LongModeMachine.handler(6));
        LongModeMachine other = new LongModeMachine();
        // a read-modify-write whose destination may be read but the divisor is 0: div byte [rdi]
        other.code("f6 37").cpu.gpr[CpuState.RDI] = DATA;
        other.cpu.dr[0] = DATA;
        other.cpu.dr[7] |= 0x3_0002;
        assertThat(other.cpu.run(1000)).isEqualTo(StopReason.HALTED);
        assertThat(other.vector()).isZero();
        assertThat(other.cpu.dr[6]).isEqualTo(0xffff_0ff0L);
    }

    @ParameterizedTest
    @CsvSource({"ec, 0x60, 8, 1", "ed, 0x5e, 8, 1", "ec, 0x61, 8, 0", "ef, 0x5d, 8, 1", "ec, 0x60, 0, 0"})
    @DisplayName("On ports, with CR4.DE only: any overlap, behind the instruction")
    void ports(String opcode, int port, long debuggingExtensions, int bits) {
        machine.code(opcode + " f4").cpu.gpr[CpuState.RDX] = port;
        machine.cpu.cr4 |= debuggingExtensions;
        watch(0, 0x60, 2, 0);
        halts();
        assertThat(machine.cpu.dr[6] & 0xf).isEqualTo(bits);
        assertThat(machine.vector()).isEqualTo(bits == 0 ? -1 : 1);
    }

    @ParameterizedTest
    @CsvSource({"0f 23 c0, 0", "0f 21 f0, 0"})
    @DisplayName("General detect: a fault with BD and RF = 1 in the frame; GD is clear in the handler")
    void generalDetect(String hex, int offset) {
        machine.code(hex).cpu.dr[7] |= 1 << 13;
        breaksAt(offset, 1 << 13);
        assertThat(machine.onStack(2) & RF).isEqualTo(RF);
        assertThat(machine.cpu.dr[7] & 1 << 13).isZero();
    }

    @ParameterizedTest
    @CsvSource({
        "90 eb 01 90 f4, 4",
        "90 90 eb 00 f4, 4",
        "90 74 00 75 00 90, 5",
        "31 c9 e3 00 f4, 4",
        "e2 00 f4, 2",
        "0f 84 00 00 00 00 e8 00 00 00 00 f4, 11",
        "b1 02 f3 aa eb 00 f4, 6",
    })
    @DisplayName(
            "DEBUGCTL.BTF: a trap behind taken branches only, also to the next instruction; BTF is clear afterwards")
    void branches(String hex, int offset) {
        machine.code(hex).cpu.debugctl = 2;
        machine.cpu.gpr[CpuState.RDI] = DATA;
        machine.cpu.gpr[CpuState.RCX] = 7;
        machine.cpu.rflags(machine.cpu.rflags() & ~0x40L | TF);
        breaksAt(offset, 1 << 14);
        assertThat(machine.cpu.debugctl).isZero();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("With all breakpoints disabled again nothing is met, and DR6 keeps its bits")
    void disabled(boolean cycle) {
        engine(cycle);
        machine.code("89 07 f4").cpu.gpr[CpuState.RDI] = DATA;
        machine.cpu.dr[0] = DATA;
        machine.cpu.dr[7] = 0x400 | 0xd_0000;
        machine.cpu.dr[6] |= 5;
        halts();
        assertThat(machine.vector()).isEqualTo(-1);
        assertThat(machine.cpu.dr[6]).isEqualTo(0xffff_0ff5L);
    }
}
