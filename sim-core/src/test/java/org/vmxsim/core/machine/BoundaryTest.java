package org.vmxsim.core.machine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.StopReason;

@DisplayName("SDM \"Priority Among Concurrent Events\": traps, interrupts and NMI between instructions")
class BoundaryTest {
    private static final long TF = 1 << 8;
    private static final long IF = 1 << 9;

    private final LongModeMachine machine = new LongModeMachine();

    private void halts() {
        assertThat(machine.cpu.run(1000)).isEqualTo(StopReason.HALTED);
    }

    private void returnsTo(int vector, int offset) {
        assertThat(machine.vector()).isEqualTo(vector);
        assertThat(machine.onStack(0)).isEqualTo(LongModeMachine.CODE + offset);
    }

    @Test
    @DisplayName("Single step traps after the instruction; DR6.BS; TF is pushed, and clear in the handler")
    void singleStep() {
        machine.code("90 90").cpu.rflagsSystem |= TF;
        halts();
        returnsTo(1, 1);
        assertThat(machine.cpu.dr[6]).isEqualTo(0xffff_4ff0L);
        assertThat(machine.onStack(2) & TF).isEqualTo(TF);
        assertThat(machine.cpu.rflagsSystem & TF).isZero();
    }

    @Test
    @DisplayName("POPF that sets TF is not trapped, the next instruction is")
    void popfSetsTrapFlag() {
        machine.code("68 02 01 00 00 9d 90 90");
        halts();
        returnsTo(1, 7);
    }

    @Test
    @DisplayName("MOV SS holds the trap back for one instruction")
    void movSsDelaysTheTrap() {
        machine.code("8e d0 90 90").cpu.rflagsSystem |= TF;
        machine.cpu.gpr[CpuState.RAX] = LongModeMachine.KERNEL_DATA;
        halts();
        returnsTo(1, 3);
    }

    @Test
    @DisplayName("A fault is not followed by a trap of the same instruction")
    void faultInsteadOfTrap() {
        machine.code("0f 0b").cpu.rflagsSystem |= TF;
        halts();
        returnsTo(6, 0);
    }

    @Test
    @DisplayName("INT n clears TF: no trap behind it")
    void softwareInterruptWithTrapFlag() {
        machine.code("cd 50").cpu.rflagsSystem |= TF;
        halts();
        returnsTo(0x50, 2);
        assertThat(machine.cpu.pendingDebugExceptions).isZero();
    }

    @Test
    @DisplayName("STI holds interrupts back for one instruction")
    void stiShadow() {
        machine.code("fb 90 90");
        machine.cpu.pins.interruptRequest(0x60);
        halts();
        returnsTo(0x60, 2);
        assertThat(machine.cpu.rflagsSystem & IF).isZero();
    }

    @Test
    @DisplayName("STI; HLT sleeps through no interrupt: it is taken behind HLT")
    void stiHlt() {
        machine.code("fb f4 90");
        machine.cpu.pins.interruptRequest(0x60);
        halts();
        returnsTo(0x60, 2);
    }

    @Test
    @DisplayName("STI with IF set makes no shadow")
    void stiWithInterruptsOn() {
        machine.code("fb 90 90").cpu.rflagsSystem |= IF;
        machine.cpu.run(0);
        machine.cpu.limit = 0;
        machine.cpu.run(1);
        assertThat(machine.cpu.interruptibility).isZero();
    }

    @Test
    @DisplayName("MOV SS holds interrupts and NMI back for one instruction")
    void movSsShadow() {
        machine.code("8e d0 90 90").cpu.gpr[CpuState.RAX] = LongModeMachine.KERNEL_DATA;
        machine.cpu.run(1);
        machine.cpu.pins.nmi();
        halts();
        returnsTo(2, 3);
    }

    @Test
    @DisplayName("NMI before an interrupt; blocked until IRET, even if that IRET faults")
    void nmi() {
        machine.code("90").cpu.rflagsSystem |= IF;
        machine.cpu.pins.nmi();
        machine.cpu.pins.interruptRequest(0x60);
        halts();
        returnsTo(2, 0);
        assertThat(machine.cpu.interruptibility).isEqualTo(CpuState.BLOCKING_BY_NMI);
        machine.cpu.pins.nmi();
        assertThat(machine.cpu.run(1000)).isEqualTo(StopReason.HALTED);

        machine.cpu.activity = CpuState.ACTIVE;
        machine.code("6a 00 6a 00 6a 02 6a 00 6a 00 48 cf");
        halts();
        assertThat(machine.vector()).isEqualTo(2);
        assertThat(machine.onStack(0)).isEqualTo(LongModeMachine.handler(13));
    }

    @Test
    @DisplayName("HLT waits for an interrupt; time stands still without a deadline")
    void halt() {
        machine.code("f4 90").cpu.rflagsSystem |= IF;
        halts();
        assertThat(machine.cpu.retired).isEqualTo(1);
        machine.cpu.pins.interruptRequest(0x61);
        halts();
        returnsTo(0x61, 1);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 10, 99})
    @DisplayName("A run ends at the exact instruction count, in a loop too")
    void exactBudget(int budget) {
        machine.code("ff c0 ff c1 eb fa");
        assertThat(machine.cpu.run(budget)).isEqualTo(StopReason.BUDGET);
        assertThat(machine.cpu.retired).isEqualTo(budget);
        assertThat(machine.cpu.gpr[CpuState.RAX]).isEqualTo((budget + 2) / 3);
        assertThat(machine.cpu.rip).isEqualTo(LongModeMachine.CODE + new int[] {0, 2, 4}[budget % 3]);
    }

    @Test
    @DisplayName("RDTSC counts retired instructions")
    void timeStamp() {
        machine.code("90 90 0f 31 89 c3 90 0f 31 f4");
        halts();
        assertThat(machine.cpu.gpr[CpuState.RBX]).isEqualTo(2);
        assertThat(machine.cpu.gpr[CpuState.RAX]).isEqualTo(5);
    }
}
