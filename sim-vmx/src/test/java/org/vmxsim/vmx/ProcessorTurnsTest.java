package org.vmxsim.vmx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vmxsim.vmx.ProcessorTurnsProperties.machine;

import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.vmx.MachineConfig.Turns;

/** What processors do to one another, and when a run of several ends. */
class ProcessorTurnsTest {
    private static final MachineConfig PC = MachineConfig.DEFAULT
            .withMemory(4 << 20)
            .withPlatform(MachineConfig.Platform.PC)
            .withProcessors(2);
    private static final String JUMP_TO_SELF = " eb fe";
    private static final String HALT = " f4 eb fd";

    private static int signed16(Machine machine, int address) {
        return machine.memory().readShort(address);
    }

    @ParameterizedTest
    @EnumSource(Engine.class)
    @DisplayName("Code that another processor changes is executed as changed")
    void crossModifying(Engine engine) {
        // 0x8000: MOV AX, 1 (its constant lies at 0x8001); MOV [620], AX; JMP back
        String others = "b8 01 00 a3 20 06 eb f8";
        // wait until [620] is 1; MOV BYTE [8001], 2; wait until [620] is 2; OUT 0xf4
        String first = " 66 83 3d 20 06 00 00 01 75 f6 c6 05 01 80 00 00 02 66 83 3d 20 06 00 00 02 75 f6 e7 f4";
        Machine machine = machine(PC.withEngine(engine), first, others);
        assertThat(machine.run(100_000)).isEqualTo(StopReason.REQUESTED);
        assertThat(signed16(machine, 0x620)).isEqualTo(2);
    }

    @ParameterizedTest
    @EnumSource(Engine.class)
    @DisplayName("When all are halted for good, the run says so, and says it again")
    void halted(Engine engine) {
        Machine machine = machine(PC.withEngine(engine), HALT, HALT);
        assertThat(machine.run(1_000_000)).isEqualTo(StopReason.HALTED);
        assertThat(machine.run(1_000_000)).isEqualTo(StopReason.HALTED);
        assertThat(machine.instructions())
                .as("LGDT, LIDT, MOV ESP, two stores, HLT and HLT")
                .isEqualTo(7);
    }

    @Test
    @DisplayName("The budget of two processors that loop is exact, and they share it by quanta")
    void budget() {
        Machine machine = machine(PC.withTurns(new Turns(10, OptionalLong.empty())), JUMP_TO_SELF, JUMP_TO_SELF);
        assertThat(machine.run(10_001)).isEqualTo(StopReason.BUDGET);
        assertThat(machine.instructions()).isEqualTo(10_001);
        long first = machine.cpu().retired - machine.cpu().idleTicks;
        assertThat(first).isBetween(5_000L, 5_010L);
        assertThat(machine.cpu().pins.machineTime())
                .as("one clock")
                .isEqualTo(10_001)
                .isEqualTo(machine.processors().get(1).cpu().pins.machineTime());
    }

    @Test
    @DisplayName("One that loops keeps the clock going while the other is halted and takes its timer")
    void timerOfTheHalted() {
        // APIC timer of the first: periodic, vector 0x40, 100 pulses of 100 MHz; ESI counts; three times, then OUT 0xf4
        SmallKernel kernel = new SmallKernel();
        kernel.gate(0x40, 0x380, "46" + SmallKernel.apic(0xb0, 0) + " cf");
        String program = SmallKernel.apic(0x300, 0xc4500) + SmallKernel.apic(0x300, 0xc4608)
                + SmallKernel.apic(0x3e0, 0xb) + SmallKernel.apic(0x320, 0x20040) + SmallKernel.apic(0x380, 100)
                + " 31 f6 fb f4 83 fe 03 72 fa e7 f4";
        Machine machine = Machine.of(PC.withTurns(new Turns(1 << 20, OptionalLong.empty())));
        machine.boot(kernel.kernel(program), "timer", java.util.List.of());
        machine.memory().load(0x8000, SmallKernel.bytes(JUMP_TO_SELF));
        assertThat(machine.run(1_000_000)).isEqualTo(StopReason.REQUESTED);
        long tscMhz = machine.config().timing().number("clock.tscMhz");
        assertThat(machine.cpu().pins.machineTime())
                .as("three microseconds, to a few instructions: the event ends the long turn of the other")
                .isBetween(3 * tscMhz, 3 * tscMhz + 60);
    }

    @Test
    @DisplayName("Processors that wait by PAUSE let time pass instead of spinning through it")
    void pauseIsCheap() {
        // the first waits a million ticks: RDTSC; ADD EAX, 1000000; MOV EBX, EAX; PAUSE, RDTSC, CMP EAX, EBX, JB
        String first = " 0f 31 05 40 42 0f 00 89 c3 f3 90 0f 31 39 d8 72 f8 e7 f4";
        Machine machine = machine(PC, first, "f3 90 eb fc");
        assertThat(machine.run(10_000_000)).isEqualTo(StopReason.REQUESTED);
        assertThat(machine.cpu().pins.machineTime()).isBetween(1_000_000L, 1_003_000L);
        assertThat(machine.instructions()).isLessThan(20_000);
    }

    @ParameterizedTest
    @EnumSource(Engine.class)
    @DisplayName("Shutdown of any processor ends the run")
    void shutdown(Engine engine) {
        // LIDT with limit 0 from 0x8010; UD2
        String others = "0f 01 1e 10 80 0f 0b 90 90 90 90 90 90 90 90 90 00 00 00 00 00 00";
        assertThat(machine(PC.withEngine(engine), JUMP_TO_SELF, others).run(100_000))
                .isEqualTo(StopReason.SHUTDOWN);
    }

    @Test
    @DisplayName("Numbers that make no sense are refused")
    void refuses() {
        assertThatThrownBy(() -> new Turns(0, OptionalLong.empty()))
                .hasMessageContaining("need a quantum of at least 1 instruction, got 0");
        assertThatThrownBy(() -> Machine.of(PC).run(-1)).hasMessageContaining("-1");
    }
}
