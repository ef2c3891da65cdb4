package org.vmxsim.vmx;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Label;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.StopReason;

/**
 * Random OUT, IN, loads and stores of the APICs' pages, WRMSR and RDMSR by guest programs on several processors: no
 * values of a guest make the host throw, and every run ends with its budget.
 */
class RandomDeviceProperties {
    private static final int ROUNDS = 100;
    private static final int ACTIONS = 10;
    private static final int PROGRAM = 0x20_0000;
    private static final int START_UP = 0x8000;
    private static final int[] PORTS = {
        0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1, 0x40, 0x41, 0x42, 0x43, 0x61, 0x70, 0x71, 0x60, 0x64, 0x92, 0xcf8, 0xcf9,
        0xcfc, 0x3f8, 0x3f9, 0x3fa, 0x3fb, 0x3fc, 0x3ff, 0xe0, 0xe4, 0xe8, 0x2000, 0x2001, 0x200e, 0x2017, 0x8900, 0xf4
    };
    private static final int[] MSRS = {
        0x10,
        0x1b,
        0x3a,
        0x3b,
        0xe1,
        0x174,
        0x1a0,
        0x1d9,
        0x277,
        0x6a0,
        0x6a2,
        0x6a4,
        0x6a8,
        0x6e0,
        0x6e1,
        0xc000_0080,
        0xc000_0081,
        0xc000_0103,
        0x808,
        0x80b,
        0x80f,
        0x830,
        0x832,
        0x838,
        0x83e,
        0x83f
    };

    private final SmallKernel kernel = new SmallKernel();

    private static final class Program {
        private final Random random;
        private final ByteArrayOutputStream code = new ByteArrayOutputStream();

        Program(Random random) {
            this.random = random;
        }

        private void emit(String hexadecimal) {
            code.writeBytes(SmallKernel.bytes(hexadecimal));
        }

        private void register(int opcode, int value) {
            emit(String.format("%02x", opcode) + SmallKernel.littleEndian(value));
        }

        private int pick(int[] choices) {
            return choices[random.nextInt(choices.length)];
        }

        private int value() {
            return switch (random.nextInt(5)) {
                case 0 -> random.nextInt(16);
                case 1 -> random.nextInt(256);
                case 2 -> 1 << random.nextInt(32);
                case 3 -> -1 >>> random.nextInt(32);
                default -> random.nextInt();
            };
        }

        private int mapped() {
            return switch (random.nextInt(8)) {
                case 0 -> 0xfec0_0000 + (random.nextBoolean() ? 0 : 0x10);
                case 1 -> 0xfec0_0000 + random.nextInt(0x1000);
                case 2 -> 0xfee0_0000 + random.nextInt(0x1000);
                case 3 -> 0xff00_0000 + random.nextInt(0x1_0000);
                default -> 0xfee0_0000 + 16 * random.nextInt(0x40);
            };
        }

        /** Interrupt commands that end fewer runs than random ones. */
        private void command() {
            int mode = random.nextInt(8) << 8;
            int others = random.nextInt(4) << 18;
            emit(SmallKernel.apic(0x300, random.nextInt(256) | mode | others | random.nextInt(16) << 12)
                    .strip());
        }

        private void action() {
            switch (random.nextInt(12)) {
                case 0, 1, 2 -> port(new String[] {"ee", "ef", "66 ef"});
                case 3 -> port(new String[] {"ec", "ed", "66 ed"});
                case 4, 5 -> {
                    register(0xb8, value());
                    register(pick(new int[] {0xa3, 0xa3, 0xa3, 0xa2}), mapped());
                }
                case 6 -> register(pick(new int[] {0xa1, 0xa0}), mapped());
                case 7, 8 -> {
                    modelSpecific();
                    emit("0f 30");
                }
                case 9 -> {
                    modelSpecific();
                    emit("0f 32");
                }
                case 10 -> command();
                default -> waits();
            }
        }

        private void port(String[] forms) {
            register(0xba, random.nextInt(4) == 0 ? random.nextInt(0x1_0000) : pick(PORTS));
            register(0xb8, value());
            emit(forms[random.nextInt(forms.length)]);
        }

        private void modelSpecific() {
            int number = random.nextInt(4) == 0 ? 0x800 + random.nextInt(0x100) : pick(MSRS);
            register(0xb9, random.nextInt(8) == 0 ? value() : number);
            register(0xb8, value());
            register(0xba, random.nextBoolean() ? 0 : value());
        }

