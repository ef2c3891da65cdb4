package org.vmxsim.core.machine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Event;
import org.vmxsim.core.cpu.StopReason;

@DisplayName("SDM \"Exception and Interrupt Reference\": vectors, error codes, return addresses, and which comes first")
class ExceptionTest {
    private final LongModeMachine machine = new LongModeMachine();

    private void run() {
        assertThat(machine.cpu.run(1000)).isEqualTo(StopReason.HALTED);
    }

    /** Columns: what, CPL, code, vector, error code (hexadecimal; - for none), offset of the pushed RIP. */
    @ParameterizedTest(name = "{0}, CPL {1}: #{3}({4})")
    @CsvSource(textBlock = """
            DIV by zero,                           0, 31 c9 f7 f1,                         0,  -,   2
            INT1,                                  0, f1,                                  1,  -,   1
            UD2,                                   0, 0f 0b,                               6,  -,   0
            MOV CS,                                0, 8e c8,                               6,  -,   0
            MOV to CR1,                            0, 0f 22 c8,                            6,  -,   0
            SYSCALL without its feature,           0, 0f 05,                               66, -,   0
            MOV to CR0,                            3, 0f 22 c0,                            13, 0,   0
            HLT,                                   3, f4,                                  13, 0,   0
            CLI with IOPL 0,                       3, fa,                                  13, 0,   0
            IN with IOPL 0 and no I/O bitmap,      3, e4 80,                               13, 0,   0
            RDMSR,                                 3, 0f 32,                               13, 0,   0
            RDMSR of no register,                  0, b9 77 77 00 00 0f 32,                13, 0,   5
            WRMSR of reserved bits of EFER,        0, b9 80 00 00 c0 31 d2 b8 ff ff ff ff 0f 30, 13, 0, c
            MOV to CR4 of a reserved bit,          0, b8 00 00 00 80 0f 22 e0,             13, 0,   5
            MOV to CR0 of PG without PE,           0, b8 30 00 00 80 0f 22 c0,             13, 0,   5
            MOV to CR0 of NW without CD,           0, b8 33 00 00 a0 0f 22 c0,             13, 0,   5
            MOV to CR8 of 16,                      0, 6a 10 58 44 0f 22 c0,                13, 0,   3
            clearing CR4.PAE in IA-32e mode,       0, 31 c0 0f 22 e0,                      13, 0,   2
            DS beyond the GDT,                     0, b8 98 00 00 00 8e d8,                13, 98,  5
            DS of an empty LDT,                    0, b8 0f 00 00 00 8e d8,                13, c,   5
            DS of a system segment,                0, b8 28 00 00 00 8e d8,                13, 28,  5
            DS that is not present,                0, b8 40 00 00 00 8e d8,                11, 40,  5
            DS of a more privileged level,         3, b8 10 00 00 00 8e d8,                13, 10,  5
            SS null with CPL 3,                    3, 31 c0 8e d0,                         13, 0,   2
            SS with another RPL,                   0, b8 13 00 00 00 8e d0,                13, 10,  5
            SS that is read-only,                  0, b8 50 00 00 00 8e d0,                13, 50,  5
            SS that is not present,                0, b8 40 00 00 00 8e d0,                12, 40,  5
            LTR of a busy TSS,                     0, b8 28 00 00 00 0f 00 d8,             13, 28,  5
            LTR null,                              0, 31 c0 0f 00 d8,                      13, 0,   2
            LTR that is not present,               0, b8 68 00 00 00 0f 00 d8,             11, 68,  5
            LLDT of a TSS,                         0, b8 58 00 00 00 0f 00 d0,             13, 58,  5
            INT through a gate of DPL 0,           3, cd 50,                               13, 282, 0
            INT3 through a gate of DPL 0,          3, cc,                                  13, 1a,  0
            load from a non-canonical address,     0, 48 b8 00 00 00 00 00 80 00 00 8a 00, 13, 0,   a
            load by rBP likewise,                  0, 48 bd 00 00 00 00 00 80 00 00 8a 45 00, 12, 0, a
            PUSH likewise,                         0, 48 bc 00 00 00 00 00 90 00 00 50,    12, 0,   a
            jump to a non-canonical address,       0, 48 b8 00 00 00 00 00 80 00 00 ff e0, 13, 0,   a
            IRETQ to a null CS,                    0, 6a 00 6a 00 6a 02 6a 00 6a 00 48 cf, 13, 0,   a
            far RET to a data segment,             0, 6a 10 6a 00 48 cb,                   13, 10,  4
            far RET to a segment not present,      0, 6a 38 6a 00 48 cb,                   11, 38,  4
            far RET to a more privileged level,    3, 6a 08 6a 00 48 cb,                   13, 8,   4
            load from an absent page,              0, b8 00 00 00 40 8a 00,                14, 0,   5
            store to an absent page,               0, b8 00 00 00 40 88 00,                14, 2,   5
            load from an absent page,              3, b8 00 00 00 40 8a 00,                14, 4,   5
            read-modify-write of an absent page,   3, b8 00 00 00 40 80 00 01,             14, 6,   5
            fetch from an absent page,             3, b8 00 00 00 40 ff e0,                14, 14,  40000000
            """)
    void exceptionAndErrorCode(String what, int cpl, String code, int vector, String errorCode, String rip) {
        machine.gate(Event.STACK_FAULT, 0x8e, LongModeMachine.KERNEL_CODE, 1);
        if (vector == 66) {
            machine.cpu.efer &= ~1L;
        }
        machine.code(code).privilege(cpl);

        run();

        boolean hasCode = !errorCode.equals("-");
        long returnRip = Long.parseLong(rip, 16);
        assertThat(machine.vector()).isEqualTo(vector == 66 ? 6 : vector);
        if (hasCode) {
            assertThat(machine.onStack(0)).isEqualTo(Long.parseLong(errorCode, 16));
        }
        long expectedRip = returnRip >= 0x1000 ? returnRip : LongModeMachine.CODE + returnRip;
        assertThat(machine.onStack(hasCode ? 1 : 0)).isEqualTo(expectedRip);
        assertThat(machine.onStack(hasCode ? 2 : 1) & 3).isEqualTo(cpl);
    }

