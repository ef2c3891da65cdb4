package org.vmxsim.vmx;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.StopReason;

/** A 32-bit kernel with an IDT on a machine with the devices of a PC: 8254, real-time clock and APIC timer at once. */
class PlatformMachineTest {
    private static final int BASE = 0x10_0000;
    private static final int IDT = 0x400;
    private static final MachineConfig PC =
            MachineConfig.DEFAULT.withMemory(4 << 20).withPlatform(MachineConfig.Platform.PC);

    private final ByteBuffer image = ByteBuffer.allocate(0x1000).order(ByteOrder.LITTLE_ENDIAN);

    private void put(int offset, String hexadecimal) {
        String[] bytes = hexadecimal.strip().split("\\s+");
        for (int i = 0; i < bytes.length; i++) {
            image.put(offset + i, (byte) Integer.parseInt(bytes[i], 16));
        }
    }

    private static String littleEndian(long value) {
        return String.format(
                " %02x %02x %02x %02x", value & 0xff, value >>> 8 & 0xff, value >>> 16 & 0xff, value >>> 24 & 0xff);
    }

    private static String outputs(int... portsAndValues) {
        StringBuilder code = new StringBuilder();
        for (int i = 0; i < portsAndValues.length; i += 2) {
            code.append(String.format(" b0 %02x e6 %02x", portsAndValues[i + 1], portsAndValues[i]));
        }
        return code.toString();
    }

    private static String apic(int offset, int value) {
        return " c7 05" + littleEndian(0xfee0_0000L + offset) + littleEndian(value);
    }

    private void gate(int vector, int handler, String code) {
        image.putInt(IDT + 8 * vector, BASE + handler & 0xffff | 0x8_0000);
        image.putInt(IDT + 8 * vector + 4, BASE + handler & 0xffff_0000 | 0x8e00);
        put(handler, code);
    }

    private byte[] kernel(String program) {
        image.putInt(0, 0x1bad_b002).putInt(4, 0x1_0000).putInt(8, -(0x1bad_b002 + 0x1_0000));
        image.putInt(12, BASE)
                .putInt(16, BASE)
                .putInt(20, BASE + 0x1000)
                .putInt(24, 0)
                .putInt(28, BASE + 0x40);
        image.putShort(0x300, (short) 23).putInt(0x302, BASE + 0x310);
        image.putShort(0x308, (short) 0x7ff).putInt(0x30a, BASE + IDT);
        image.putLong(0x318, 0x00cf_9b00_0000_ffffL).putLong(0x320, 0x00cf_9300_0000_ffffL);
        put(
                0x40,
                "0f 01 15" + littleEndian(BASE + 0x300) + " 0f 01 1d" + littleEndian(BASE + 0x308) + " bc"
                        + littleEndian(BASE + 0x8_0000) + program);
        return image.array();
    }

    @ParameterizedTest
    @EnumSource(Engine.class)
    @DisplayName("Three interrupts of each: the last comes after three milliseconds, while the processor halts")
    void threeTimers(Engine engine) {
        gate(0x20, 0x340, "41 b0 20 e6 20 cf");
        gate(0x28, 0x360, "47 b0 0c e6 70 e4 71 b0 20 e6 a0 e6 20 cf");
        gate(0x40, 0x380, "46" + apic(0xb0, 0) + " cf");
        String program = outputs(0x20, 0x11, 0x21, 0x20, 0x21, 4, 0x21, 1, 0xa0, 0x11, 0xa1, 0x28, 0xa1, 2, 0xa1, 1)
                + outputs(0x21, 0xfa, 0xa1, 0xfe, 0x43, 0x34, 0x40, 0xa9, 0x40, 4, 0x70, 0xb, 0x71, 0x42)
                + apic(0x3e0, 0xb) + apic(0x320, 0x20040) + apic(0x380, 25_000)
                // ECX, ESI, EDI = 0; STI; HLT until each is 3; OUT 0xf4
                + " 31 c9 31 f6 31 ff fb f4 83 f9 03 72 fa 83 fe 03 72 f5 83 ff 03 72 f0 e7 f4";
        Machine machine = Machine.of(PC.withEngine(engine));
        machine.boot(kernel(program), "timers", List.of());
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
        gate(0x20, 0x340, "41 b0 20 e6 20 cf");
        // one interrupt at 18.2 Hz in a loop of INC EDX, then the reset by 0xcf9
        String program = outputs(0x20, 0x11, 0x21, 0x20, 0x21, 4, 0x21, 1, 0x21, 0xfe, 0x43, 0x34, 0x40, 0, 0x40, 1)
                + " 31 c9 31 d2 fb 42 85 c9 74 fb 89 d3 66 ba f9 0c b0 06 ee eb fe";
        long[] counts = new long[2];
        for (int i = 0; i < counts.length; i++) {
            Machine machine = Machine.of(PC);
            machine.boot(kernel(program), "reset", List.of());
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
