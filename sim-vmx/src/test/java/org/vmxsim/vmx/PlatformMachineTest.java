package org.vmxsim.vmx;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.StopReason;

/** A 32-bit kernel with an IDT on a machine with the devices of a PC: 8254, real-time clock and APIC timer at once. */
class PlatformMachineTest {
    private static final MachineConfig PC =
            MachineConfig.DEFAULT.withMemory(4 << 20).withPlatform(MachineConfig.Platform.PC);

    private final SmallKernel kernel = new SmallKernel();

    @ParameterizedTest
    @CsvSource({"FUNCTIONAL, 1", "CYCLE, 1", "FUNCTIONAL, 3", "CYCLE, 3"})
    @DisplayName("Three interrupts of each: the last comes after three milliseconds, while the processor halts")
    void threeTimers(Engine engine, int processors) {
        kernel.gate(0x20, 0x340, "41 b0 20 e6 20 cf");
        kernel.gate(0x28, 0x360, "47 b0 0c e6 70 e4 71 b0 20 e6 a0 e6 20 cf");
        kernel.gate(0x40, 0x380, "46" + SmallKernel.apic(0xb0, 0) + " cf");
        String program = SmallKernel.outputs(
                        0x20, 0x11, 0x21, 0x20, 0x21, 4, 0x21, 1, 0xa0, 0x11, 0xa1, 0x28, 0xa1, 2, 0xa1, 1)
                + SmallKernel.outputs(0x21, 0xfa, 0xa1, 0xfe, 0x43, 0x34, 0x40, 0xa9, 0x40, 4, 0x70, 0xb, 0x71, 0x42)
                + SmallKernel.apic(0x3e0, 0xb) + SmallKernel.apic(0x320, 0x20040) + SmallKernel.apic(0x380, 100_000)
                // ECX, ESI, EDI = 0; STI; HLT until each is 3; OUT 0xf4
                + " 31 c9 31 f6 31 ff fb f4 83 f9 03 72 fa 83 fe 03 72 f5 83 ff 03 72 f0 e7 f4";
        Machine machine = Machine.of(PC.withEngine(engine).withProcessors(processors));
        machine.boot(kernel.kernel(program), "timers", List.of());
        assertThat(machine.run(1_000_000_000)).isEqualTo(StopReason.REQUESTED);
        long ticksPerMillisecond = machine.config().timing().number("clock.tscMhz") * 1000;
        assertThat(machine.cpu().pins.machineTime())
                .isBetween(3 * ticksPerMillisecond, 3 * ticksPerMillisecond + 60_000);
        assertThat(machine.cpu().gpr[CpuState.RCX]).isEqualTo(3);
        assertThat(machine.cpu().gpr[CpuState.RSI]).isEqualTo(3);
        assertThat(machine.cpu().gpr[CpuState.RDI]).isEqualTo(3);
    }

    @Test
    @DisplayName("The same run twice is the same to the tick, and a reset ends it")
    void repeats() {
        kernel.gate(0x20, 0x340, "41 b0 20 e6 20 cf");
        // one interrupt at 18.2 Hz in a loop of INC EDX, then the reset by 0xcf9
        String program =
                SmallKernel.outputs(0x20, 0x11, 0x21, 0x20, 0x21, 4, 0x21, 1, 0x21, 0xfe, 0x43, 0x34, 0x40, 0, 0x40, 1)
                        + " 31 c9 31 d2 fb 42 85 c9 74 fb 89 d3 66 ba f9 0c b0 06 ee eb fe";
        long[] counts = new long[2];
        for (int i = 0; i < counts.length; i++) {
            Machine machine = Machine.of(PC);
            machine.boot(kernel.kernel(program), "reset", List.of());
            assertThat(machine.run(10_000_000)).isEqualTo(StopReason.REQUESTED);
            assertThat(machine.exitCode()).isEmpty();
            counts[i] = machine.cpu().gpr[CpuState.RBX];
        }
        // 256 pulses and one to load, three instructions each round
        long tscMhz = PC.timing().number("clock.tscMhz");
        assertThat(counts[0])
                .isEqualTo(counts[1])
                .isBetween(256 * tscMhz * 1000 / 1193 / 3 - 50, 258 * tscMhz * 1000 / 1193 / 3);
    }
}
