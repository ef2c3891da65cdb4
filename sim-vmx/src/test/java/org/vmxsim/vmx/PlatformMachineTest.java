package org.vmxsim.vmx;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
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

    @ParameterizedTest
    @EnumSource(Engine.class)
    @DisplayName(
            "A boot sector that only enables interrupts finds the timer of its firmware ticking, every 65,536 pulses")
    void firmwareTicks(Engine engine) {
        byte[] sector = new byte[512];
        // STI; HLT; HLT; MOV EAX,[46CH]; OUT 0F4H,EAX
        byte[] program = HexFormat.of().parseHex("fbf4f466a16c0466e7f4");
        System.arraycopy(program, 0, sector, 0, program.length);
        sector[510] = 0x55;
        sector[511] = (byte) 0xaa;
        Machine machine =
                Machine.of(PC.withPlatform(MachineConfig.Platform.BIOS).withEngine(engine));
        machine.boot(sector, "ticks", List.of());
        assertThat(machine.run(1_000_000_000)).isEqualTo(StopReason.REQUESTED);
        assertThat(machine.exitCode()).hasValue(2);
        long ticks = machine.config().timing().number("clock.tscMhz") * 1_000_000L * 2 * 65_536 / 1_193_182;
        assertThat(machine.cpu().pins.machineTime()).isBetween(ticks, ticks + 60_000);
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

    @ParameterizedTest
    @CsvSource(textBlock = """
            # how,      processors, program
            EXIT_PORT,  1, e7 f4
            EXIT_PORT,  3, e7 f4
            RESET,      1, 66 ba f9 0c b0 02 ee b0 06 ee
            RESET,      3, 66 ba f9 0c b0 0e ee
            RESET,      1, b0 fe e6 64
            RESET,      2, b0 fe e6 64
            RESET,      1, b0 01 e6 92
            POWER_OFF,  1, 66 ba 00 89 b0 53 ee b0 68 ee b0 75 ee b0 74 ee b0 64 ee b0 6f ee b0 77 ee b0 6e ee
            POWER_OFF,  2, 66 ba 00 89 b0 53 ee b0 68 ee b0 75 ee b0 74 ee b0 64 ee b0 6f ee b0 77 ee b0 6e ee
            """)
    @DisplayName("What ends a run, at the instruction that does it")
    void endings(Machine.Ending how, int processors, String program) {
        Machine machine = Machine.of(PC.withProcessors(processors));
        machine.boot(kernel.kernel(" " + program + " eb fe"), "end", List.of());
        assertThat(machine.run(1000)).isEqualTo(StopReason.REQUESTED);
        assertThat(machine.ending()).contains(how);
        assertThat(machine.exitCode().isPresent()).isEqualTo(how == Machine.Ending.EXIT_PORT);
        assertThat(machine.run(10)).as("it could go on").isEqualTo(StopReason.BUDGET);
    }

    @ParameterizedTest
    @CsvSource({"1, 0", "1, 0xc1", "2, 0", "2, 0xc1"})
    @DisplayName("Bytes from the host come by IRQ4 of COM1, one interrupt each or from a FIFO, while all are halted")
    void serialInput(int processors, int fifoControl) {
        // IN AL, 3f8; MOV [500 + ESI], AL; INC ESI; EOI; IRET
        kernel.gate(0x24, 0x340, "66 ba f8 03 ec 88 86 00 05 00 00 46 b0 20 e6 20 cf");
        String program = SmallKernel.outputs(0x20, 0x11, 0x21, 0x20, 0x21, 4, 0x21, 1, 0x21, 0xef)
                + String.format(" 66 ba fa 03 b0 %02x ee 66 ba f9 03 b0 01 ee 66 ba fc 03 b0 08 ee", fifoControl)
                + " 31 f6 fb f4 83 fe 03 72 fa e7 f4";
        Machine machine = Machine.of(PC.withProcessors(processors));
        machine.boot(kernel.kernel(program), "echo", List.of());
        assertThat(machine.run(1000)).isEqualTo(StopReason.HALTED);
        machine.serialInput((byte) 'a', (byte) 'b', (byte) 0xff);
        assertThat(machine.run(1000)).isEqualTo(StopReason.REQUESTED);
        assertThat(machine.memory().readInt(0x500)).isEqualTo(0x00ff_6261);
    }

    @Test
    @DisplayName("The test device: a register of bytes, requests of the board, memory at 0xff000000")
    void testDevice() {
        Machine machine = Machine.of(PC.withTestDevice(true));
        machine.ports().out(0xe0, 4, 0x1234_5678);
        machine.ports().out(0xe1, 1, 0xab);
        assertThat(machine.ports().in(0xe0, 4)).isEqualTo(0x1234_ab78);
        assertThat(machine.ports().in(0xea, 2)).isEqualTo(0x1234);
        machine.memory().writeLong(0xff00_fff8L, 0x0102_0304_0506_0708L);
        assertThat(machine.memory().readInt(0xff00_fffaL)).isEqualTo(0x0304_0506);
        // I/O APIC: pin 14 to vector 0x51, pin 17 to 0x61, both edge to APIC 0
        for (int[] entry : new int[][] {{0x2c, 0x51}, {0x32, 0x61}}) {
            machine.memory().writeInt(0xfec0_0000L, entry[0]);
            machine.memory().writeInt(0xfec0_0010L, entry[1]);
        }
        machine.ports().out(0x2000 + 14, 1, 1);
        assertThat(machine.cpu().pins.interruptRequest()).isEqualTo(0x51);
        machine.ports().out(0x2000 + 17, 1, 1);
        assertThat(machine.cpu().pins.interruptRequest()).isEqualTo(0x61);
        assertThat(Machine.of(PC).ports().in(0xe0, 1)).isEqualTo(0xff);
    }
}