        /** STI and HLT, PAUSE, TPAUSE, UMONITOR and UMWAIT, MONITOR and MWAIT, CPUID. */
        private void waits() {
            register(0xb8, value());
            register(0xba, random.nextInt(4) == 0 ? value() : 0);
            register(0xb9, random.nextInt(2));
            emit(
                    switch (random.nextInt(6)) {
                        case 0 -> "fb f4";
                        case 1 -> "f3 90";
                        case 2 -> "66 0f ae f1";
                        case 3 -> "be 00 00 21 00 f3 0f ae f6 f2 0f ae f1";
                        case 4 -> "b9 00 00 00 00 b8 00 00 21 00 ba 00 00 00 00 0f 01 c8 b8 00 00 00 00 0f 01 c9";
                        default -> "0f a2";
                    });
        }

        /** Actions, then back to the beginning. */
        byte[] actions(int count) {
            for (int i = 0; i < count; i++) {
                action();
            }
            register(0xe9, -(code.size() + 5));
            return code.toByteArray();
        }
    }

    private Machine machine(Random random, int processors, Engine engine) {
        // any interrupt: EOI to the APIC and the 8259 pair; #GP: the next instruction, two bytes on
        String end = "50" + SmallKernel.apic(0xb0, 0) + " b0 20 e6 20 e6 a0 58 cf";
        for (int vector = 0; vector < 256; vector++) {
            kernel.gate(vector, 0x340, end);
        }
        kernel.gate(13, 0x360, "83 c4 04 83 04 24 02 cf");
        MachineConfig config = MachineConfig.DEFAULT
                .withMemory(8 << 20)
                .withPlatform(MachineConfig.Platform.PC)
                .withTestDevice(true)
                .withProcessors(processors)
                .withEngine(engine)
                .withCpu(random.nextBoolean() ? "max" : "minimal")
                .withTurns(new MachineConfig.Turns(1 + random.nextInt(50), OptionalLong.of(random.nextLong())));
        Machine machine = Machine.of(config);
        String start = SmallKernel.apic(0x300, 0xc4500) + SmallKernel.apic(0x300, 0xc4608);
        machine.boot(kernel.kernel(start + " 68" + SmallKernel.littleEndian(PROGRAM) + " c3"), "random", List.of());
        machine.memory().load(START_UP, SmallKernel.bytes("fb f4 eb fc"));
        return machine;
    }

    /** Whatever became of the processor: it goes on in flat 32-bit code at an address. */
    private static void goesOn(Machine machine, int at) {
        var cpu = machine.cpu();
        cpu.cr0 = 0x11;
        cpu.cr4 = 0;
        cpu.efer = 0;
        cpu.rflags(2);
        cpu.cpl = 0;
        cpu.activity = CpuState.ACTIVE;
        cpu.segments[CpuState.CS].set(8, 0, -1, 0xc09b);
        for (int segment : new int[] {CpuState.SS, CpuState.DS, CpuState.ES}) {
            cpu.segments[segment].set(16, 0, -1, 0xc093);
        }
        cpu.gdtrBase = 0x10_0310;
        cpu.gdtrLimit = 23;
        cpu.idtrBase = 0x10_0400;
        cpu.idtrLimit = 0x7ff;
        cpu.gpr[CpuState.RSP] = 0x18_0000;
        cpu.rip = at;
        cpu.modeChanged();
    }

    @Property(tries = 100)
    @Label("100,000 random accesses to devices and registers neither throw nor hang")
    void nothingBreaksTheHost(
            @ForAll long seed, @ForAll @IntRange(min = 1, max = 4) int processors, @ForAll Engine engine) {
        Random random = new Random(seed);
        Machine machine = machine(random, processors, engine);
        machine.run(100);
        long executed = 0;
        for (int round = 0; round < ROUNDS; round++) {
            machine.memory().load(PROGRAM, new Program(random).actions(ACTIONS));
            goesOn(machine, PROGRAM);
            long before = machine.instructions();
            StopReason reason = machine.run(200L * processors);
            assertThat(reason).isNotEqualTo(StopReason.VM_EXIT);
            executed += machine.instructions() - before;
        }
        assertThat(executed).as("instructions").isPositive();
    }
}