    @Test
    @DisplayName("A page fault puts the address into CR2")
    void cr2() {
        machine.code("b8 34 12 00 40 8a 00");
        run();
        assertThat(machine.cpu.cr2).isEqualTo(0x4000_1234L);
    }

    /** Columns: first exception's code, its vector, the attributes of its gate, delivered vector, error code. */
    @ParameterizedTest(name = "{0}")
    @DisplayName("SDM table \"Conditions for Generating a Double Fault\"")
    @CsvSource(textBlock = """
            benign (#UD) then contributory: handled serially,    0f 0b,                        6,  11, 33
            contributory (#GP) then contributory: double fault,  b8 98 00 00 00 8e d8,         13, 8,  0
            contributory (#DE) then contributory: double fault,  31 c9 f7 f1,                  0,  8,  0
            page fault then contributory: double fault,          b8 00 00 00 40 8a 00,         14, 8,  0
            INT n then contributory: without EXT,                cd 50,                        80, 11, 282
            INT3 then contributory: without EXT,                 cc,                           3,  11, 1a
            INT1 then contributory: with EXT,                    f1,                           1,  11, b
            """)
    void doubleFault(String what, String code, int first, int vector, String errorCode) {
        machine.gate(first, 0x0e, LongModeMachine.KERNEL_CODE, 0);
        machine.code(code);

        run();

        assertThat(machine.vector()).isEqualTo(vector);
        assertThat(machine.onStack(0)).isEqualTo(Long.parseLong(errorCode, 16));
        assertThat(machine.onStack(1)).isEqualTo(LongModeMachine.CODE + code.split(" ").length - lastLength(first));
    }

    /** Length of the instruction that raises the first exception. */
    private static int lastLength(int first) {
        return first == 1 || first == 3 ? 1 : 2;
    }

    @Test
    @DisplayName("Contributory, then a page fault: handled serially; page fault, then a page fault: double fault")
    void pageFaultWhileDelivering() {
        machine.cpu.gpr[CpuState.RSP] = 0x4000_0000L;
        machine.gate(8, 0x8e, LongModeMachine.KERNEL_CODE, 1);
        machine.gate(14, 0x8e, LongModeMachine.KERNEL_CODE, 1);
        machine.code("b8 98 00 00 00 8e d8");
        run();
        assertThat(machine.vector()).isEqualTo(14);
        assertThat(machine.onStack(0)).isEqualTo(2);

        machine.gate(14, 0x8e, LongModeMachine.KERNEL_CODE, 0);
        machine.cpu.activity = CpuState.ACTIVE;
        machine.cpu.gpr[CpuState.RSP] = 0x4000_0000L;
        machine.code("b8 00 00 00 50 8a 00");
        run();
        assertThat(machine.vector()).isEqualTo(8);
        assertThat(machine.onStack(0)).isZero();
        assertThat(machine.cpu.cr2).isEqualTo(0x4000_0000L - 8);
    }

    @Test
    @DisplayName("No way to the double-fault handler: shutdown")
    void tripleFault() {
        machine.cpu.idtrLimit = 0;
        machine.code("0f 0b");
        assertThat(machine.cpu.run(1000)).isEqualTo(StopReason.SHUTDOWN);
        assertThat(machine.cpu.activity).isEqualTo(CpuState.SHUTDOWN);
        assertThat(machine.cpu.run(1000)).isEqualTo(StopReason.SHUTDOWN);
    }

    @Test
    @DisplayName("A storm of faults that retires nothing uses up the budget")
    void faultStormEnds() {
        machine.memory.writeShort(LongModeMachine.handler(6), 0x0b0f);
        machine.gate(6, 0x8e, LongModeMachine.KERNEL_CODE, 1);
        machine.code("0f 0b");
        assertThat(machine.cpu.run(100_000)).isEqualTo(StopReason.BUDGET);
        assertThat(machine.cpu.retired).isZero();
    }

    @Test
    @DisplayName("SDM \"Stack Switching in IA-32e Mode\": RSP0, null SS, five quadwords, 16-byte alignment")
    void stackSwitch() {
        machine.gate(0x50, 0xee, LongModeMachine.KERNEL_CODE, 0);
        machine.cpu.gpr[CpuState.RSP] = LongModeMachine.STACK - 3;
        machine.code("cd 50").privilege(3);
        run();
        assertThat(machine.cpu.cpl).isZero();
        assertThat(machine.cpu.segments[CpuState.SS].selector).isZero();
        assertThat(machine.cpu.segments[CpuState.SS].unusable()).isTrue();
        assertThat(machine.cpu.gpr[CpuState.RSP]).isEqualTo(LongModeMachine.KERNEL_STACK - 40);
        assertThat(machine.onStack(0)).isEqualTo(LongModeMachine.CODE + 2);
        assertThat(machine.onStack(1)).isEqualTo(LongModeMachine.USER_CODE);
        assertThat(machine.onStack(3)).isEqualTo(LongModeMachine.STACK - 3);
        assertThat(machine.onStack(4)).isEqualTo(LongModeMachine.USER_DATA);
    }

    @Test
    @DisplayName("The frame is aligned to 16 bytes without a change of stack too")
    void alignedFrame() {
        machine.cpu.gpr[CpuState.RSP] = LongModeMachine.STACK - 3;
        machine.code("0f 0b");
        run();
        assertThat(machine.cpu.gpr[CpuState.RSP]).isEqualTo(LongModeMachine.STACK - 16 - 40);
        assertThat(machine.onStack(3)).isEqualTo(LongModeMachine.STACK - 3);
    }

    @Test
    @DisplayName("SDM \"Interrupt Stack Table\"; RF is pushed as 1 by a fault")
    void interruptStackTable() {
        machine.gate(6, 0x8e, LongModeMachine.KERNEL_CODE, 1);
        machine.code("0f 0b");
        run();
        assertThat(machine.cpu.gpr[CpuState.RSP]).isEqualTo(LongModeMachine.IST_STACK - 40);
        assertThat(machine.onStack(2) & 1 << 16).isNotZero();
    }

    @Test
    @DisplayName("An injected event that fails leaves IDT-vectoring information for the exit")
    void injectedEventFails() {
        machine.cpu.gpr[CpuState.RSP] = 0x4000_0000L;
        machine.code("90");
        machine.cpu.inject(0x8000_0b0d, 0x18, 0);
        assertThat(machine.cpu.pending).isNotZero();
        assertThat(machine.cpu.vectoringInfo).isEqualTo(0x8000_0b0d);
        assertThat(machine.cpu.vectoringErrorCode).isEqualTo(0x18);
        assertThat(machine.cpu.events().requested().vector).isEqualTo(Event.PAGE_FAULT);
    }
}
